"""Checking a consignment: against TACs, certificates, other lists, networks, registrations, cases."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.findings import Found
from ceir.registry.imports.models import LIVE, Consignment, State
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.receiving import subject
from ceir.registry.imports.states import ConsignmentStateError, locked, move
from ceir.registry.type_approvals.certificates import approved_tacs

_COUNTS = (*LIVE, State.REFUSED.value)
"""States of other consignments whose lists are looked at."""

AskTacs = Callable[[Collection[str], date], Collection[str]]
"""Which of some TACs (8 digits) are so on a day."""

AskSeen = Callable[[Sequence[int], date], Collection[int]]
"""Which of some IMEIs a network saw on a day or before it."""

AskImeis = Callable[[Sequence[int]], Collection[int]]
"""Which of some IMEIs (14 digits as numbers), at most a page of them, are so."""


@dataclass(frozen=True)
class Checks:
    """What lists are held against; None: there is nothing to hold them against, and the check is not made.

    Args:
        allocated: TACs that somebody was given.
        approved: TACs that a certificate covers.
        seen: IMEIs that a network saw by the day on which the list came.
        registered: IMEIs of registered devices.
        stolen: IMEIs that are reported stolen or lost.
    """

    allocated: AskTacs | None = None
    approved: AskTacs | None = approved_tacs
    seen: AskSeen | None = None
    registered: AskImeis | None = None
    stolen: AskImeis | None = None


def check(consignment_id: int, checks: Checks, *, actor: Actor, at: datetime) -> Consignment:
    """Check a submitted consignment, or check it again; what was found before gives way to what is found now.

    Raises:
        PermissionDeniedError: the actor may not.
        ConsignmentStateError: it is not submitted, or was decided, or is checked by somebody else meanwhile.
    """
    require(actor, Permission.IMPORT_CHECK)
    with transaction.atomic():
        consignment = _checkable(consignment_id)
        consignment.round += 1
        consignment.save(update_fields=["round"])
        findings.forget_before(consignment.pk, consignment.checked_round)
    round_ = consignment.round
    by_tac, by_imei, not_made = _asked(checks, localdate(consignment.submitted_at))
    tacs = list(consignment.tacs.all())
    for reason, ask in by_tac:
        names = [f"{entry.tac:08}" for entry in tacs]
        good = set(ask(names, localdate(at)))
        bad = [entry for entry, name in zip(tacs, names, strict=True) if name not in good]
        _add(consignment.pk, round_, [Found(reason, e.tac, e.first_line, e.rows) for e in bad])
    for entry in tacs:
        for own, elsewhere in _pages(consignment.pk, entry.tac):
            found = [Found(Reason.ON_ANOTHER, imei, own[imei], other=other) for imei, other in elsewhere]
            for reason, ask_imeis in by_imei:
                found += [Found(reason, imei, own[imei]) for imei in ask_imeis(list(own)) if imei in own]
            _add(consignment.pk, round_, found)
    return _finish(consignment.pk, round_, not_made, actor, at)


def _asked(
    checks: Checks, listed_on: date
) -> tuple[list[tuple[Reason, AskTacs]], list[tuple[Reason, AskImeis]], list[str]]:
    tacs = ((Reason.TAC_NOT_ALLOCATED, checks.allocated), (Reason.NOT_APPROVED, checks.approved))
    seen = checks.seen
    imeis: tuple[tuple[Reason, AskImeis | None], ...] = (
        (Reason.SEEN, None if seen is None else lambda some: seen(some, listed_on)),
        (Reason.REGISTERED, checks.registered),
        (Reason.STOLEN, checks.stolen),
    )
    not_made = [reason.value for reason, ask in (*tacs, *imeis) if ask is None]
    return (
        [(reason, ask) for reason, ask in tacs if ask is not None],
        [(reason, ask) for reason, ask in imeis if ask is not None],
        not_made,
    )


def _pages(consignment_id: int, tac: int) -> Iterator[tuple[dict[int, int], list[tuple[int, int]]]]:
    """Own IMEIs with their lines, and (IMEI, consignment) of others that count."""
    for page in sealed_lists.rows_of_tac(tac):
        own = {imei: line for imei, owner, line in page if owner == consignment_id}
        others = {owner for imei, owner, _ in page if owner != consignment_id and imei in own}
        counting = set(
            Consignment.objects.filter(pk__in=others, state__in=_COUNTS).values_list("pk", flat=True)
        )
        if own:
            yield own, [(imei, owner) for imei, owner, _ in page if owner in counting and imei in own]


def _add(consignment_id: int, round_: int, found: list[Found]) -> None:
    if found:
        with transaction.atomic():
            _checkable(consignment_id, round_)
            findings.add(consignment_id, round_, found)


def _checkable(consignment_id: int, round_: int | None = None) -> Consignment:
    """The consignment, locked, if it may be checked, and if this round is still the last one."""
    consignment = locked(consignment_id)
    if consignment.state not in (State.SUBMITTED.value, State.CHECKED.value):
        raise ConsignmentStateError(
            f"Consignment {consignment.number} is {consignment.state}.", "Only what is submitted is checked."
        )
    if round_ not in (None, consignment.round):
        raise ConsignmentStateError(
            f"Consignment {consignment.number} is being checked by somebody else.", "Wait for that check."
        )
    return consignment


def _finish(consignment_id: int, round_: int, not_made: list[str], actor: Actor, at: datetime) -> Consignment:
    """The round counts from here on; consignments that share IMEIs learn of it, whichever was checked first.

    Of two lists with the same IMEI that are taken in at the same time, the one that is checked later finds
    it: by then the other's rows are all there.
    """
    with transaction.atomic():
        sharing = findings.others(consignment_id, round_)
        held = {
            found.pk: found
            for found in Consignment.objects.select_for_update()
            .filter(pk__in=sharing | {consignment_id})
            .order_by("pk")
        }
        consignment = _checkable(consignment_id, round_)
        for pk in sorted(sharing):
            other = held[pk]
            findings.mirror(consignment, other)
            if other.checked_round:
                other.found = findings.counts(other.pk, other.checked_round)
                other.save(update_fields=["found"])
        findings.forget_before(consignment.pk, round_)
        if consignment.state == State.SUBMITTED.value:
            move(consignment, State.CHECKED)
        consignment.checked_round, consignment.checked_at = round_, at
        consignment.found, consignment.not_made = findings.counts(consignment.pk, round_), not_made
        consignment.save()
        record(
            actor, "import.checked", subject(consignment), at=at,
            detail={"found": consignment.found, "not_made": not_made},
        )  # fmt: skip
    return consignment
