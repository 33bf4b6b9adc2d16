"""Copied identities in drawn worlds: the register, a second opinion, and a register that looks at all."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from building import HEADERS, ListName, Register, VerdictRow, compact, model_row, write_text
from ceir.clock import day_of
from ceir.pipeline.catalogue import Ingest
from ceir.pipeline.classify import running
from oracle import Inputs, World, load, verdicts
from oracle.clones import Claim, Claims, claims_of
from oracle.outcomes import Verdict

from .expecting import assert_equal, published_lists, rules_of

FIRST, DAYS = date(2026, 1, 20), 42
"""Fewer days than the silence after which an identity may have come back with others."""

IMEIS = ("35100001000001", "35100001000002", "35100002000003", "ABC")
IMSIS = (
    "111010000000001", "111010000000002", "111020000000003", "111020000000004", "111030000000005",
    "26201000000001", "111",
)  # fmt: skip
PERSONS = ("P-1", "P-2", "P-3", "P-4")

POLICY = """
name = "clones"
[country]
name = "Clonia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
holds_exceptions = false
[lists]
look_back_days = 15
[conditions.cloned]
all = [{ rule = "cloned", weights = "clones-1", window_days = 20, clone_at = 0.0, clear_at = -4.0 }]
reason = "Cloned"
grace_days = 5
blocking = true
exceptions = "genuine"
max_match_ratio = 1.0
[conditions.frozen]
all = [{ rule = "perhaps_cloned", weights = "clones-1", window_days = 20, clone_at = 0.0, clear_at = -4.0 }]
reason = "Frozen"
grace_days = 3
blocking = true
exceptions = "present"
max_match_ratio = 1.0
[conditions.counted]
all = [{ rule = "too_many_imsis", threshold = 4, window_days = 9 }]
reason = "Counted"
grace_days = 4
blocking = true
sticky = true
exceptions = "present"
max_match_ratio = 1.0
[conditions.theft]
all = [{ rule = "stolen_local" }]
reason = "Theft"
grace_days = 2
blocking = true
max_match_ratio = 1.0
[conditions.tried]
all = [{ rule = "cloned", weights = "clones-1", clone_at = -3.0, clear_at = -5.0, least_signals = 3 }]
reason = "Tried"
tracked = true
"""


@dataclass
class Drawn:
    """A world as it grows: what was delivered so far, and what its lists say."""

    dice: random.Random
    root: Path
    observations: list[tuple[str, Path]] = field(default_factory=list)
    lists: dict[str, str | Path | None] = field(default_factory=dict)
    number: int = 0

    def users(self) -> list[str]:
        """Who uses an identity: mostly a few."""
        return self.dice.sample(IMSIS, self.dice.choice((1, 2, 2, 3, 4, 5, 6)))

    def file_of_observations(self, until: int) -> tuple[str, Path]:
        """Bursts of use by several subscribers."""
        rows: list[str] = []
        for _ in range(self.dice.randint(2, 4)):
            imei, first = self.dice.choice(IMEIS), self.dice.randrange(until)
            for imsi in self.users():
                for day in range(first, min(first + self.dice.randint(1, 18), until)):
                    number = f"2200000{imsi[-4:]}" if self.dice.random() < 0.9 else ""
                    rows.append(f"{compact(FIRST + timedelta(days=day))},{imei},{imsi},{number},")
        operator = self.dice.choice(("operator1", "operator2"))
        return operator, self._write(
            "observations", rows, f"{operator}_{compact(FIRST)}_{compact(FIRST)}.csv"
        )

    def list_file(self, source: str) -> Path:
        """A list with some of its possible entries."""
        dice = self.dice
        possible: Mapping[str, list[str]] = {
            "subscribers": [f"{dice.choice(PERSONS)},{imsi}" for imsi in (*IMSIS, *IMSIS[:2])],
            "associations": [f"{dice.choice(PERSONS)},{imei}" for imei in IMEIS],
            "pairings": [f"{imei},{imsi}," for imei in IMEIS[:2] for imsi in IMSIS[:3]],
            "golden": list(IMEIS),
            "stolen": [f"{imei},," for imei in IMEIS],
            "appeals": [f"{imei},{label}" for imei in IMEIS for label in ("cloned", "frozen", "counted")],
            "proofs": [
                f"{imei},{imsi},{kind},20260101"
                for imei in IMEIS
                for imsi in IMSIS[:4]
                for kind in ("purchase", "device", "maker")
            ],
            "imports": [
                f"{imei},C,I,,{dice.choice(('', compact(FIRST + timedelta(days=dice.randrange(30)))))}"
                for imei in IMEIS
            ],
            "tac": [model_row("35100001", "GSM 900", name="A1"), model_row("35100002", "LTE", name="M1")],
        }
        rows = possible[source]
        few = {"golden": 1, "stolen": 1, "pairings": 2, "appeals": 2, "proofs": 2}.get(source, len(rows))
        chosen = sorted(set(dice.sample(rows, dice.randint(0, few))))
        return self._write(source, chosen, f"{source}.csv")

    def _write(self, source: str, rows: list[str], name: str) -> Path:
        self.number += 1
        return write_text(self.root / f"{self.number:03d}" / name, [HEADERS[source], *rows])


def happen(drawn: Drawn, registers: list[Register], until: int, *, first: bool) -> None:
    """Files come, to all registers alike."""
    sources = ["subscribers", "associations", "pairings", "golden", "stolen", "appeals", "proofs", "imports"]
    chosen = drawn.dice.sample(
        [*sources, "tac"], drawn.dice.randint(4, 8) if first else drawn.dice.randint(0, 3)
    )
    for source in chosen:
        path = drawn.list_file(source)
        drawn.lists[source] = path
        for register in registers:
            register.deliver(source, path, FIRST)
    for _ in range(3 if first else drawn.dice.randint(0, 2)):
        operator, path = drawn.file_of_observations(until)
        drawn.observations.append((operator, path))
        for register in registers:
            register.deliver("observations", path, FIRST, operator=operator)


def world_of(drawn: Drawn) -> World:
    lists = dict(drawn.lists)
    return load(Inputs(list(drawn.observations), lists.pop("tac", None), lists))


def claims_found(register: Register) -> Claims:
    """The claims of the newest run."""
    run = register.workspace.catalogue().runs[-1]
    assert run.claims is not None
    found: Claims = {}
    for row in ds.dataset(register.workspace.path(run.claims)).to_table().to_pylist():
        imei = f"{row['imei']:014d}" if row["imei"] >= 0 else "ABC"
        stops = None if row["stops_on"] is None else day_of(row["stops_on"])
        claim = Claim(
            row["answer"], row["score"], row["margin"], row["proposal"], day_of(row["since"]), stops
        )
        found[imei, str(row["imsi"])[1:]] = claim
    return found


def names(register: Register) -> tuple[ListName, ...]:
    return (*register.list_names(), ("blocked_outright", "operator2"))


def changed_by(register: Register, name: ListName, before: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """A list as its changes make it from the version before."""
    rows = set(before)
    keys = {"notifications": 3, "exceptions": 3}
    key = keys.get(name[0] if isinstance(name, tuple) else name, 1)
    for change, _, *row in register.rows(name, delta=True):
        rows = {r for r in rows if r[:key] != tuple(row)[:key]}
        if change != "removed":
            rows.add(tuple(row))
    return sorted(rows)


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.long)])
def test_the_register_a_second_opinion_and_a_full_run_agree(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    drawn = Drawn(random.Random(seed), tmp_path / "files")
    one, full = (Register.make(tmp_path / name, POLICY) for name in ("one", "full"))
    rules = rules_of(one.root / "policy.toml")
    held: list[Verdict] = []
    claims: Claims = {}
    before: dict[ListName, list[tuple[str, ...]]] = {}
    day = 22
    for number in range(4):
        known = set(drawn.lists)
        happen(drawn, [one, full], day, first=number == 0)
        as_of = FIRST + timedelta(days=day - 1)
        run = one.run(as_of)
        assert full.run(as_of, full=True).mode == "full"
        # a list that was never there before makes rules mean more than they did
        assert run.mode == ("changed" if number and known == set(drawn.lists) else "full")
        world = world_of(drawn)
        now = verdicts(world, rules, as_of, held)
        assert_equal(f"verdicts {number}", one.verdicts(), [VerdictRow(*v) for v in now])
        wanted = claims_of(world, rules, as_of, now, held, claims)
        assert_equal(f"claims {number}", sorted(claims_found(one).items()), sorted(wanted.items()))
        expected = published_lists(world, rules, as_of, now, wanted)
        for name in names(one):
            assert_equal(f"list {name} of run {number}", one.rows(name), expected[name])
            if number:
                assert changed_by(one, name, before[name]) == one.rows(name)
        assert one.list_bytes() == full.list_bytes()
        assert claims_found(full) == claims_found(one)
        before = {name: one.rows(name) for name in names(one)}
        held, claims, day = now, wanted, min(day + drawn.dice.choice((1, 3, 6, 8)), DAYS)


def test_what_is_undone_leaves_no_trace_in_claims_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    drawn = Drawn(random.Random(77), tmp_path / "files")
    one, full = (Register.make(tmp_path / name, POLICY) for name in ("one", "full"))
    happen(drawn, [one, full], 22, first=True)
    as_of = FIRST + timedelta(days=21)
    for register in (one, full):
        register.run(as_of, full=register is full)
    operator, path = drawn.file_of_observations(22)
    undone: list[Ingest] = [r.deliver("observations", path, FIRST, operator=operator) for r in (one, full)]
    later = as_of + timedelta(days=6)
    for register, ingest in zip((one, full), undone, strict=True):
        register.run(later, full=register is full)
        register.undo(ingest)
        register.run(later, full=register is full)
    assert claims_found(one) == claims_found(full)
    assert one.list_bytes() == full.list_bytes()
