"""Holding devices back from releases for some days, because of their block nobody could be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.releases.models import Hold

_AT_A_TIME = 500

HELD = "EXISTS (SELECT 1 FROM releases_hold AS h WHERE h.imei = {0}.imei AND h.ended_at IS NULL)"
"""Whether a device is held back."""


@dataclass(frozen=True)
class ToHold:
    """A device to hold back.

    Args:
        until: first day on which its block may come all the same.
        because: a word.
    """

    imei: int
    block_on: date
    until: date
    because: str


def hold(devices: Iterable[ToHold], *, actor: Actor, at: datetime) -> int:
    """Hold devices back, each once for a block date: how long that is cannot grow.

    Returns: how many are held that were not.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.RELEASE_CARRY_ON)
    made = 0
    waiting = iter(devices)
    with transaction.atomic():
        while some := list(islice(waiting, _AT_A_TIME)):
            known = Hold.objects.filter(imei__in=[device.imei for device in some])
            there = {(h.imei, h.block_on) for h in known} | {
                (h.imei, None) for h in known if h.ended_at is None
            }
            fresh = [d for d in some if not there & {(d.imei, d.block_on), (d.imei, None)}]
            Hold.objects.bulk_create(
                (
                    Hold(imei=d.imei, block_on=d.block_on, until=d.until, because=d.because, made_at=at)
                    for d in fresh
                ),
                ignore_conflicts=True,
            )
            made += len(fresh)
        if made:
            record(actor, "release.held", "release:holds", at=at, detail={"devices": made})
    return made


def end_holds(today: date, *, actor: Actor, at: datetime) -> int:
    """Let go what was held long enough. Returns: how many.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    return _end(Hold.objects.filter(until__lte=today).values_list("imei", flat=True), "over", actor, at)


def let_go(imeis: Iterable[int], because: str, *, actor: Actor, at: datetime) -> int:
    """End the holds of these devices. Returns: how many.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    return _end(imeis, because, actor, at)


def _end(imeis: Iterable[int], because: str, actor: Actor, at: datetime) -> int:
    require(actor, Permission.RELEASE_CARRY_ON)
    with transaction.atomic():
        ended = 0
        wanted = list(imeis)
        for place in range(0, len(wanted), _AT_A_TIME):
            ended += Hold.objects.filter(
                imei__in=wanted[place : place + _AT_A_TIME], ended_at__isnull=True
            ).update(ended_at=at, ended_because=because)
        if ended:
            record(actor, "release.let_go", "release:holds", at=at,
                   detail={"devices": ended, "because": because})  # fmt: skip
    return ended
