"""Every rule as a question to one piece of equipment: True, False, or None when a fact it needs is unknown.

A rule is a function of the moment and its parameters that returns the question, so that windows and prefix
tables are worked out once and not once per equipment.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .clones import answer_of
from .world import (
    NON_CELLULAR,
    Equipment,
    UndefinedError,
    World,
    is_valid_imsi,
    is_valid_msisdn,
    is_well_formed,
)

Policy = dict[str, Any]
Parameters = dict[str, Any]
Question = Callable[[Equipment], bool | None]
Rule = Callable[["Moment", Parameters], Question]

_LONG_AGO = timedelta(days=100_000)


class Plmns:
    """The policy's own networks: whose an IMSI is, and which MCCs are home."""

    def __init__(self, policy: Policy) -> None:
        self._operator_of: dict[str, str] = {}
        for operator in policy.get("operators", []):
            for plmn in operator["plmns"]:
                prefix = plmn.replace("-", "")
                if self._operator_of.setdefault(prefix, operator["id"]) != operator["id"]:
                    raise UndefinedError(f"PLMN {plmn} belongs to two operators")
        prefixes = self._operator_of
        if any(a != b and b.startswith(a) for a in prefixes for b in prefixes):
            raise UndefinedError("one configured PLMN is a prefix of another")
        self._lengths = sorted({len(prefix) for prefix in prefixes})
        self.home_mccs = {prefix[:3] for prefix in prefixes}

    def operator_of(self, imsi: str) -> str | None:
        for length in self._lengths:
            operator = self._operator_of.get(imsi[:length])
            if operator is not None:
                return operator
        return None


@dataclass(frozen=True)
class Moment:
    """What a rule is asked against."""

    world: World
    policy: Policy
    plmns: Plmns
    as_of: date
    monitored_since: date

    @property
    def end(self) -> date:
        return self.as_of + timedelta(days=1)

    def last_days(self, days: int) -> int:
        """The day mask of the window of so many days up to and including as_of."""
        if days < 1:
            raise UndefinedError(f"a window of {days} days")
        return self.world.calendar.window(self.end - timedelta(days=days), self.end)

    def window(self, parameters: Parameters) -> int:
        """The day mask of window_days or window_months, whichever is given."""
        days, months = parameters.get("window_days"), parameters.get("window_months")
        if (days is None) == (months is None):
            raise UndefinedError("exactly one of window_days and window_months is needed")
        if days is not None:
            return self.last_days(days)
        return self.world.calendar.window(months_before(self.end, parameters["window_months"]), self.end)


def moment_of(world: World, policy: Policy, as_of: date, monitored_since: date | None) -> Moment:
    return Moment(world, policy, Plmns(policy), as_of, monitored_since or as_of - _LONG_AGO)


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier, clipped to that month's length."""
    if months < 1:
        raise UndefinedError(f"a window of {months} months")
    year, month0 = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def exact(number: Any) -> Fraction:
    """A threshold without rounding: what the policy's author wrote, also when it was parsed as a float."""
    return Fraction(str(number)) if isinstance(number, float | Decimal) else Fraction(number)


def _identities(parameters: Parameters) -> tuple[int, Callable[[str], bool]]:
    identity = parameters.get("identity", "imsi")
    if identity == "imsi":
        return 0, is_valid_imsi
    if identity == "msisdn":
        return 1, is_valid_msisdn
    raise UndefinedError(f"identity {identity!r}")


def _days_by_number(
    equipment: Equipment, window: int, at: int, valid: Callable[[str], bool]
) -> dict[str, int]:
    """Non-empty day mask within the window of each valid IMSI (at 0) or MSISDN (at 1), over all operators."""
    days: dict[str, int] = {}
    for numbers, use in equipment.uses.items():
        mask = use[0] & window
        if mask and valid(numbers[at]):
            days[numbers[at]] = days.get(numbers[at], 0) | mask
    return days


def _exceeds_daily(days_of: dict[str, int], threshold: Fraction, min_seen_days: int) -> bool:
    """S >= threshold * n over n days with any of them, n being at least min_seen_days."""
    if min_seen_days < 1:
        raise UndefinedError(f"min_seen_days {min_seen_days}")
    all_days = 0
    person_days = 0
    for mask in days_of.values():
        all_days |= mask
        person_days += mask.bit_count()
    n = all_days.bit_count()
    return n >= min_seen_days and person_days >= threshold * n


def _never_known(_: Equipment) -> None:
    return None


def imei_malformed(_moment: Moment, _parameters: Parameters) -> Question:
    return lambda equipment: not is_well_formed(equipment.imei)


def imei_placeholder(_moment: Moment, _parameters: Parameters) -> Question:
    def ask(equipment: Equipment) -> bool:
        if not is_well_formed(equipment.imei):
            return False
        digits = [int(digit) for digit in equipment.imei]
        steps = {(after - before) % 10 for before, after in pairwise(digits)}
        return steps in ({0}, {1}, {9})

    return ask


