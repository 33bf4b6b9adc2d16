"""Blocks of which nobody was told: counted, shown, and held back where the policy has it so."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.notices.models import NoticeState
from ceir.registry.notices.planning import EXEMPT
from ceir.registry.notices.terms import NoticeTerms, Told, Untold
from ceir.registry.releases.holding import ToHold, end_holds, hold, let_go
from ceir.registry.releases.models import Hold
from ceir.registry.runs import loading

_TONIGHT = timedelta(days=1)
_LATELY = timedelta(days=7)


class Reach(Enum):
    """How far the notices of a device's block came; the best of all of them counts."""

    DELIVERED = "delivered"
    SENT = "sent"
    """The gateway took one; no report came yet, or it never reports."""
    UNCERTAIN = "uncertain"
    """Whether one arrived is not known, and none came further."""
    WAITING = "waiting"
    """One is still to be sent."""
    OPTED_OUT = "opted_out"
    """Who uses it wants none, and the law lets him."""
    FAILED = "failed"
    """None was taken or delivered."""
    WITHDRAWN = "withdrawn"
    """None was sent before its time was over."""
    NOBODY = "nobody"
    """It was seen with no subscriber who could be told."""
    EXEMPT = "exempt"
    """Nobody reads messages on it: a fleet's device."""


_ORDER = (
    Reach.DELIVERED,
    Reach.SENT,
    Reach.UNCERTAIN,
    Reach.WAITING,
    Reach.OPTED_OUT,
    Reach.FAILED,
    Reach.WITHDRAWN,
)
_REACH_OF: Mapping[NoticeState, Reach] = {
    NoticeState.DELIVERED: Reach.DELIVERED,
    NoticeState.SENT: Reach.SENT,
    NoticeState.UNCERTAIN: Reach.UNCERTAIN,
    NoticeState.WAITING: Reach.WAITING,
    NoticeState.SENDING: Reach.WAITING,
    NoticeState.OPTED_OUT: Reach.OPTED_OUT,
    NoticeState.FAILED: Reach.FAILED,
    NoticeState.UNDELIVERED: Reach.FAILED,
    NoticeState.WITHDRAWN: Reach.WITHDRAWN,
}
_BEST = (
    "CASE n.state "
    + " ".join(f"WHEN '{state.value}' THEN {_ORDER.index(reach)}" for state, reach in _REACH_OF.items())
    + " END"
)
_OUT = (
    "EXISTS (SELECT 1 FROM releases_member AS m JOIN releases_release AS e ON e.id = m.release_id "
    "WHERE m.imei = d.imei AND m.blocked_run = d.outcome_run_id AND m.stage IS NOT NULL "
    "AND e.undone_at IS NULL)"
)
_NOT_TOLD = frozenset({Reach.UNCERTAIN, Reach.WAITING, Reach.FAILED, Reach.WITHDRAWN})


@dataclass(frozen=True)
class Reached:
    """A device whose block comes or came, and how far its notices came.

    Args:
        identity: 14 digits, or a malformed text.
        held_until: its block is held back until that day; None: it is not.
        out: a release let it out already.
    """

    imei: int
    identity: str
    block_on: date
    reach: Reach
    held_until: date | None
    out: bool


def not_told(terms: NoticeTerms) -> frozenset[Reach]:
    """What does not count as told. That there is nobody to tell, or nobody who wants it, is no failure."""
    return _NOT_TOLD | ({Reach.SENT} if terms.told is Told.DELIVERED else frozenset())


def reached(since: date, until: date) -> Iterator[Reached]:
    """Devices whose block date lies within two days, both included, by it and their identity.

    Devices whose block was held back stay with the date that it first had; notices of the later one count.
    """
    rows = loading.stream(
        f"SELECT d.imei, d.text, d.block_on, MIN({_BEST}), {EXEMPT.format('d')}, MIN(h.until), {_OUT} "
        "FROM runs_decision AS d "
        "LEFT JOIN releases_hold AS h ON h.imei = d.imei AND h.ended_at IS NULL "
        "LEFT JOIN notices_notice AS n ON n.imei = d.imei "
        "AND (n.block_on = d.block_on OR n.block_on = h.until) "
        "WHERE d.outcome IN ('notified', 'blocked') AND d.block_on >= %s AND d.block_on <= %s "
        "GROUP BY d.imei, d.text, d.block_on, d.outcome_run_id ORDER BY d.block_on, d.imei",
        (since.isoformat(), until.isoformat()),
    )
    for imei, text, block_on, best, exempt, held, out in rows:
        reach = Reach.EXEMPT if exempt else Reach.NOBODY if best is None else _ORDER[int(best)]
        yield Reached(
            imei, text or f"{imei:014}", _day(block_on), reach, _day(held) if held else None, bool(out)
        )


def counts(since: date, until: date) -> Mapping[Reach, int]:
    """Devices by how far their notices came."""
    with transaction.atomic():
        return Counter(found.reach for found in reached(since, until))


def hold_unreached(terms: NoticeTerms, *, actor: Actor, at: datetime) -> Mapping[str, int]:
    """What the policy says of blocks that nobody could be told of: held back, or counted only.

    A block is held the day before it comes; once somebody was told, or its days are over, it is let go. A
    hold keeps the device from going out with a release; it changes nothing that was decided.

    Returns: devices now `held`, those `told` meanwhile, those whose hold is `over`, and how many whose block
    comes by tomorrow are `not told`.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_SEND)
    today = terms.quiet.today(at)
    over = end_holds(today, actor=actor, at=at)
    wanted = not_told(terms)
    with transaction.atomic():
        first = Hold.objects.filter(ended_at__isnull=True).order_by("block_on").first()
        since = min(today - _LATELY, first.block_on) if first is not None else today - _LATELY
        found = [f for f in reached(since, today + _TONIGHT) if not f.out]
        left = [
            f for f in found if f.reach in wanted and f.held_until is None and f.block_on >= today - _LATELY
        ]
        counted = {"not told": len(left), "held": 0, "told": 0, "over": over}
        if terms.untold is Untold.HOLD:
            counted["held"] = hold(
                (ToHold(f.imei, f.block_on, _until(f, today, terms), f.reach.value) for f in left),
                actor=actor,
                at=at,
            )
        told = [f.imei for f in found if f.held_until is not None and f.reach not in wanted]
        counted["told"] = let_go(told, "told", actor=actor, at=at)
    return counted


def _until(found: Reached, today: date, terms: NoticeTerms) -> date:
    return max(found.block_on, today) + terms.hold_days * _TONIGHT


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
