"""Copied identities once more in plain Python: the score, the ladder, and whose line goes on.

The weights are data of the product and read as what they are, a file. Evidence from sightings and
fingerprints is left out: no world that is scored here has any.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from .patterns import came_back_new, generations_apart, longest_silence
from .world import NON_CELLULAR, Calendar, Equipment, World, is_valid_imsi

Facts = dict[str, Fraction | None]
WEIGHTS = Path(__file__).resolve().parents[2] / "src" / "ceir" / "weights"
SCORED = {"cloned": "clone", "perhaps_cloned": "undecided"}


class Claim(NamedTuple):
    """What the ladder says of a subscriber of an identity."""

    answer: str
    score: int
    margin: int | None
    proposal: str
    since: date
    stops_on: date | None


Claims = dict[tuple[str, str], Claim]


@dataclass(frozen=True)
class Scored:
    """A score with the number of independent kinds of evidence."""

    score: int
    kinds: int


@cache
def weights_named(name: str) -> dict[str, Any]:
    return tomllib.loads((WEIGHTS / f"{name}.toml").read_text(encoding="utf-8"), parse_float=Fraction)


def answer_of(world: World, equipment: Equipment, end: date, parameters: Mapping[str, Any]) -> str:
    """clone, undecided or not a clone, under the parameters of a rule."""
    weights = weights_named(parameters.get("weights", "clones-3"))
    facts = facts_of(world, equipment, end, {**weights["parameters"], **parameters})
    if (facts["subscriber_count"] or 0) < 2:
        return "not a clone"
    found = scored(weights, facts)
    limits = {
        name: int(Fraction(str(parameters.get(name, weights["score"][name]))) * 1000)
        for name in ("clone_at", "clear_at")
    }
    if found.score >= limits["clone_at"] and found.kinds >= parameters.get("least_signals", 2):
        return "clone"
    return "undecided" if found.score >= limits["clear_at"] else "not a clone"


def scored(weights: Mapping[str, Any], facts: Facts) -> Scored:
    """The sum of what every signal adds; unknown adds nothing."""
    total, kinds = Fraction(weights["score"]["prior"]), set()
    for signal in weights["signals"]:
        value = facts.get(signal["fact"])
        if "per" in signal:
            divisor = facts.get(signal["per"])
            value = value / divisor if value is not None and divisor else None
        weight = Fraction(0)
        for step in signal["bins"]:
            if value is not None and value >= Fraction(step["from"]):
                weight = Fraction(step["weight"])
        total += weight
        if signal.get("counts", True) and weight >= Fraction(weights["score"]["speaks_from"]):
            kinds.add(signal["kind"])
    return Scored(int(total * 1000), len(kinds))


def facts_of(world: World, equipment: Equipment, end: date, parameters: Mapping[str, Any]) -> Facts:
    """The facts that the files can tell, within the window; None: unknown."""
    window_days = parameters["window_days"]
    window = world.calendar.window(end - timedelta(days=window_days), end)
    of_imsi: dict[str, int] = {}
    of_operator: dict[str, int] = {}
    for (imsi, _, operator), use in equipment.uses.items():
        if is_valid_imsi(imsi) and use[0] & window:
            of_imsi[imsi] = of_imsi.get(imsi, 0) | use[0] & window
            of_operator[operator] = of_operator.get(operator, 0) | use[0] & window
    days = [
        [who for who, mask in sorted(of_imsi.items()) if mask & bit] for bit in _bits(world.calendar, window)
    ]
    days = [users for users in days if users]
    used, first = world.calendar.days(equipment.days & window), world.calendar.first(equipment.days)
    alone = [users[0] for users in days if len(users) == 1] if len(of_imsi) > 1 else []
    steady = {
        i: m
        for i, m in of_imsi.items()
        if m.bit_count() * 100 >= parameters.get("steady_percent", 40) * window_days
    }
    facts: dict[str, int | bool | None] = {
        "subscriber_count": len(of_imsi),
        "subscriber_days": sum(len(users) for users in days),
        "active_days": len(days),
        "parallel_days": sum(len(users) > 1 for users in days),
        "alternations": sum(a != b for a, b in pairwise(alone)) - len(set(alone)) + bool(alone),
        "steady_subscribers": sum(
            (mask & _union(other for j, other in steady.items() if j != i)).bit_count() >= 5
            for i, mask in steady.items()
        ),
        "parallel_operators": max(
            [sum(bool(mask & bit) for mask in of_operator.values()) for bit in _bits(world.calendar, window)],
            default=1,
        ),
        "fleet_like": len(of_imsi) >= 5
        and sum(mask.bit_count() == 1 for mask in of_imsi.values()) * 5 >= len(of_imsi) * 4,
        "split_generations": generations_apart(
            world.calendar,
            equipment,
            {imsi: mask.bit_count() for imsi, mask in of_imsi.items()} if len(of_imsi) > 1 else {},
            (end - timedelta(days=window_days), end),
            parameters.get("busy_days", 10),
        )
        or 0,
        "longest_silence": longest_silence(used, end - timedelta(days=window_days), first)
        if len(of_imsi) > 1
        else None,
        "used_after_scrapping": _after_scrapping(world, equipment, used),
        **_of_persons(world, equipment, of_imsi, used, parameters),
        "generations_beyond_model": _beyond(world, equipment),
        "days_before_release": _before_release(world, equipment),
    }
    return {name: None if value is None else Fraction(int(value)) for name, value in facts.items()}


def _of_persons(
    world: World,
    equipment: Equipment,
    of_imsi: Mapping[str, int],
    used: list[date],
    parameters: Mapping[str, Any],
) -> dict[str, int | None]:
    if world.uids_of_imsi is None:
        return {}
    of_person: dict[str, int] = {}
    for imsi, mask in of_imsi.items():
        for uid in world.uids_of_imsi.get(imsi, ()):
            of_person[uid] = of_person.get(uid, 0) | mask
    strangers = None
    if world.owners is not None:
        owners = world.owners.get(equipment.imei, set())
        strangers = len(of_person.keys() - owners) if owners and len(of_imsi) > 1 else 0
    return {
        "person_days": sum(mask.bit_count() for mask in of_person.values()),
        "person_active_days": _union(of_person.values()).bit_count(),
        "stranger_count": strangers,
        "person_count": len(of_person) if len(of_imsi) > 1 else 0,
        "parallel_person_days": _twice(of_person.values()).bit_count() if len(of_imsi) > 1 else 0,
        "came_back_new": len(of_imsi) > 1
        and came_back_new(
            used,
            parameters.get("silent_days", 45),
            [world.calendar.days(mask) for mask in (*of_imsi.values(), *of_person.values())],
        ),
    }


def _twice(masks: Iterable[int]) -> int:
    """Days of two or more of them."""
    once = twice = 0
    for mask in masks:
        twice |= once & mask
        once |= mask
    return twice


def _after_scrapping(world: World, equipment: Equipment, used: list[date]) -> int | None:
    if world.scrapped is None:
        return None
    gone = world.scrapped.get(equipment.imei)
    return sum(day > gone for day in used) if gone is not None else 0


def _beyond(world: World, equipment: Equipment) -> int | None:
    capability = (world.capabilities or {}).get(equipment.tac)
    if capability is None:
        return None
    return (equipment.generations & ~NON_CELLULAR & ~capability).bit_count()


def _before_release(world: World, equipment: Equipment) -> int | None:
    rows = (world.releases or {}).get(equipment.imei)
    if not rows:
        return None
    first = world.calendar.first(equipment.days)
    last = max(day for day, bit in world.calendar.every_day() if bit & equipment.days)
    return max(0, ((rows[0] or last + timedelta(days=1)) - first).days)


def claims_of(
    world: World,
    policy: Mapping[str, Any],
    as_of: date,
    current: Iterable[Any],
    earlier: Iterable[Any] = (),
    before: Claims | None = None,
) -> Claims:
    """The claims after a run.

    Args:
        current: its verdicts.
        earlier: the verdicts it continued from, without what rested on undone files.
        before: the claims it continued from.
    """
    conditions = policy["conditions"]
    about = [n for n, c in conditions.items() if _score_rule(c) or c.get("exceptions", "none") != "none"]
    if not about:
        return {}
    named = [n for n in about if _score_rule(conditions[n])]
    named.sort(key=lambda n: not conditions[n].get("blocking", False))
    rule = _score_rule(conditions[named[0]]) if named else None
    weights = weights_named((rule or {}).get("weights", "clones-3"))
    parameters = {**weights["parameters"], **{k: v for k, v in (rule or {}).items() if k == "window_days"}}
    continued = {v.imei for v in earlier if v.rule in about}
    known = {key: claim for key, claim in (before or {}).items() if key[0] in continued}
    result: Claims = {}
    for imei in sorted({v.imei for v in current if v.rule in about}):
        equipment = world.seen.get(imei)
        if equipment is not None:
            held = [v for v in current if v.imei == imei]
            result |= _climb(world, policy, as_of, equipment, weights["ladder"], parameters, held, known)
    return result


def _climb(
    world: World,
    policy: Mapping[str, Any],
    as_of: date,
    equipment: Equipment,
    ladder: Mapping[str, Any],
    parameters: Mapping[str, Any],
    held: list[Any],
    known: Claims,
) -> Claims:
    """The claims on one identity."""
    calendar, end, imei = world.calendar, as_of + timedelta(days=1), equipment.imei
    past = calendar.window(date.min, end)
    window = calendar.window(end - timedelta(days=policy["lists"]["look_back_days"]), end)
    masks: dict[str, int] = {}
    for (imsi, _, _), use in equipment.uses.items():
        if imsi and use[0] & past:
            masks[imsi] = masks.get(imsi, 0) | use[0] & past
    since = {
        imsi: min([calendar.first(mask), *([known[imei, imsi].since] if (imei, imsi) in known else [])])
        for imsi, mask in masks.items()
    }
    person = {imsi: _person(world, imsi) for imsi in masks}
    lines: dict[str, list[str]] = {}
    for imsi in masks:
        lines.setdefault(person[imsi], []).append(imsi)
    present = {p: own for p, own in lines.items() if any(masks[i] & window for i in own)}
    votes = _votes(world, equipment, since, lines)
    if "home_from_before" in ladder["rungs"]:
        from . import ladder as far  # late: the rules that it reads, read this module

        votes["home_from_before"] = far.home_votes(world, policy, as_of, parameters, equipment, since, lines)
        votes["capability_of_model"], votes["capability_unlike_model"] = far.capability_votes(
            world, as_of, parameters, equipment, lines, [i for i in masks if masks[i] & window]
        )
    scores = {}
    for p, own in present.items():
        scores[p] = sum(
            int(Fraction(weight) * 1000)
            for rung, weight in ladder["rungs"].items()
            if (any if weight > 0 else all)(imsi in votes.get(rung, set()) for imsi in own)
        )
    margins, genuine = _leads(scores, ladder)
    conditions = policy["conditions"]
    blocking = [
        v for v in held if v.block_on is not None and conditions[v.rule].get("exceptions", "none") != "none"
    ]
    deciding = [v for v in blocking if conditions[v.rule]["exceptions"] == "genuine"]
    result: Claims = {}
    for p, own in present.items():
        days = {q: _union(masks[i] & window for i in present[q]) for q in (p, genuine) if q is not None}
        beside = (days[p] & days[genuine]).bit_count() if genuine is not None else 0
        answer = "undecided"
        if p == genuine:
            answer = "genuine"
        elif scores[p] < ladder["clone_below"] * 1000 and beside >= ladder["side_by_side_days"]:
            answer = "clone"
        for imsi in own:
            if not masks[imsi] & window:
                continue
            stops = None
            if answer == "clone" and deciding:
                grace = min(conditions[v.rule].get("grace_days", 30) for v in deciding)
                earlier = known.get((imei, imsi))
                stops = (earlier and earlier.stops_on) or max(
                    min(v.block_on for v in deciding), as_of + timedelta(days=grace)
                )
            proposal = {"genuine": "pair", "clone": "stop", "undecided": "keep"}[answer]
            if blocking and since[imsi] > min(v.block_on for v in blocking):
                proposal = "refuse"
            result[imei, imsi] = Claim(answer, scores[p], margins[p], proposal, since[imsi], stops)
    return result


def _leads(scores: Mapping[str, int], ladder: Mapping[str, Any]) -> tuple[dict[str, int | None], str | None]:
    """By how much each person leads everybody else, and who has enough of a lead to be the genuine one."""
    genuine = None
    margins: dict[str, int | None] = {}
    for person, score in scores.items():
        others = [other for somebody, other in scores.items() if somebody != person]
        lead = margins[person] = score - max(others) if others else None
        if score >= ladder["genuine_at"] * 1000 and (lead is None or lead >= ladder["margin"] * 1000):
            genuine = person
    return margins, genuine


def _votes(
    world: World, equipment: Equipment, since: Mapping[str, date], lines: Mapping[str, list[str]]
) -> dict[str, set[str]]:
    """For each rung the subscribers that it speaks of."""
    imei = equipment.imei
    votes: dict[str, set[str]] = {}
    if world.uids_of_imsi is not None and world.owners is not None:
        owners = world.owners.get(imei, set())
        for imsi in since:
            uids = world.uids_of_imsi.get(imsi, set())
            if len(uids) == 1 and owners:
                rung = "associated" if uids <= owners else "associated_to_another"
                votes.setdefault(rung, set()).add(imsi)
    votes["paired"] = {imsi for paired, imsi, _ in world.pairings or () if paired == imei}
    for kind, rung in (
        ("purchase", "proven_purchase"), ("device", "proven_by_device"), ("maker", "proven_by_maker"),
    ):  # fmt: skip
        votes[rung] = {imsi for proven, imsi, what in world.proofs or () if proven == imei and what == kind}
    begun = world.calendar.first(equipment.days)
    first = {p: min(since[i] for i in own) for p, own in lines.items()}
    order = sorted(first.items(), key=lambda entry: entry[1])
    at_first = [p for p, day in order if day == begun]
    if len(at_first) == 1:
        votes["first_user"] = set(lines[at_first[0]])
    if len(order) > 1 and (order[1][1] - order[0][1]).days >= 60:
        votes["long_before_others"] = set(lines[order[0][0]])
    rows = (world.releases or {}).get(imei)
    if rows:
        released = rows[0]
        votes["used_before_release"] = {i for i, day in since.items() if released is None or day < released}
        if released is not None and begun >= released and len(at_first) == 1:
            votes["first_since_release"] = set(lines[at_first[0]])
    return votes


def line_stops(
    policy: Mapping[str, Any], current: Iterable[Any], claims: Claims, counted: set[str]
) -> dict[tuple[str, str], date | None]:
    """The day each line stops, None: never; of identities in `counted` that block with exceptions.

    Args:
        current: verdicts that count: not those that an appeal restored from.
        counted: identities that are or will be blocked.
    """
    conditions = policy["conditions"]
    result: dict[tuple[str, str], date | None] = {}
    for (imei, imsi), claim in claims.items():
        held = [v for v in current if v.imei == imei and v.block_on is not None]
        spares = [conditions[v.rule].get("exceptions", "none") for v in held]
        if imei not in counted or all(kind == "none" for kind in spares):
            continue
        stops = []
        for verdict, kind in zip(held, spares, strict=True):
            if kind == "none" or claim.since > verdict.block_on:
                stops.append(verdict.block_on)
            elif kind == "genuine" and claim.stops_on is not None:
                stops.append(max(claim.stops_on, verdict.block_on))
        result[imei, imsi] = min(stops, default=None)
    return result


def _score_rule(condition: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((u for u in condition["all"] if u["rule"] in SCORED and not u.get("not", False)), None)


def _person(world: World, imsi: str) -> str:
    uids = (world.uids_of_imsi or {}).get(imsi, set())
    return f"person {next(iter(uids))}" if len(uids) == 1 else f"line {imsi}"


def _union(masks: Iterable[int]) -> int:
    mask = 0
    for one in masks:
        mask |= one
    return mask


def _bits(calendar: Calendar, window: int) -> list[int]:
    return [bit for _, bit in calendar.every_day() if bit & window]
