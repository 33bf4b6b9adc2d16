"""What the independent recomputation expects registers to publish, over a sequence of runs."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from building import ListName, Register, VerdictRow
from oracle import Inputs, Verdict, World, lists, load, verdicts
from oracle.clones import Claims
from oracle.world import is_well_formed, md5_of

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Undone:
    """A file that is undone before a run.

    Args:
        equipment: normalised identities that it spoke of.
        since: day of the first run that saw it.
    """

    equipment: frozenset[str]
    since: date


@dataclass(frozen=True)
class Stage:
    """The files in force at a run.

    Args:
        continues: the stage whose verdicts it continues: that of the last earlier day.
        same_observations: nothing came or went beside lists since the stage before.
    """

    as_of: date
    observations: tuple[tuple[str, Path], ...]
    sources: Mapping[str, Path]
    continues: int | None
    undone: Undone | None = None
    same_observations: bool = False


@dataclass(frozen=True)
class Expected:
    """What a policy leads to at a stage."""

    verdicts: list[Verdict]
    lists: dict[ListName, Rows]


def recompute(
    stages: list[Stage], policies: dict[str, Path], monitored_since: date
) -> list[dict[str, Expected]]:
    """Every stage under every policy; may run in a process of its own, beside the registers."""
    done: list[dict[str, Expected]] = []
    world = World()
    for number, stage in enumerate(stages):
        world = _world(stage, stages[number - 1] if number else None, world)
        found = {}
        for name, policy in policies.items():
            rules = rules_of(policy)
            before = done[stage.continues][name].verdicts if stage.continues is not None else []
            if stage.undone is not None:
                before = without_undone(before, stage.undone)
            held = verdicts(world, rules, stage.as_of, before, monitored_since)
            found[name] = Expected(held, published_lists(world, rules, stage.as_of, held))
        done.append(found)
    return done


def _world(stage: Stage, last: Stage | None, world: World) -> World:
    """What the files say; where only lists changed, the world before with the new entries."""
    if last is None or not stage.same_observations:
        sources: dict[str, str | Path | None] = dict(stage.sources)
        return load(Inputs(list(stage.observations), sources.pop("tac"), sources))
    changed = [source for source, path in stage.sources.items() if path != last.sources[source]]
    assert changed == ["stolen"]
    return replace(world, stolen=load(Inputs([], None, {"stolen": stage.sources["stolen"]})).stolen)


def rules_of(policy: Path) -> dict[str, Any]:
    """A policy as plain values."""
    file = policy / "policy.toml" if policy.is_dir() else policy
    return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


def without_undone(held: Iterable[Verdict], undone: Undone) -> list[Verdict]:
    """History without what rested on a file that was undone."""
    return [v for v in held if v.imei not in undone.equipment or v.first_matched_on < undone.since]


def published_lists(
    world: World,
    rules: dict[str, Any],
    as_of: date,
    current: Iterable[Verdict],
    claims: Claims | None = None,
) -> dict[ListName, Rows]:
    """Every list of the policy, rows sorted."""
    current = list(current)
    result: dict[ListName, Rows] = dict(lists(world, rules, as_of, current, claims))
    blocked = {row[0] for row in result["blocked"]}
    golden = world.golden_md5 or set()
    counting = [v for v in current if (v.imei, v.rule) not in (world.restored or ())]
    spared = {v.imei for v in counting if v.block_on is not None and md5_of(v.imei) in golden}
    conditions = rules["conditions"]
    watched = (
        {v.imei for v in counting if v.block_on is not None or conditions[v.rule].get("tracked")}
        - blocked
        - spared
    )
    result["tracked"] = _tracked(rules, [v for v in current if v.imei in watched])
    if rules.get("mode") == "restrictive":
        result["permitted"] = [(imei,) for imei in sorted(_permitted(world, rules) - blocked)]
    return result


def assert_agrees(register: Register, expected: Expected, run: int) -> None:
    """A run's verdicts and all its lists are the expected ones."""
    found = register.workspace.catalogue().run(run)
    assert found is not None
    assert_equal(f"run {run}, verdicts", register.verdicts(run), [VerdictRow(*v) for v in expected.verdicts])
    assert set(expected.lists) == set(register.list_names())
    for name, rows in expected.lists.items():
        assert_equal(f"run {run}, list {name}", register.rows(name, publication=found.publications[0]), rows)


def assert_equal(what: str, found: list[Any], wanted: list[Any]) -> None:
    """Equal, or told which rows are too many or missing."""
    if found != wanted:
        more, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
        raise AssertionError(
            f"{what}: {len(found)} rows found, {len(wanted)} wanted; {len(more)} too many, first "
            f"{more[:3]}; {len(missing)} missing, first {missing[:3]}"
        )


def _permitted(world: World, rules: dict[str, Any]) -> set[str]:
    """Registered equipment, and seen equipment that is golden or of an exempt kind."""
    golden, models = world.golden_md5 or set(), world.models or {}
    exempt = {
        tac for tac, model in models.items() if model.device_type in rules.get("exempt_device_types", ())
    }
    seen = {imei for imei in world.seen if imei[:8] in exempt and is_well_formed(imei)}
    return (world.registered or set()) | seen | {imei for imei in world.seen if md5_of(imei) in golden}


def _tracked(rules: dict[str, Any], current: list[Verdict]) -> Rows:
    """A row for each piece of equipment: since when and why, by all that is in force, on trial or restored
    too."""
    of: dict[str, list[Verdict]] = {}
    for verdict in current:
        of.setdefault(verdict.imei, []).append(verdict)
    return [
        (
            imei,
            f"{min(v.first_matched_on for v in held):%Y%m%d}",
            "|".join(sorted({rules["conditions"][v.rule]["reason"] for v in held})),
        )
        for imei, held in sorted(of.items())
    ]
