"""Who goes on with blocked equipment now: the register's own pairings, and the lines that a run lets go on.

What people pair or release counts at once. What a run decided by itself counts until the next run: the
register does not know why a line goes on, so it takes none away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from ceir.identifiers import Msisdn
from ceir.registry.actors import OrganisationKind
from ceir.registry.pairings.exporting import missing
from ceir.registry.pairings.models import Pairing, State
from ceir.registry.personal.whole_lists import opened
from ceir.registry.runs.looking import latest_run
from ceir.registry.runs.models import Decision, Excepted, Grounds, Outcome
from ceir.registry.subscribers.models import Sim

LINGERS = timedelta(days=7)
"""An exception outlives the block it was for by so long: whichever of the two changes an operator loads
first, nobody is cut in between. Where nothing is blocked it lets nobody through."""

_AT_ONCE = 5000
_AHEAD_OR_NOW = (Outcome.BLOCKED.value, Outcome.NOTIFIED.value)


class Goes(NamedTuple):
    """A line that goes on with equipment.

    Args:
        sim: key of the SIM, for a pairing of the register; else 0.
        excepted: key of what the run says; else 0.
    """

    imei: int
    sim: int
    excepted: int


def going_on(operator: str, at: datetime) -> set[Goes]:
    """The lines of an operator that go on; each once, even if the register paired it and the run lets it.

    Stolen and lost equipment of pairings is left out, unless an appeal decided in spite of the report. Of
    lines that the run lets go on the run itself decides: a theft stops them on the day that it sets.
    """
    paired: dict[tuple[int, bytes], Goes] = {}
    rows = _paired(
        at, line__sims__operator__code=operator, line__sims__operator__kind=OrganisationKind.OPERATOR.value
    )
    for imei, sim, key in _let(rows, "line__sims__pk", "line__sims__imsi_key", at=at):
        paired[imei, bytes(key)] = Goes(imei, sim, 0)
    kept: dict[tuple[int, bytes], Goes] = {}
    named = _kept(at).filter(operator=operator).order_by("pk").values_list("imei", "imsi_key", "pk")
    for number, hashed, place in named.iterator(chunk_size=_AT_ONCE):
        line = (number, bytes(hashed or b""))
        if line not in paired:
            kept.setdefault(line, Goes(number, 0, place))
    return {*paired.values(), *kept.values()}


def excepted_for(number: Msisdn) -> "QuerySet[Excepted]":
    """What runs say of a number: by its SIMs as operators told them, or by a pairing that named it."""
    sims = Sim.objects.filter(
        line__number_key=number.digits, line__ended_at=None, ended_at=None, imsi_key__isnull=False
    )
    return Excepted.objects.filter(Q(msisdn_key=number.digits) | Q(imsi_key__in=sims.values("imsi_key")))


def in_clear(lines: Collection[Goes]) -> Mapping[Goes, tuple[str, str]]:
    """The identity and the IMSI of each line, for a list whose making is recorded; a line whose IMSI was
    shredded is left out."""
    sims: dict[int, str] = {}
    for some in _parts(sorted({one.sim for one in lines if one.sim})):
        for key, imsi in Sim.objects.filter(pk__in=some, imsi__isnull=False).values_list("pk", "imsi"):
            sims[key] = opened(imsi)
    told: dict[int, tuple[str, str]] = {}
    for some in _parts(sorted({one.excepted for one in lines if one.excepted})):
        named = Excepted.objects.filter(pk__in=some, imsi__isnull=False)
        for key, text, sealed in named.values_list("pk", "text", "imsi"):
            told[key] = text, opened(sealed)
    found: dict[Goes, tuple[str, str]] = {}
    for one in lines:
        if one.sim in sims:
            found[one] = f"{one.imei:014}", sims[one.sim]
        elif one.excepted in told:
            text, number = told[one.excepted]
            found[one] = text or f"{one.imei:014}", number
    return found


def excepted_equipment(at: datetime, imei: int | None = None) -> frozenset[int]:
    """Keys of blocked equipment with which some line goes on, of whichever operator.

    Args:
        imei: only this one; None: all.
    """
    blocked = Decision.objects.filter(outcome=Outcome.BLOCKED.value)
    if imei is not None:
        blocked = blocked.filter(imei=imei)
    wanted = blocked.values("imei")
    found = {row[0] for row in _let(_paired(at, imei__in=wanted), at=at)}
    found.update(_kept(at).filter(imei__in=wanted).values_list("imei", flat=True).distinct())
    return frozenset(found)


def cannot_hold_exceptions(operator: str) -> bool:
    """Whether the equipment check of an operator can permit no subscriber on a blocked identity, as the
    policy of the run taken over last says."""
    run = latest_run()
    return run is not None and operator in run.outright


def _paired(at: datetime, **more: object) -> "QuerySet[Pairing]":
    # All in one: each filter of its own would speak of another SIM of the line.
    return Pairing.objects.filter(
        state=State.IN_FORCE.value,
        in_force_at__lte=at,
        line__ended_at=None,
        line__sims__ended_at=None,
        line__sims__imsi__isnull=False,
        **more,
    )


def _let(rows: "QuerySet[Pairing]", *columns: str, at: datetime) -> Iterator[tuple[int, ...]]:
    """IMEI and columns of pairings that let their line go on, stolen and lost equipment left out."""
    left_out: frozenset[int] | None = None
    for imei, despite, *values in rows.values_list("imei", "despite_report", *columns).iterator(
        chunk_size=_AT_ONCE
    ):
        if left_out is None:
            left_out = missing(at)
        if despite or imei not in left_out:
            yield (imei, *values)


def _kept(at: datetime) -> "QuerySet[Excepted]":
    """What the run says, but for pairings of which the register itself knows better.

    A line may be both paired and let go on by the run, which then names the pairing alone. So where a
    condition that lets lines go on matched, what the run says holds until the next one, paired or not.
    """
    decided = Decision.objects.filter(imei=OuterRef("imei"), outcome__in=_AHEAD_OR_NOW)
    in_force = Q(ended_at=None) | (Q(ended_at__gt=at - LINGERS) & ~Exists(decided))
    known = Pairing.objects.filter(imei=OuterRef("imei"), line__sims__imsi_key=OuterRef("imsi_key"))
    by_the_run = Q(paired=False) | Q(~Exists(known))
    by_the_run |= Q(Exists(decided.filter(grounds__in=_keeping())))
    return Excepted.objects.filter(in_force, by_the_run, imsi_key__isnull=False)


def _keeping() -> list[int]:
    """Grounds that name a condition which lets lines go on."""
    run = latest_run()
    labels = set(run.keeps_lines) if run is not None else set()
    if not labels:
        return []
    return [
        pk for pk, told in Grounds.objects.values_list("pk", "conditions") if labels & set(told.split("|"))
    ]


def _parts(keys: list[int]) -> Iterable[list[int]]:
    return (keys[place : place + _AT_ONCE] for place in range(0, len(keys), _AT_ONCE))