def is_test_tac(_moment: Moment, _parameters: Parameters) -> Question:
    prefixes = (*(f"0010{laboratory:02}" for laboratory in range(1, 18)), "0044", "0086", "0091")

    def ask(equipment: Equipment) -> bool:
        tac = equipment.tac
        return len(tac) == 8 and tac.isdigit() and tac.startswith(prefixes)

    return ask


def tac_not_allocated(moment: Moment, parameters: Parameters) -> Question:
    models, calendar, end = moment.world.models, moment.world.calendar, moment.end
    if models is None:
        return _never_known
    delays = {} if parameters.get("ignore_delays", False) else moment.policy.get("reporting_body_delays", {})

    def ask(equipment: Equipment) -> bool:
        if equipment.tac in models:
            return False
        delay = timedelta(days=delays.get(equipment.imei[:2], 0))
        return calendar.first(equipment.days) + delay < end

    return ask


def _on_list(members: Callable[[World], set[str] | None], key: Callable[[Equipment], str]) -> "Rule":
    """A rule that is nothing but membership of a list; an absent list tells nothing."""

    def build(moment: Moment, _parameters: Parameters) -> Question:
        found = members(moment.world)
        return _never_known if found is None else lambda equipment: key(equipment) in found

    return build


def imei_range_barred(moment: Moment, _parameters: Parameters) -> Question:
    world = moment.world
    return _never_known if world.barred_ranges is None else lambda e: world.in_barred_range(e.imei)


def not_type_approved(moment: Moment, _parameters: Parameters) -> Question:
    models, approvals, day = moment.world.models, moment.world.approvals, moment.as_of
    if models is None or approvals is None:
        return _never_known
    approved = {tac for tac, rows in approvals.items() if any(row.in_force(day) for row in rows)}
    return lambda equipment: equipment.tac in models and equipment.tac not in approved


def _unless_exempt(moment: Moment, members: set[str] | None) -> Question:
    """Missing from a list of persons' or importers' duties, from which some device types are exempt."""
    types = set(moment.policy.get("exempt_device_types", []))
    models = moment.world.models
    if members is None or (types and models is None):
        return _never_known
    exempt = {tac for tac, model in (models or {}).items() if model.device_type in types}
    return lambda equipment: equipment.imei not in members and equipment.tac not in exempt


def not_registered(moment: Moment, _parameters: Parameters) -> Question:
    return _unless_exempt(moment, moment.world.registered)


def not_associated(moment: Moment, _parameters: Parameters) -> Question:
    return _unless_exempt(moment, moment.world.associated)


def rat_exceeds_capability(moment: Moment, _parameters: Parameters) -> Question:
    capabilities = moment.world.capabilities
    if capabilities is None:
        return _never_known

    def ask(equipment: Equipment) -> bool | None:
        capability = capabilities.get(equipment.tac)
        if capability is None:
            return None
        return bool(equipment.generations & ~NON_CELLULAR & ~capability)

    return ask


def too_many_imsis(moment: Moment, parameters: Parameters) -> Question:
    window, threshold = moment.window(parameters), exact(parameters["threshold"])
    at, valid = _identities(parameters)
    return lambda equipment: len(_days_by_number(equipment, window, at, valid)) >= threshold


def too_many_imsis_daily(moment: Moment, parameters: Parameters) -> Question:
    window, threshold = moment.window(parameters), exact(parameters["threshold"])
    at, valid = _identities(parameters)
    least = parameters.get("min_seen_days", 1)
    return lambda equipment: _exceeds_daily(_days_by_number(equipment, window, at, valid), threshold, least)


def too_many_persons_daily(moment: Moment, parameters: Parameters) -> Question:
    window, threshold = moment.window(parameters), exact(parameters["threshold"])
    least = parameters.get("min_seen_days", 1)
    uids_of_imsi = moment.world.uids_of_imsi
    if uids_of_imsi is None:
        return _never_known

    def ask(equipment: Equipment) -> bool:
        days_of_uid: dict[str, int] = {}
        for imsi, mask in _days_by_number(equipment, window, 0, is_valid_imsi).items():
            for uid in uids_of_imsi.get(imsi, ()):
                days_of_uid[uid] = days_of_uid.get(uid, 0) | mask
        return _exceeds_daily(days_of_uid, threshold, least)

    return ask


def imsi_unregistered(moment: Moment, parameters: Parameters) -> Question:
    window, plmns = moment.last_days(parameters["window_days"]), moment.plmns
    uids_of_imsi = moment.world.uids_of_imsi
    if uids_of_imsi is None:
        return _never_known
    return lambda equipment: any(
        imsi not in uids_of_imsi and plmns.operator_of(imsi) is not None
        for imsi in _days_by_number(equipment, window, 0, is_valid_imsi)
    )


