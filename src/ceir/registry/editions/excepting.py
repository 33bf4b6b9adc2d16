"""Exceptions as an operator gets them over the API: with which of its subscribers equipment works although it
is blocked for all others; whole, or what changed since an edition.

They are the register's own pairings and the lines that the run taken over last lets go on. An edition keeps
no number: only which equipment and SIM, or which row of the run, stood in it, so that a number that was
shredded is nowhere else.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, OrganisationKind
from ceir.registry.audit.chain import record
from ceir.registry.editions.models import ExceptionEdition, ExceptionEntry
from ceir.registry.editions.numbering import KEPT, EditionGoneError, NoEditionError
from ceir.registry.organisations.models import Organisation
from ceir.registry.pairings.standing import Goes, going_on, in_clear
from ceir.registry.personal.fields import Access
from ceir.registry.personal.reading import reading
from ceir.registry.personal.whole_lists import begin_list

HEADER = "imei,imsi\n"
CHANGES_HEADER = f"change,{HEADER}"
_AT_ONCE = 5000


def issue_exceptions(operator: str, *, actor: Actor, at: datetime) -> ExceptionEdition | None:
    """Make an edition of an operator's exceptions if they changed since the last one.

    Returns: the new edition; None: nothing changed, or there never was an exception.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.RELEASE_READ)
    with transaction.atomic():
        # Whoever issues for the same operator waits here: numbers have no gaps, and none is made twice.
        kind = OrganisationKind.OPERATOR.value
        owner = Organisation.objects.select_for_update().filter(kind=kind, code=operator).first()
        if owner is None:
            return None
        standing = going_on(operator, at)
        entries = ExceptionEntry.objects.filter(operator=operator, ended=None)
        listed = {
            Goes(imei, sim or 0, excepted or 0): key
            for key, imei, sim, excepted in entries.values_list("pk", "imei", "sim_id", "excepted_id")
        }
        gone, new = listed.keys() - standing, standing - listed.keys()
        if not gone and not new:
            return None
        last = ExceptionEdition.objects.filter(operator=operator).order_by("-sequence").first()
        sequence = last.sequence + 1 if last else 1
        for some in _parts(sorted(listed[pair] for pair in gone)):
            ExceptionEntry.objects.filter(pk__in=some).update(ended=sequence)
        ExceptionEntry.objects.bulk_create(
            (
                ExceptionEntry(
                    operator=operator,
                    imei=one.imei,
                    sim_id=one.sim or None,
                    excepted_id=one.excepted or None,
                    first=sequence,
                )
                for one in sorted(new)
            ),
            batch_size=_AT_ONCE,
        )
        begin_list(f"exceptions:{operator}:{sequence}", at=at)
        text = _whole(operator, sequence)
        made = ExceptionEdition.objects.create(
            operator=operator, sequence=sequence, made_at=at, rows=len(standing),
            sha256=hashlib.sha256(text).hexdigest(),
        )  # fmt: skip
        record(actor, "outgoing.issued", f"exceptions:{operator}:{sequence}", at=at,
               detail={"rows": made.rows, "sha256": made.sha256})  # fmt: skip
    return made


def issue_all_exceptions(*, actor: Actor, at: datetime) -> int:
    """For every operator. Returns: how many are new."""
    codes = Organisation.objects.filter(kind=OrganisationKind.OPERATOR.value, active=True)
    return sum(
        issue_exceptions(code, actor=actor, at=at) is not None
        for code in codes.order_by("code").values_list("code", flat=True)
    )


def current_exceptions(actor: Actor) -> ExceptionEdition:
    """The newest edition of the actor's own operator: exceptions are for nobody else, the regulator included.

    Raises:
        PermissionDeniedError: the actor is no operator.
        NoEditionError: there is none yet.
    """
    require(actor, Permission.EXCEPTION_READ)
    code = Organisation.objects.values_list("code", flat=True).get(pk=actor.organisation or 0)
    found = ExceptionEdition.objects.filter(operator=code).order_by("-sequence").first()
    if found is None:
        raise NoEditionError(
            "There were no exceptions yet.",
            "They are issued when equipment is paired, or a run lets lines go on.",
        )
    return found


