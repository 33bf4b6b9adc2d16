"""A country decided twice: by the register and by plain recomputation."""

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from building import Register, write_text
from ceir.policy import load_policy, shipped_policies
from ceir.rules import all_rules
from ceir.testing.country import CountryFiles, CountrySpec, write_country

from .expecting import Stage, Undone, assert_agrees, recompute

EVERY_RULE = Path(__file__).parent / "every_rule.toml"
POLICIES = {**shipped_policies(), "every-rule": EVERY_RULE}

AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 31), date(2026, 9, 25), date(2026, 10, 31)
"""Days of the runs. The second is run when the files of its whole month are there already."""

Changes = Mapping[str, str | None]
"""New rows by old row, None where one goes; rows that were not there are added."""


@dataclass
class Script:
    """What happens: first written down for both sides, then done by the registers.

    Args:
        sources: the file of each list that is in force.
        delivered: (operator, file) of the observations in force.
        deeds: what each register does before each stage.
    """

    folder: Path
    sources: dict[str, Path] = field(default_factory=dict)
    delivered: list[tuple[str, Path]] = field(default_factory=list)
    deeds: list[Callable[[Register], object]] = field(default_factory=list)
    stages: list[tuple[Stage, list[Callable[[Register], object]], str | None]] = field(default_factory=list)

    def deliver(self, source: str, path: Path, day: date) -> None:
        """A whole list comes."""
        self.deeds.append(lambda register: register.deliver(source, path, day))
        self.sources[source] = path

    def observe(self, operator: str, path: Path, day: date) -> None:
        """A month of an operator comes."""
        self.deeds.append(lambda register: register.deliver("observations", path, day, operator=operator))
        self.delivered.append((operator, path))

    def undo(self, operator: str, path: Path) -> None:
        """A month of an operator is taken back."""

        def deed(register: Register) -> None:
            (found,) = (i.id for i in register.workspace.catalogue().live if i.file == path.name)
            register.undo(found)

        self.deeds.append(deed)
        self.delivered.remove((operator, path))

    def rewrite(self, source: str, changes: Changes, day: date, *, delta: bool) -> None:
        """A list comes again with changes, or only the changes come."""
        header, *rows = self.sources[source].read_text().splitlines()
        held = set(rows)
        after = [row for row in (changes.get(row, row) for row in rows) if row is not None]
        fresh = [row for old, row in changes.items() if old not in held and row is not None]
        folder = self.folder / f"{len(self.stages)}-{source}"
        whole = write_text(folder / f"{source}.csv", [header, *after, *fresh])
        if not delta:
            self.deliver(source, whole, day)
            return
        told = [f"{row},add" for row in fresh]
        for old, row in changes.items():
            if old in held:
                told.append(f"{old},remove" if row is None else f"{row},update")
        file = write_text(folder / "changes.csv", [f"{header},change_type", *told])
        self.deeds.append(lambda register: register.deliver(source, file, day, delta=True))
        self.sources[source] = whole

    def run(
        self,
        as_of: date,
        continues: int | None,
        *,
        undone: Undone | None = None,
        same_observations: bool = False,
        mode: Literal["full", "changed"] | None = None,
    ) -> None:
        """Everybody runs."""
        sources = dict(self.sources)
        stage = Stage(as_of, tuple(self.delivered), sources, continues, undone, same_observations)
        self.stages.append((stage, self.deeds, mode))
        self.deeds = []