def transient_numbers(moment: Moment, parameters: Parameters) -> Question:
    period, least = parameters["period_days"], parameters.get("numbers", 3)
    window = moment.last_days(period)

    def ask(equipment: Equipment) -> bool:
        days_of = _days_by_number(equipment, window, 1, is_valid_msisdn)
        if sum(mask.bit_count() for mask in days_of.values()) // period < least or len(days_of) < 3:
            return False
        numbers = sorted(int(msisdn) for msisdn in days_of)
        steps = {after - before for before, after in pairwise(numbers)}
        operators = {operator for (_, _, operator), use in equipment.uses.items() if use[0] & window}
        return len(steps) == 1 and len(operators) == 1

    return ask


def _used_by(belongs: Callable[[Plmns, str], bool]) -> "Rule":
    """A rule that asks whether any valid IMSI of the look-back window belongs to a kind of network."""

    def build(moment: Moment, parameters: Parameters) -> Question:
        window, plmns = moment.last_days(parameters["look_back_days"]), moment.plmns
        return lambda equipment: any(
            belongs(plmns, imsi) for imsi in _days_by_number(equipment, window, 0, is_valid_imsi)
        )

    return build


def _is_home(plmns: Plmns, imsi: str) -> bool:
    return plmns.operator_of(imsi) is not None


def _is_national(plmns: Plmns, imsi: str) -> bool:
    return imsi[:3] in plmns.home_mccs and plmns.operator_of(imsi) is None


def _is_international(plmns: Plmns, imsi: str) -> bool:
    return imsi[:3] not in plmns.home_mccs


def monitored(moment: Moment, parameters: Parameters) -> Question:
    members, days = moment.world.monitored, parameters.get("days", 0)
    if members is None:
        return _never_known
    long_enough = (moment.as_of - moment.monitored_since).days >= days
    return lambda equipment: long_enough and equipment.imei in members


def seen_before_release(moment: Moment, _parameters: Parameters) -> Question:
    releases, calendar = moment.world.releases, moment.world.calendar
    if releases is None:
        return _never_known

    def ask(equipment: Equipment) -> bool:
        rows = releases.get(equipment.imei)
        if rows is None:
            return False
        first_seen = calendar.first(equipment.days)
        return any(released is None or first_seen < released for released in rows)

    return ask


def _scored(answer: str) -> "Rule":
    """A rule that asks whether the score of the identity has this answer."""

    def build(moment: Moment, parameters: Parameters) -> Question:
        return lambda equipment: answer_of(moment.world, equipment, moment.end, parameters) == answer

    return build


_SCALE = ("weights", "clone_at", "clear_at", "least_signals", "window_days")
WINDOW = ("window_days", "window_months")

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "imei_malformed": (imei_malformed, ()),
    "imei_placeholder": (imei_placeholder, ()),
    "test_tac": (is_test_tac, ()),
    "tac_not_allocated": (tac_not_allocated, ("ignore_delays",)),
    "imei_barred": (_on_list(lambda world: world.barred, lambda equipment: equipment.imei), ()),
    "tac_barred": (_on_list(lambda world: world.barred_tacs, lambda equipment: equipment.tac), ()),
    "imei_range_barred": (imei_range_barred, ()),
    "not_type_approved": (not_type_approved, ()),
    "stolen_local": (_on_list(lambda world: world.stolen, lambda equipment: equipment.imei), ()),
    "stolen_foreign": (_on_list(lambda world: world.stolen_foreign, lambda equipment: equipment.imei), ()),
    "not_registered": (not_registered, ()),
    "not_associated": (not_associated, ()),
    "rat_exceeds_capability": (rat_exceeds_capability, ()),
    "too_many_imsis": (too_many_imsis, ("threshold", "identity", *WINDOW)),
    "too_many_imsis_daily": (too_many_imsis_daily, ("threshold", "identity", "min_seen_days", *WINDOW)),
    "too_many_persons_daily": (too_many_persons_daily, ("threshold", "min_seen_days", *WINDOW)),
    "imsi_unregistered": (imsi_unregistered, ("window_days",)),
    "transient_numbers": (transient_numbers, ("period_days", "numbers")),
    "used_by_home_subscriber": (_used_by(_is_home), ("look_back_days",)),
    "used_by_national_roamer": (_used_by(_is_national), ("look_back_days",)),
    "used_by_international_roamer": (_used_by(_is_international), ("look_back_days",)),
    "monitored": (monitored, ("days",)),
    "seen_before_release": (seen_before_release, ()),
    "cloned": (_scored("clone"), _SCALE),
    "perhaps_cloned": (_scored("undecided"), _SCALE),
}
