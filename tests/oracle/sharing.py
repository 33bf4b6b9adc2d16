"""Rules about who uses an identity together with whom, from observations alone."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from .patterns import came_back_new, generations_apart
from .rules import WINDOW, Moment, Parameters, Question, Rule, months_before
from .world import Equipment, is_valid_imsi


def span(moment: Moment, parameters: Parameters) -> tuple[date, date]:
    """First day of the window, and the day after its last."""
    moment.window(parameters)  # exactly one of days and months
    if parameters.get("window_days") is not None:
        return moment.end - timedelta(days=parameters["window_days"]), moment.end
    return months_before(moment.end, parameters["window_months"]), moment.end


class Users:
    """Who used a piece of equipment on which days of a window, if two or more valid IMSIs did."""

    def __init__(self, moment: Moment, parameters: Parameters) -> None:
        self.window = moment.window(parameters)
        self.calendar = moment.world.calendar
        self._uids_of = moment.world.uids_of_imsi

    def imsis(self, equipment: Equipment) -> dict[str, set[date]]:
        """Days of each valid IMSI; none at all where there is only one."""
        masks: dict[str, int] = {}
        for (imsi, _, _), use in equipment.uses.items():
            if use[0] & self.window and is_valid_imsi(imsi):
                masks[imsi] = masks.get(imsi, 0) | use[0] & self.window
        if len(masks) < 2:
            return {}
        return {imsi: set(self.calendar.days(mask)) for imsi, mask in masks.items()}

    def persons(self, equipment: Equipment) -> dict[str, set[date]]:
        """Days of each registered person among them."""
        assert self._uids_of is not None
        found: dict[str, set[date]] = {}
        for imsi, days in self.imsis(equipment).items():
            for uid in self._uids_of.get(imsi, ()):
                found.setdefault(uid, set()).update(days)
        return found


def together(users: Iterable[set[date]]) -> set[date]:
    """Days on which two or more of them are."""
    seen: set[date] = set()
    twice: set[date] = set()
    for days in users:
        twice |= seen & days
        seen |= days
    return twice


def _unless_unknown(moment: Moment, *lists: str) -> bool:
    return all(getattr(moment.world, name) is not None for name in lists)


def _never_known(_: Equipment) -> None:
    return None


def too_many_persons(moment: Moment, parameters: Parameters) -> Question:
    if not _unless_unknown(moment, "uids_of_imsi"):
        return _never_known
    users = Users(moment, parameters)
    return lambda equipment: len(users.persons(equipment)) >= parameters["threshold"]


def used_by_strangers(moment: Moment, parameters: Parameters) -> Question:
    if not _unless_unknown(moment, "uids_of_imsi", "owners"):
        return _never_known
    users, owners = Users(moment, parameters), moment.world.owners or {}

    def ask(equipment: Equipment) -> bool:
        own = owners.get(equipment.imei)
        strangers = set(users.persons(equipment)) - own if own else set()
        return bool(len(strangers) >= parameters.get("threshold", 1))

    return ask


def parallel_subscribers(moment: Moment, parameters: Parameters) -> Question:
    users = Users(moment, parameters)
    return lambda e: len(together(users.imsis(e).values())) >= parameters.get("days", 10)


def steady_sharing(moment: Moment, parameters: Parameters) -> Question:
    users = Users(moment, parameters)
    start, end = span(moment, parameters)
    percent, beside = parameters.get("steady_percent", 40), parameters.get("beside_days", 5)

    def ask(equipment: Equipment) -> bool:
        steady = {
            imsi: days
            for imsi, days in users.imsis(equipment).items()
            if len(days) * 100 >= percent * (end - start).days
        }
        shared = together(steady.values())
        found = [imsi for imsi, days in steady.items() if len(days & shared) >= beside]
        return bool(len(found) >= parameters.get("threshold", 3))

    return ask


def alternating_subscribers(moment: Moment, parameters: Parameters) -> Question:
    users = Users(moment, parameters)

    def ask(equipment: Equipment) -> bool:
        days_of = users.imsis(equipment)
        shared = together(days_of.values())
        alone = sorted((day, imsi) for imsi, days in days_of.items() for day in days - shared)
        returns, before = 0, set()
        for (_, last), (_, imsi) in pairwise(alone):
            before.add(last)
            returns += imsi != last and imsi in before
        return bool(returns >= parameters.get("times", 6))

    return ask


def split_technology(moment: Moment, parameters: Parameters) -> Question:
    users = Users(moment, parameters)
    window = span(moment, parameters)

    def ask(equipment: Equipment) -> bool:
        days_of = {imsi: len(days) for imsi, days in users.imsis(equipment).items()}
        busy = parameters.get("busy_days", 10)
        apart = generations_apart(moment.world.calendar, equipment, days_of, window, busy)
        return apart is not None and bool(apart >= parameters.get("generations", 2))

    return ask


def resurrected(moment: Moment, parameters: Parameters) -> Question:
    if not _unless_unknown(moment, "uids_of_imsi"):
        return _never_known
    users = Users(moment, parameters)

    def ask(equipment: Equipment) -> bool:
        used = moment.world.calendar.days(equipment.days & users.window)
        days_of = [*users.imsis(equipment).values(), *users.persons(equipment).values()]
        return came_back_new(used, parameters.get("silent_days", 45), days_of)

    return ask


def used_after_scrapping(moment: Moment, parameters: Parameters) -> Question:
    scrapped, window = moment.world.scrapped, moment.window(parameters)
    if scrapped is None:
        return _never_known

    def ask(equipment: Equipment) -> bool:
        gone = scrapped.get(equipment.imei)
        if gone is None:
            return False
        days = moment.world.calendar.days(equipment.days & window)
        return bool(sum(day > gone for day in days) >= parameters.get("days", 2))

    return ask


RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "too_many_persons": (too_many_persons, ("threshold", *WINDOW)),
    "used_by_strangers": (used_by_strangers, ("threshold", *WINDOW)),
    "parallel_subscribers": (parallel_subscribers, ("days", *WINDOW)),
    "steady_sharing": (steady_sharing, ("threshold", "steady_percent", "beside_days", *WINDOW)),
    "alternating_subscribers": (alternating_subscribers, ("times", *WINDOW)),
    "split_technology": (split_technology, ("generations", "busy_days", *WINDOW)),
    "resurrected": (resurrected, ("silent_days", *WINDOW)),
    "used_after_scrapping": (used_after_scrapping, ("days", *WINDOW)),
}
