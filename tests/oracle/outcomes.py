"""From rules to conditions, from conditions to verdicts, from verdicts to the three kinds of list."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from .asking import ask_all
from .clones import Claims, line_stops
from .rules import Parameters, Plmns, Policy, exact, moment_of
from .world import UndefinedError, World, md5_of

ListKey = str | tuple[str, str]
ListRows = list[tuple[str, ...]]


class Verdict(NamedTuple):
    """One IMEI under one condition (`rule` is its label); block_on is None when it does not block."""

    imei: str
    rule: str
    first_matched_on: date
    block_on: date | None


class Pause(NamedTuple):
    """Days on which nothing is let out, from the first (None: ever) up to but not with `until` (None: "
    "still)."""

    first: date | None
    until: date | None


def released_on(
    key: str, steps: Iterable[tuple[int, object]], imei: str, due: date, pauses: Iterable[Pause] = ()
) -> date | None:
    """The day on which a block that comes step by step comes: days are walked one by one, paused ones do not
    count; None: it never comes."""
    place = int(hashlib.md5(f"{key}:{imei}".encode(), usedforsecurity=False).hexdigest()[:8], 16)
    delay = next(
        day for day, share in steps if Fraction(str(share)) == 1 or place < int(Fraction(str(share)) * 16**8)
    )
    spans = list(pauses)
    day = due
    while True:
        inside = [
            p for p in spans if (p.first is None or p.first <= day) and (p.until is None or day < p.until)
        ]
        if any(p.until is None for p in inside):
            return None
        if not inside:
            if delay == 0:
                return day
            delay -= 1
        day += timedelta(days=1)


def matches(
    world: World, policy: Policy, as_of: date, monitored_since: date | None = None
) -> dict[str, set[str]]:
    """The IMEIs every condition matches by itself on the day, past verdicts left out of account."""
    moment = moment_of(world, policy, as_of, monitored_since)
    answers: dict[str, tuple[set[str], set[str]]] = {}
    result: dict[str, set[str]] = {}
    for label, condition in policy["conditions"].items():
        if not condition["all"]:
            raise UndefinedError(f"condition {label} has no rule")
        members: list[set[str]] = []
        for item in condition["all"]:
            parameters: Parameters = {
                name: value for name, value in item.items() if name not in {"rule", "not"}
            }
            key = f"{item['rule']} {sorted(parameters.items())!r}"
            if key not in answers:
                answers[key] = ask_all(moment, item["rule"], parameters)
            yes, no = answers[key]
            members.append(no if item.get("not", False) else yes)
        result[label] = set.intersection(*members)
    return result


def over_ratio(world: World, policy: Policy, matched: dict[str, set[str]]) -> set[str]:
    """Labels of conditions matching more than max_match_ratio of seen equipment; verdicts() ignores it."""
    return {
        label
        for label, condition in policy["conditions"].items()
        if "max_match_ratio" in condition
        and Fraction(len(matched[label])) > exact(condition["max_match_ratio"]) * len(world.seen)
    }


def verdicts(
    world: World,
    policy: Policy,
    as_of: date,
    previous: Iterable[Verdict] | None = None,
    monitored_since: date | None = None,
) -> list[Verdict]:
    """The current verdicts after a run on the day that follows the run which left `previous`; sorted."""
    before = {(verdict.imei, verdict.rule): verdict for verdict in previous or ()}
    current: list[Verdict] = []
    for label, matched in matches(world, policy, as_of, monitored_since).items():
        condition = policy["conditions"][label]
        block_on = (
            as_of + timedelta(days=condition.get("grace_days", 30)) if condition.get("blocking") else None
        )
        kept = {imei for imei, rule in before if rule == label} if condition.get("sticky") else set()
        for imei in matched | kept:
            current.append(before.get((imei, label)) or Verdict(imei, label, as_of, block_on))
    return sorted(current, key=lambda verdict: (verdict.imei, verdict.rule))


def lists(
    world: World, policy: Policy, as_of: date, current: Iterable[Verdict], claims: Claims | None = None
) -> dict[ListKey, ListRows]:
    """Every list of the day, rows sorted; each configured operator has its lists, even empty ones.

    Args:
        claims: those of the run, where conditions except users from a block.
    """
    plmns, current = Plmns(policy), list(current)
    blocked, notified = _by_consequence(world, policy, as_of, current)
    counting = [v for v in current if (v.imei, v.rule) not in (world.restored or ())]
    stops = line_stops(policy, counting, claims or {}, set(blocked) | set(notified))
    result: dict[ListKey, ListRows] = {"blocked": [(imei, *blocked[imei]) for imei in sorted(blocked)]}
    notifications = _notifications(world, policy, plmns, as_of, notified, {**notified, **blocked}, stops)
    kept = {
        (imei, imsi, "")
        for (imei, imsi), day in stops.items()
        if day is None or (imei in blocked and day > as_of)
    }
    exceptions = _exceptions(world, policy, plmns, set(blocked), kept)
    for operator in sorted({operator["id"] for operator in policy["operators"]} | set(notifications)):
        result["notifications", operator] = sorted(notifications.get(operator, ()))
        result["exceptions", operator] = sorted(exceptions.get(operator, ()))
    excepted = {row[0] for rows in exceptions.values() for row in rows}
    for operator in policy["operators"]:
        if not operator.get("holds_exceptions", True):
            rows = [row for row in result["blocked"] if row[0] not in excepted]
            result["blocked_outright", operator["id"]] = rows
    return result


def _by_consequence(
    world: World, policy: Policy, as_of: date, current: Iterable[Verdict]
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """(block date, reasons) of every blocked IMEI, and of every one that is still in grace."""
    blocking: dict[str, list[tuple[date, str]]] = {}
    for verdict in current:
        if (verdict.imei, verdict.rule) in (world.restored or ()):
            continue
        condition = policy["conditions"].get(verdict.rule)
        if condition is not None and condition.get("blocking") and verdict.block_on is not None:
            comes = _comes_on(policy, verdict.imei, verdict.rule, verdict.block_on)
            blocking.setdefault(verdict.imei, []).append((comes, condition["reason"]))
    blocked: dict[str, tuple[str, str]] = {}
    notified: dict[str, tuple[str, str]] = {}
    golden = world.golden_md5 or set()
    for imei, causes in blocking.items():
        if md5_of(imei) in golden:
            continue
        first = min(block_on for block_on, _ in causes)
        entry = (f"{first:%Y%m%d}", "|".join(sorted({reason for _, reason in causes})))
        (blocked if first <= as_of else notified)[imei] = entry
    return blocked, notified


def _comes_on(policy: Policy, imei: str, label: str, due: date) -> date:
    """The day on which a block comes: when it is due, or with its step."""
    release = policy.get("release", {})
    staged = release.get("conditions", {}) if release.get("staged_by", "pipeline") == "pipeline" else {}
    if label not in staged:
        return due
    steps = [(step["day"], step["share"]) for step in staged[label]["steps"]]
    comes = released_on(release["key"], steps, imei, due)
    assert comes is not None
    return comes


def _notifications(
    world: World,
    policy: Policy,
    plmns: Plmns,
    as_of: date,
    notified: dict[str, tuple[str, str]],
    told: dict[str, tuple[str, str]],
    stops: dict[tuple[str, str], date | None],
) -> dict[str, set[tuple[str, ...]]]:
    """Who is told, of `told` equipment: where lines have days of their own (`stops`), whose is ahead."""
    end = as_of + timedelta(days=1)
    window = world.calendar.window(end - timedelta(days=policy["lists"]["look_back_days"]), end)
    paired = {(imei, imsi) for imei, imsi, _ in world.pairings or ()}
    rows: dict[str, set[tuple[str, ...]]] = {}
    apart = {imei for imei, _ in stops}
    for imei, entry in told.items():
        if imei not in notified and imei not in apart:
            continue
        equipment = world.seen.get(imei)
        if equipment is None:
            continue
        for (imsi, msisdn, reporter), use in equipment.uses.items():
            if imsi and msisdn and use[0] & window and (imei, imsi) not in paired:
                day = entry[0]
                if imei in apart:
                    stop = stops[imei, imsi]
                    if stop is None or stop <= as_of:
                        continue
                    day = f"{stop:%Y%m%d}"
                receiver = plmns.operator_of(imsi) or reporter
                rows.setdefault(receiver, set()).add((imei, imsi, msisdn, day, entry[1]))
    return rows


def _exceptions(
    world: World, policy: Policy, plmns: Plmns, blocked: set[str], kept: set[tuple[str, str, str]]
) -> dict[str, set[tuple[str, ...]]]:
    options = policy["lists"]
    barred, barred_tacs = world.barred or set(), world.barred_tacs or set()
    everyone = [operator["id"] for operator in policy["operators"]]
    rows: dict[str, set[tuple[str, ...]]] = {}
    pairings = world.pairings or set()
    bound = {(imei, imsi) for imei, imsi, _ in pairings}
    for imei, imsi, msisdn in pairings | {k for k in kept if k[:2] not in bound}:
        if not options.get("include_barred_in_exceptions") and (
            imei in barred or imei[:8] in barred_tacs or world.in_barred_range(imei)
        ):
            continue
        if options.get("restrict_exceptions_to_blocked") and imei not in blocked:
            continue
        home = plmns.operator_of(imsi)
        for receiver in [home] if home is not None else everyone:
            rows.setdefault(receiver, set()).add((imei, imsi, msisdn))
    return rows
