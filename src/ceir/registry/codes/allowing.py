"""How many codes a number receives and an actor asks for; how many wrong ones are taken."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from ceir.errors import CeirError
from ceir.identifiers import Msisdn
from ceir.registry.actors import Actor
from ceir.registry.codes.models import Allowance
from ceir.registry.personal.fields import keys

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class TooManyCodesError(CeirError):
    """Too many codes were asked for, or too many wrong ones given."""

    code: ClassVar[str] = "too_many_codes"


@dataclass(frozen=True)
class Limits:
    """What a country allows.

    Args:
        digits: of a code, 4 to 12.
        tries: wrong ones before it stops counting.
        given_within: how long a code can be given.
        used_within: how long what it proved counts.
        wait: between two codes to one number.
        number_hour, number_day: codes to one number.
        actor_day: codes asked for by one actor; whoever serves many people at a counter needs many.
        wrong_day: wrong codes by one actor. A number has no such limit of its own: its codes are few, each
            has few tries, and nobody must be able to lock a stranger out by guessing.
    """

    digits: int = 6
    tries: int = 5
    given_within: timedelta = timedelta(minutes=10)
    used_within: timedelta = timedelta(minutes=30)
    wait: timedelta = timedelta(seconds=30)
    number_hour: int = 3
    number_day: int = 8
    actor_day: int = 300
    wrong_day: int = 100

    def __post_init__(self) -> None:
        if not 4 <= self.digits <= 12 or self.tries < 1:
            raise ValueError("a code has 4 to 12 digits, and one try at least")


def allow_sending(number: Msisdn, actor: Actor, at: datetime, limits: Limits) -> None:
    """Count one more code, or refuse it.

    Raises:
        TooManyCodesError: with what to wait for.
    """
    of_number, of_actor = _locked((_number_holder(number), actor.id), at)
    last = of_number.last_sent_at
    if last is not None and timedelta(0) <= at - last < limits.wait:
        raise TooManyCodesError(
            "A code was sent a moment ago.", f"Wait {int(limits.wait.total_seconds())} seconds for it."
        )
    if of_number.sent_this_hour >= limits.number_hour:
        raise TooManyCodesError(
            f"{limits.number_hour} codes were sent to this number within an hour.", "Wait an hour."
        )
    if of_number.sent_today >= limits.number_day or of_actor.sent_today >= limits.actor_day:
        raise TooManyCodesError("Too many codes were asked for today.", "Try again tomorrow.")
    for allowance in (of_number, of_actor):
        allowance.sent_this_hour += 1
        allowance.sent_today += 1
        allowance.last_sent_at = at
        allowance.save()


def allow_trying(actor: Actor, at: datetime, limits: Limits) -> None:
    """Let one more code be given, or refuse to look at it.

    Raises:
        TooManyCodesError: too many wrong ones today.
    """
    (of_actor,) = _locked((actor.id,), at)
    if of_actor.wrong_today >= limits.wrong_day:
        raise TooManyCodesError("Too many wrong codes were given today.", "Try again tomorrow.")


def note_wrong(actor: Actor, at: datetime) -> None:
    """Count one more wrong code."""
    (of_actor,) = _locked((actor.id,), at)
    of_actor.wrong_today += 1
    of_actor.save()


def _number_holder(number: Msisdn) -> str:
    return f"number:{keys().keyed('msisdn', number.digits).hex()}"


def _locked(holders: Iterable[str], at: datetime) -> list[Allowance]:
    """The counts of these holders, locked in one order everywhere; begun anew where their time is over."""
    wanted = tuple(holders)
    found: dict[str, Allowance] = {}
    for holder in sorted(wanted):
        Allowance.objects.get_or_create(holder=holder, defaults={"hour_began": at, "day_began": at})
        allowance = Allowance.objects.select_for_update().get(holder=holder)
        if at - allowance.hour_began >= _HOUR:
            allowance.hour_began, allowance.sent_this_hour = at, 0
        if at - allowance.day_began >= _DAY:
            allowance.day_began, allowance.sent_today, allowance.wrong_today = at, 0, 0
        found[holder] = allowance
    return [found[holder] for holder in wanted]
