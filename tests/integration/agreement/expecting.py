"""What the independent recomputation expects a register to publish."""

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from building import ListName, Register, VerdictRow
from oracle import Verdict, World, lists
from oracle.world import is_well_formed, md5_of

Rows = list[tuple[str, ...]]


def rules_of(policy: Path) -> dict[str, Any]:
    """A policy as plain values."""
    file = policy / "policy.toml" if policy.is_dir() else policy
    return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


def published_lists(
    world: World, rules: dict[str, Any], as_of: date, current: Iterable[Verdict]
) -> dict[ListName, Rows]:
    """Every list of the policy, rows sorted."""
    current = list(current)
    result: dict[ListName, Rows] = dict(lists(world, rules, as_of, current))
    blocked = {row[0] for row in result["blocked"]}
    spared = _spared(world, current)
    result["tracked"] = _tracked(rules, current, blocked | spared)
    if rules.get("mode") == "restrictive":
        result["permitted"] = [(imei,) for imei in sorted(_permitted(world, rules) - blocked)]
    return result


def without_undone(verdicts: Iterable[Verdict], equipment: set[str], since: date) -> list[Verdict]:
    """History without what rested on a file that was undone.

    Args:
        equipment: what the file spoke of.
        since: day of the first run that saw it.
    """
    return [v for v in verdicts if v.imei not in equipment or v.first_matched_on < since]


def assert_agrees(
    register: Register, world: World, rules: dict[str, Any], as_of: date, current: list[Verdict]
) -> None:
    """The newest run's verdicts and all its lists are the expected ones."""
    found = register.verdicts()
    assert_equal("verdicts", found, [VerdictRow(*verdict) for verdict in current])
    wanted = published_lists(world, rules, as_of, current)
    assert set(wanted) == set(register.list_names())
    for name, rows in wanted.items():
        assert_equal(f"list {name}", register.rows(name), rows)


def assert_equal(what: str, found: list[Any], wanted: list[Any]) -> None:
    """Equal, or told which rows are too many or missing."""
    if found != wanted:
        more, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
        raise AssertionError(
            f"{what}: {len(found)} rows found, {len(wanted)} wanted; {len(more)} too many, first "
            f"{more[:3]}; {len(missing)} missing, first {missing[:3]}"
        )


def _spared(world: World, current: list[Verdict]) -> set[str]:
    """Golden equipment that a blocking condition matches."""
    golden = world.golden_md5 or set()
    return {v.imei for v in current if v.block_on is not None and md5_of(v.imei) in golden}


def _permitted(world: World, rules: dict[str, Any]) -> set[str]:
    """Registered equipment, and seen equipment that is golden or of an exempt kind."""
    golden, models = world.golden_md5 or set(), world.models or {}
    exempt = {tac for tac, model in models.items() if model.device_type in rules["exempt_device_types"]}
    seen = {imei for imei in world.seen if imei[:8] in exempt and is_well_formed(imei)}
    return (world.registered or set()) | seen | {imei for imei in world.seen if md5_of(imei) in golden}


def _tracked(rules: dict[str, Any], current: list[Verdict], apart: set[str]) -> Rows:
    """Equipment that is not `apart` and that a condition will block or only tracks."""
    of: dict[str, list[Verdict]] = {}
    for verdict in current:
        of.setdefault(verdict.imei, []).append(verdict)
    conditions = rules["conditions"]
    return [
        (
            imei,
            f"{min(v.first_matched_on for v in held):%Y%m%d}",
            "|".join(sorted({conditions[v.rule]["reason"] for v in held})),
        )
        for imei, held in sorted(of.items())
        if imei not in apart
        and any(v.block_on is not None or conditions[v.rule].get("tracked") for v in held)
    ]
