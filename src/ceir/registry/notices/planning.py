"""Which notices are due: one for each subscriber, device, block date and day before it, and never again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.drawing import Draw
from ceir.registry.notices.models import Event, NoticeState, Rank
from ceir.registry.notices.terms import NoticeTerms
from ceir.registry.runs import loading
from ceir.registry.runs.models import Head

_SAME = ("imei", "imsi_key", "msisdn_key", "block_on")

# Whoever a run names; and of a device whose block is held back whoever was named until it was blocked.
_TO_TELL = (
    "(SELECT id, imei, imsi_key, msisdn_key, block_on FROM runs_contact "
    "WHERE ended_run IS NULL AND imsi_key IS NOT NULL AND msisdn_key IS NOT NULL "
    "UNION ALL SELECT l.id, l.imei, l.imsi_key, l.msisdn_key, h.until FROM runs_contact AS l "
    "JOIN releases_hold AS h ON h.imei = l.imei AND h.ended_at IS NULL "
    "JOIN runs_decision AS d ON d.imei = l.imei AND d.outcome = 'blocked' "
    "WHERE l.ended_run >= d.outcome_run_id AND l.imsi_key IS NOT NULL AND l.msisdn_key IS NOT NULL)"
)

EXEMPT = (
    "EXISTS (SELECT 1 FROM devices_identifier AS x JOIN registrations_registration AS r "
    "ON r.device_id = x.device_id WHERE x.imei = {0}.imei AND x.kind = 'imei' AND x.ended_at IS NULL "
    "AND r.state = 'in_force' AND r.sms_exempt)"
)
"""Whether nobody reads messages on a device, as whoever registered it said: a meter, a fleet of trucks."""

CODE_DIGITS = 8
"""Digits alone: they are dialled. It is asked for together with the number it was sent to."""


def plan_notices(terms: NoticeTerms, *, draw: Draw, actor: Actor, at: datetime) -> int:
    """Make the notices that are due today; asked again it makes none. Returns: how many are new.

    Somebody who comes to be known late is told at once, with the nearest of the days that have passed.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_SEND)
    today = terms.quiet.today(at)
    with transaction.atomic():
        # No run and no other plan comes in between.
        Head.objects.get_or_create(pk=1)
        Head.objects.select_for_update().get(pk=1)
        made = _again(today.isoformat(), at)
        steps = sorted(terms.days)
        for place, days in enumerate(steps):
            after = today + timedelta(days=steps[place - 1] if place else 0)
            until = today + timedelta(days=days)
            made += _make(list(_due(days, after.isoformat(), until.isoformat())), draw, at)
        if made:
            record(actor, "notice.planned", f"day:{today.isoformat()}", at=at, detail={"notices": made})
    return made


def _again(today: str, at: datetime) -> int:
    """Notices that were withdrawn unsent, because somebody was no longer seen, and who is seen again."""
    same = " AND ".join(f"{{0}}.{name} = notices_notice.{name}" for name in _SAME)
    return loading.execute(
        "UPDATE notices_notice SET state = %s, next_at = %s, settled_at = NULL, detail = '' "
        "WHERE state = %s AND event = %s AND tries = 0 "
        f"AND block_on > %s AND EXISTS (SELECT 1 FROM {_TO_TELL} AS c WHERE {same.format('c')}) "
        "AND NOT EXISTS (SELECT 1 FROM notices_notice AS n "
        f"WHERE {same.format('n')} AND n.days < notices_notice.days)",
        (NoticeState.WAITING.value, at, NoticeState.WITHDRAWN.value, Event.BLOCK.value, today),
    )


def _due(days: int, after: str, until: str) -> Iterator[tuple[Any, ...]]:
    """Contacts to be told that a block is this near, with a code that they were given before.

    Of several operators that saw somebody the first by name tells.
    """
    return loading.stream(
        "SELECT MIN(c.id), c.imei, c.imsi_key, c.msisdn_key, c.block_on, %s, "
        "(SELECT MIN(o.code) FROM notices_notice AS o WHERE o.imei = c.imei AND o.imsi_key = c.imsi_key "
        "AND o.msisdn_key = c.msisdn_key) "
        f"FROM {_TO_TELL} AS c WHERE c.block_on > %s AND c.block_on <= %s AND NOT {EXEMPT.format('c')} "
        "AND NOT EXISTS (SELECT 1 FROM notices_notice AS n WHERE n.imei = c.imei AND n.imsi_key = c.imsi_key "
        "AND n.msisdn_key = c.msisdn_key AND n.block_on = c.block_on AND n.days <= %s) "
        "GROUP BY c.imei, c.imsi_key, c.msisdn_key, c.block_on",
        (days, after, until, days),
    )


def _make(due: list[tuple[Any, ...]], draw: Draw, at: datetime) -> int:
    columns = (
        "event", "rank", "about", "nth", "contact_id", "imei", "imsi_key", "msisdn_key", "block_on", "days",
        "code", "state", "made_at", "next_at", "tries", "language", "detail",
    )  # fmt: skip
    moment = loading.adapted(at)
    return loading.load(
        "notices_notice",
        columns,
        (
            (
                Event.BLOCK.value,
                Rank.BLOCK.value,
                "",
                1,
                *row,
                code or draw.digits(CODE_DIGITS),
                NoticeState.WAITING.value,
                moment,
                moment,
                0,
                "",
                "",
            )
            for *row, code in due
        ),
    )