@pytest.fixture(scope="module", params=[30_000, pytest.param(100_000, marks=pytest.mark.long)])
def country(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    spec = CountrySpec(subscribers=request.param, months=3, last_day=OCTOBER, sightings_per_operator=0)
    return write_country(spec, tmp_path_factory.mktemp("country"))


def write_script(country: CountryFiles, folder: Path) -> Script:
    """Four runs, between which lists change and a file turns out to be wrong."""
    script = Script(folder)
    august, september, october = (country.observations[i : i + 4] for i in (0, 4, 8))
    for source, path in country.lists.items():
        script.deliver(source, path, AUGUST)
    for operator, path in august:
        script.observe(operator, path, AUGUST)
    ranges = barred_ranges(_equipment(august[0][1]))
    script.deliver(
        "barred-ranges", write_text(folder / "ranges.csv", ["first_imei,last_imei", *ranges]), AUGUST
    )
    script.run(AUGUST, None, mode="full")

    stolen = _rows(script.sources["stolen"])
    changes: dict[str, str | None] = dict.fromkeys(stolen[:200])
    changes |= {row: ",".join([*row.split(",")[:2], "recovered"]) for row in stolen[200:300]}
    seen = sorted(_equipment(august[0][1]) - {_normalised(row.split(",")[0]) for row in stolen})
    good = [imei for imei in seen if len(imei) == 14 and imei.isdigit()]
    changes |= {f"new {n}": f"{imei},20260910," for n, imei in enumerate(good[::100][:300])}
    script.rewrite("stolen", changes, SEPTEMBER, delta=True)
    for source, step in (("subscribers", 50), ("type-approvals", 9), ("barred", 4), ("pairings", 5)):
        rows = dict.fromkeys(_rows(script.sources[source])[::step])
        script.rewrite(source, rows, SEPTEMBER, delta=source == "pairings")
    moved: dict[str, str | None] = dict.fromkeys(ranges[::3])
    moved |= {f"new {n}": f"{imei},{imei[:8]}999999" for n, imei in enumerate(good[7::5000])}
    script.rewrite("barred-ranges", moved, SEPTEMBER, delta=True)
    for operator, path in september:
        script.observe(operator, path, date(2026, 9, 30))
    script.run(SEPTEMBER, 0)

    wrong = september[1]
    script.undo(*wrong)
    registered = _rows(script.sources["registrations"])
    changes = dict.fromkeys(registered[::40])
    changes |= {row: row.replace(",whitelist,", ",suspended,") for row in registered[1::40]}
    script.rewrite("registrations", changes, OCTOBER, delta=False)
    script.rewrite(
        "barred-ranges", dict.fromkeys(_rows(script.sources["barred-ranges"])[::4]), OCTOBER, delta=False
    )
    for operator, path in october:
        script.observe(operator, path, OCTOBER)
    undone = Undone(frozenset(_equipment(wrong[1])), SEPTEMBER)
    script.run(OCTOBER, 1, undone=undone)

    # the same day once more after small changes: only what changed is looked at
    changes = dict.fromkeys(_rows(script.sources["stolen"])[300:320])
    changes |= {f"new {n}": f"{imei},20261030," for n, imei in enumerate(good[50::100][:20])}
    script.rewrite("stolen", changes, OCTOBER, delta=True)
    script.run(OCTOBER, 1, undone=undone, same_observations=True, mode="changed")
    return script


def barred_ranges(seen: set[str]) -> list[str]:
    """Ranges among seen equipment: of one identity, of neighbours, of a TAC and more, one in another."""
    good = sorted(imei for imei in seen if len(imei) == 14 and imei.isdigit())
    rows = []
    for n, imei in enumerate(good[::700]):
        first, width = int(imei), (0, 9, 400, 20_000, 999_999)[n % 5]
        rows += [f"{first - width // 2:014d},{first - width // 2 + width:014d}", f"{imei},{imei}"][
            : 1 + n % 2
        ]
    return sorted(set(rows))


def test_the_third_policy_uses_every_rule_and_turns_nearly_every_one_round() -> None:
    uses = [use for c in load_policy(EVERY_RULE)[0].conditions.values() for use in c.all]
    assert {use.rule for use in uses} == set(all_rules())
    upright = {"monitored", "stolen_foreign"}
    assert {use.rule for use in uses if use.negated} >= set(all_rules()) - upright


def test_register_and_recomputation_agree_over_a_sequence_of_runs(
    country: CountryFiles, tmp_path: Path
) -> None:
    assert country.counts["observations"] > 570_000
    folder = tmp_path / "changes"
    folder.mkdir()
    script = write_script(country, folder)
    stages = [stage for stage, _, _ in script.stages]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        expecting = pool.submit(recompute, stages, POLICIES, AUGUST)
        registers = {name: Register.make(tmp_path / name, POLICIES[name]) for name in POLICIES}
        for number, (stage, deeds, mode) in enumerate(script.stages):
            for name, register in registers.items():
                for deed in deeds:
                    deed(register)
                run = register.run(stage.as_of)
                assert mode in (None, run.mode), name
                assert run.id == number + 1
        expected = expecting.result()
    for number, wanted in enumerate(expected):
        for name, register in registers.items():
            conditions = load_policy(POLICIES[name])[0].conditions
            assert len({v.rule for v in wanted[name].verdicts}) >= 0.8 * len(conditions)
            assert_agrees(register, wanted[name], number + 1)


def _rows(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def _equipment(observations: Path) -> set[str]:
    return {_normalised(row.split(",", 2)[1]) for row in _rows(observations)} - {""}


def _normalised(text: str) -> str:
    text = text.strip()
    return text[:14] if len(text) >= 14 and text[:14].isdigit() else text.upper()
