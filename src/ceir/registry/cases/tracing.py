"""Sightings of lost devices: a trace for the police, or a question to whoever uses the device."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Q

from ceir.identifiers import Imei, Imsi, Msisdn
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.cases.models import Case, CaseIdentity, Trace
from ceir.registry.cases.moving import locked, move
from ceir.registry.cases.states import BLOCKING, CaseError, Mode, State
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import Access, Sealed

_LOOKED_FOR = frozenset({State.VERIFIED, State.SEEN})
_CHUNK = 500


@dataclass(frozen=True)
class Sighting:
    """That a network saw a piece of equipment.

    Args:
        operator: id of the network's operator in the policy.
        imsi, msisdn: who used it, as far as the network says.
        cell: where, as the network names its cells; at most 100 characters.

    Raises:
        CaseError, TextRefusedError: the moment has no time zone, or a text is too long.
    """

    imei: Imei
    seen_at: datetime
    operator: str
    imsi: Imsi | None = None
    msisdn: Msisdn | None = None
    cell: str = ""

    def __post_init__(self) -> None:
        if self.seen_at.tzinfo is None:
            raise CaseError("The moment does not say of which time zone it is.", "Give it with its offset.")
        object.__setattr__(self, "operator", free_text(self.operator, "The operator", 32, needed=True))
        object.__setattr__(self, "cell", free_text(self.cell, "The cell", 100))

    def __repr__(self) -> str:
        return f"Sighting({self.imei}, {self.seen_at:%Y-%m-%dT%H:%M:%SZ})"


def take_sightings(sightings: Iterable[Sighting], *, actor: Actor, at: datetime) -> int:
    """Open or go on with a trace for every sighting of a device after its block, or after its case in
    recovery mode was verified; the case is seen from then on. All other sightings leave nothing behind.

    The same sighting told twice changes nothing.

    Returns: traces opened.

    Raises:
        PermissionDeniedError: the actor may not, or tells of another operator's network.
    """
    require(actor, Permission.SIGHTING_TELL)
    own = _own_network(actor)
    opened = 0
    for chunk in _chunks(sightings):
        by_imei: dict[int, list[Sighting]] = defaultdict(list)
        for sighting in chunk:
            if own is not None and sighting.operator != own:
                raise PermissionDeniedError(
                    "An operator tells of its own network.", f"Tell only what operator {own} saw."
                )
            by_imei[sighting.imei.number].append(sighting)
        for case_id, imeis in _cases_of(by_imei).items():
            opened += _follow(case_id, [s for imei in imeis for s in by_imei[imei]], actor, at)
    return opened


def ask_users(send: Callable[[Msisdn, Case], None], *, at: datetime) -> int:
    """Ask everybody who uses a device in recovery mode, once, to come forward.

    Args:
        send: sends the question, or keeps it for sending in this transaction; the owner is not named in it.

    Returns: how many were asked.
    """
    asked = 0
    waiting = Trace.objects.filter(
        case__mode=Mode.RECOVERY.value,
        case__state=State.SEEN.value,
        asked_at__isnull=True,
        msisdn_key__isnull=False,
    )
    for key in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            trace = Trace.objects.select_for_update(of=("self",)).select_related("case").get(pk=key)
            number = trace.msisdn
            if trace.asked_at is not None or not isinstance(number, Sealed):
                continue
            trace.asked_at = at
            trace.save(update_fields=("asked_at",))
            access = Access(SYSTEM, at, f"recovery mode of case:{trace.case_id}")
            send(Msisdn(number.reveal(access, f"trace:{trace.pk}")), trace.case)
            record(SYSTEM, "trace.user_asked", f"trace:{trace.pk}", at=at)
            asked += 1
    return asked


def _own_network(actor: Actor) -> str | None:
    if actor.acts_as is not Role.OPERATOR or actor.organisation is None:
        return None
    return Organisation.objects.values_list("code", flat=True).get(pk=actor.organisation)


def _chunks(sightings: Iterable[Sighting]) -> Iterator[list[Sighting]]:
    left = iter(sightings)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _cases_of(imeis: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    followed = CaseIdentity.objects.filter(imei__in=list(imeis)).filter(
        Q(case__mode=Mode.BLOCK.value, case__state__in=[state.value for state in BLOCKING])
        | Q(case__mode=Mode.RECOVERY.value, case__state__in=[state.value for state in _LOOKED_FOR])
    )
    for case_id, imei in followed.order_by("case_id", "imei").values_list("case_id", "imei"):
        found[case_id].append(imei)
    return found


def _follow(case_id: int, sightings: list[Sighting], actor: Actor, at: datetime) -> int:
    with transaction.atomic():
        case = locked(case_id)
        since = _since(case)
        if since is None:
            return 0
        opened = [
            trace for s in sightings if s.seen_at >= since if (trace := _trace(case, s, at)) is not None
        ]
        for trace in opened:
            record(actor, "trace.opened", f"case:{case.pk}", at=at,
                   detail={"trace": trace.pk, "operator": trace.operator})  # fmt: skip
        if opened and case.state != State.SEEN.value:
            case.seen_at = min(trace.first_seen_at for trace in opened)
            move(case, State.SEEN, actor=actor, at=at, reason="")
    return len(opened)


def _since(case: Case) -> datetime | None:
    """From when on sightings count; None: not any more, or not yet."""
    state = State(case.state)
    if Mode(case.mode) is Mode.BLOCK:
        return case.blocked_at if state in BLOCKING else None
    return case.verified_at if state in _LOOKED_FOR else None


def _trace(case: Case, sighting: Sighting, at: datetime) -> Trace | None:
    """The trace that a sighting opens; None: it goes on with one that is there."""
    imsi = sighting.imsi.digits if sighting.imsi else None
    msisdn = sighting.msisdn.digits if sighting.msisdn else None
    there = case.traces.filter(imei=sighting.imei.number, imsi_key=imsi, msisdn_key=msisdn).first()
    if there is None:
        return Trace.objects.create(
            case=case,
            imei=sighting.imei.number,
            operator=sighting.operator,
            first_seen_at=sighting.seen_at,
            last_seen_at=sighting.seen_at,
            imsi=imsi,
            imsi_key=imsi,
            msisdn=msisdn,
            msisdn_key=msisdn,
            cell=sighting.cell or None,
            opened_at=at,
        )
    changed: dict[str, object] = {}
    if sighting.seen_at < there.first_seen_at:
        changed = {"first_seen_at": sighting.seen_at}
    if sighting.seen_at > there.last_seen_at:
        changed = {
            "last_seen_at": sighting.seen_at,
            "operator": sighting.operator,
            "cell": sighting.cell or None,
        }
    if changed:
        Trace.objects.filter(pk=there.pk).update(**changed)
    return None
