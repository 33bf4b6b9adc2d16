"""A country of a hundred thousand subscribers, decided twice: by the register and by plain recomputation."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from building import HEADERS, Register, write_text
from ceir.policy import load_policy, shipped_policies
from ceir.rules import all_rules
from ceir.testing.country import CountryFiles, CountrySpec, write_country
from oracle import Inputs, Verdict, World, load, verdicts

from .expecting import assert_agrees, rules_of, without_undone

EVERY_RULE = Path(__file__).parent / "every_rule.toml"
POLICIES = {**shipped_policies(), "every-rule": EVERY_RULE}

AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 31), date(2026, 9, 25), date(2026, 10, 31)
"""Days of the runs. The second is run when the files of its whole month are there already."""


@dataclass
class Story:
    """The country so far, as both sides are told it.

    Args:
        sources: the file of each list that is in force.
        delivered: (operator, file) of the observations in force.
    """

    folder: Path
    registers: dict[str, Register]
    sources: dict[str, Path] = field(default_factory=dict)
    delivered: list[tuple[str, Path]] = field(default_factory=list)
    history: dict[str, list[Verdict]] = field(default_factory=dict)

    def deliver(self, source: str, path: Path, day: date) -> None:
        """A whole list."""
        for register in self.registers.values():
            register.deliver(source, path, day)
        self.sources[source] = path

    def observe(self, operator: str, path: Path, day: date) -> int:
        """A month of an operator. Returns the ingest's number, the same in every register."""
        ids = {r.deliver("observations", path, day, operator=operator).id for r in self.registers.values()}
        self.delivered.append((operator, path))
        (number,) = ids
        return number

    def rewrite(self, source: str, change: "dict[str, str | None]", day: date, *, delta: bool) -> None:
        """Change entries: rows by old row, None where one goes; rows that were not there are added."""
        header, *rows = self.sources[source].read_text().splitlines()
        held = set(rows)
        after = [row for row in (change.get(row, row) for row in rows) if row is not None]
        fresh = [row for old, row in change.items() if old not in held and row is not None]
        name = f"{source}-{len(list(self.folder.iterdir()))}"
        whole = write_text(self.folder / name / f"{source}.csv", [header, *after, *fresh])
        if not delta:
            self.deliver(source, whole, day)
            return
        changes = [f"{row},add" for row in fresh]
        for old, row in change.items():
            if old in held:
                changes.append(f"{old},remove" if row is None else f"{row},update")
        file = write_text(self.folder / name / "changes.csv", [f"{header},change_type", *changes])
        for register in self.registers.values():
            register.deliver(source, file, day, delta=True)
        self.sources[source] = whole

    def world(self) -> World:
        """What the recomputation reads: all files in force."""
        lists: dict[str, str | Path | None] = dict(self.sources)
        observations: list[tuple[str, str | Path]] = list(self.delivered)
        return load(Inputs(observations, lists.pop("tac"), lists))

    def run(self, world: World, as_of: date, *, mode: str | None = None) -> dict[str, list[Verdict]]:
        """Run every register and hold it against the recomputation from `history`."""
        found = {}
        for name, register in self.registers.items():
            run = register.run(as_of)
            assert mode in (None, run.mode), name
            rules = rules_of(POLICIES[name])
            found[name] = verdicts(world, rules, as_of, self.history.get(name), AUGUST)
            assert len({v.rule for v in found[name]}) >= 0.8 * len(rules["conditions"])
            assert_agrees(register, world, rules, as_of, found[name])
        return found


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    spec = CountrySpec(subscribers=100_000, months=3, last_day=OCTOBER, sightings_per_operator=0)
    return write_country(spec, tmp_path_factory.mktemp("country"))


@pytest.fixture
def story(tmp_path: Path) -> Story:
    registers = {name: Register.make(tmp_path / name, policy, threads=2) for name, policy in POLICIES.items()}
    folder = tmp_path / "changes"
    folder.mkdir()
    return Story(folder, registers)