def read_whole(*, access: Access) -> tuple[ExceptionEdition, bytes]:
    """The list as CSV, sorted; that it was read is recorded.

    Raises:
        PermissionDeniedError, NoEditionError: as `current_exceptions`.
        RuntimeError: within another transaction, whose failure would take the record of reading with it.
    """
    require(access.actor, Permission.EXCEPTION_READ)
    with reading():
        edition = current_exceptions(access.actor)
        _note(edition, access, edition.rows)
        return edition, _whole(edition.operator, edition.sequence)


def read_changes(since: int, *, access: Access) -> tuple[ExceptionEdition, bytes]:
    """What is to be done with an earlier edition to have the newest, as CSV; that it was read is recorded.

    Raises:
        EditionGoneError: what changed since is not kept any more, or that edition never was.
        PermissionDeniedError, NoEditionError, RuntimeError: as `read_whole`.
    """
    require(access.actor, Permission.EXCEPTION_READ)
    with reading():
        edition = current_exceptions(access.actor)
        editions = ExceptionEdition.objects.filter(operator=edition.operator)
        if since and not editions.filter(sequence=since).exists():
            raise EditionGoneError(f"What changed since edition {since} is not kept.", "Get the whole list.")
        before, now = (_at(edition.operator, sequence) for sequence in (since, edition.sequence))
        # The same number in another SIM's row is no change.
        had, has = _lines(before - now), _lines(now - before)
        rows = [f"added,{line}" for line in has - had] + [f"removed,{line}" for line in had - has]
        _note(edition, access, len(rows))
        text = CHANGES_HEADER + "".join(sorted(rows, key=lambda row: row.split(",", 1)[1]))
        return edition, text.encode("ascii")


def forget_exceptions(at: datetime) -> int:
    """Remove old editions and what only they had. Returns: editions removed."""
    removed = 0
    newest = ExceptionEdition.objects.values_list("operator").annotate(Max("sequence")).order_by()
    for operator, sequence in newest:
        with transaction.atomic():
            every = ExceptionEdition.objects.filter(operator=operator)
            old = every.filter(made_at__lte=at - KEPT, sequence__lt=sequence)
            last = old.aggregate(last=Max("sequence"))["last"]
            if last is not None:
                ExceptionEntry.objects.filter(operator=operator, ended__lte=last + 1).delete()
                removed += old.delete()[0]
    return removed


def _note(edition: ExceptionEdition, access: Access, rows: int) -> None:
    record(
        access.actor, "personal.list_read", f"exceptions:{edition.operator}:{edition.sequence}", at=access.at,
        basis=access.basis, detail={"rows": rows},
    )  # fmt: skip


def _at(operator: str, sequence: int) -> set[Goes]:
    rows = ExceptionEntry.objects.filter(operator=operator, first__lte=sequence)
    standing = rows.filter(Q(ended=None) | Q(ended__gt=sequence))
    return {
        Goes(imei, sim or 0, excepted or 0)
        for imei, sim, excepted in standing.values_list("imei", "sim_id", "excepted_id")
    }


def _whole(operator: str, sequence: int) -> bytes:
    return (HEADER + "".join(sorted(_lines(_at(operator, sequence))))).encode("ascii")


def _lines(lines: Collection[Goes]) -> set[str]:
    """In clear.

    Raises:
        EditionGoneError: a number was shredded meanwhile.
    """
    numbers = in_clear(lines)
    if len(numbers) < len(lines):
        raise EditionGoneError("A number of that edition is not kept any more.", "Get the whole list.")
    return {f"{identity},{imsi}\n" for identity, imsi in numbers.values()}


def _parts(keys: list[int]) -> Iterable[list[int]]:
    return (keys[place : place + _AT_ONCE] for place in range(0, len(keys), _AT_ONCE))