def test_the_third_policy_uses_every_rule_and_turns_nearly_every_one_round() -> None:
    uses = [use for c in load_policy(EVERY_RULE)[0].conditions.values() for use in c.all]
    assert {use.rule for use in uses} == set(all_rules())
    upright = {"monitored", "stolen_foreign"}
    assert {use.rule for use in uses if use.negated} >= set(all_rules()) - upright


def test_register_and_recomputation_agree_over_a_sequence_of_runs(
    country: CountryFiles, story: Story
) -> None:
    months = [country.observations[i : i + 4] for i in (0, 4, 8)]
    assert country.counts["observations"] > 1_900_000
    for source, path in country.lists.items():
        story.deliver(source, path, AUGUST)
    for operator, path in months[0]:
        story.observe(operator, path, AUGUST)
    story.history = story.run(story.world(), AUGUST, mode="full")

    # lists change, one as a delta, others whole; a file comes that will be undone
    stolen = story.sources["stolen"].read_text().splitlines()[1:]
    seen = {line.split(",")[1] for line in months[0][0][1].read_text().splitlines()[1:4000]}
    healthy = sorted(i for i in seen if len(i) >= 14 and i.isdigit())
    news: dict[str, str | None] = dict.fromkeys(stolen[:200])
    news |= {row: ",".join([*row.split(",")[:2], "recovered"]) for row in stolen[200:300]}
    news |= {f"new {n}": f"{imei[:14]},20260910," for n, imei in enumerate(_distinct(healthy, stolen)[:300])}
    story.rewrite("stolen", news, SEPTEMBER, delta=True)
    for source, share in (("subscribers", 50), ("type-approvals", 9), ("barred", 4), ("pairings", 5)):
        rows = story.sources[source].read_text().splitlines()[1:]
        story.rewrite(source, dict.fromkeys(rows[::share]), SEPTEMBER, delta=source == "pairings")
    ids = {path: story.observe(operator, path, date(2026, 9, 30)) for operator, path in months[1]}
    story.history = story.run(story.world(), SEPTEMBER)

    # one file is undone, more months come, registrations are replaced
    wrong = months[1][1]
    for register in story.registers.values():
        register.undo(ids[wrong[1]])
    story.delivered.remove(wrong)
    spoken_of = {_normalised(line.split(",")[1]) for line in wrong[1].read_text().splitlines()[1:]}
    rows = story.sources["registrations"].read_text().splitlines()[1:]
    gone: dict[str, str | None] = dict.fromkeys(rows[::40])
    gone |= {row: row.replace(",whitelist,", ",suspended,") for row in rows[1::40]}
    story.rewrite("registrations", gone, OCTOBER, delta=False)
    for operator, path in months[2]:
        story.observe(operator, path, OCTOBER)
    world = story.world()
    story.history = {name: without_undone(held, spoken_of, SEPTEMBER) for name, held in story.history.items()}
    story.run(world, OCTOBER)

    # the same day once more after small changes: only what changed is looked at
    assert world.stolen is not None
    assert world.barred is not None
    back, taken = sorted(world.stolen)[:20], sorted(set(world.seen) - world.stolen)[:20]
    file = write_text(
        story.folder / "last" / "stolen.csv",
        [
            HEADERS["stolen"] + ",change_type",
            *(f"{i},,,remove" for i in back),
            *(f"{i},20261030,,add" for i in taken),
        ],
    )
    for register in story.registers.values():
        register.deliver("stolen", file, OCTOBER, delta=True)
    world.stolen = (world.stolen - set(back)) | set(taken)
    story.run(world, OCTOBER, mode="changed")


def _distinct(imeis: list[str], rows: list[str]) -> list[str]:
    """Identities that no row begins with, each once."""
    listed = {row[:14] for row in rows}
    return sorted({imei[:14] for imei in imeis} - listed)


def _normalised(text: str) -> str:
    text = text.strip()
    return text[:14] if text[:14].isdigit() and len(text) >= 14 else text.upper()
