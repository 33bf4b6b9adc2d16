"""The ladder over homes and fingerprints in drawn worlds: the register, a second opinion, and a full run."""

import random
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

import oracle.clones
from building import HEADERS, Register, compact, write_text
from ceir.pipeline.classify import running
from ceir.weights import Weights, load_weights, scale
from ceir.weights.ladder import LADDER
from oracle import Inputs, World, load, verdicts
from oracle.clones import Claims, claims_of
from oracle.outcomes import Verdict

from .expecting import assert_equal, rules_of
from .test_clone_worlds import POLICY, claims_found

FIRST = date(2026, 1, 20)
IMEIS = ("35100001000001", "35100001000002", "35100001000003")
IMSIS = tuple(f"11101000000000{n}" for n in range(1, 6))
CELLS = {"A": (10.0, 10.0), "B": (10.05, 10.0), "C": (11.0, 10.0), "D": (11.05, 10.0)}
WORDS = ("strange", "strange", "strange", "older")
OPERATORS = ("operator1", "operator2")


@pytest.fixture(autouse=True)
def _new_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights that come with the product, with the ladder that new ones carry."""
    weights_named = oracle.clones.weights_named

    def climbed(name: str) -> Weights:
        return load_weights(name).model_copy(update={"ladder": LADDER})

    def named(name: str) -> dict[str, Any]:
        rungs = {rung: Fraction(weight) for rung, weight in LADDER.rungs.items()}
        return {**weights_named(name), "ladder": {**weights_named(name)["ladder"], "rungs": rungs}}

    monkeypatch.setattr(scale, "load_weights", climbed)
    monkeypatch.setattr(oracle.clones, "weights_named", named)


class Country:
    """Files as they come."""

    def __init__(self, seed: int, root: Path) -> None:
        self.dice, self.root = random.Random(seed), root
        self.inputs = Inputs([], None, {}, [], [])

    def users(self) -> list[tuple[str, int, str, str]]:
        """Who uses an identity: from when, at home where, with what hardware."""
        chosen = self.dice.sample(IMSIS, self.dice.randint(2, 3))
        begun = [0, *(self.dice.choice((8, 13)) for _ in chosen[1:])]
        words = ["usual", *(self.dice.choice(WORDS) for _ in chosen[1:])]
        return [
            (imsi, day, self.dice.choice("CCDB") if number else "A", words[number])
            for number, (imsi, day) in enumerate(zip(chosen, begun, strict=True))
        ]

    def begin(self, registers: list[Register]) -> None:
        """Cells, and devices of one subscriber that show what is usual."""
        cells = [f"{cell},{north},{east},500" for cell, (north, east) in CELLS.items()]
        self._deliver(registers, "cells", cells)
        rows: dict[str, list[str]] = {operator: [] for operator in OPERATORS}
        for n in range(44):
            word = "older" if n % 7 == 0 else "usual"
            for day in (2, 9):
                rows[OPERATORS[n % 2]].append(
                    self._print(f"351000010001{n:02d}", f"1110100000010{n:02d}", day, word)
                )
        for operator, told in rows.items():
            self._deliver(registers, "fingerprints", told, operator)

    def pass_days(
        self, registers: list[Register], first: int, until: int, people: dict[str, list[Any]]
    ) -> None:
        """What networks see of the users of each identity."""
        told: dict[str, dict[str, list[str]]] = {
            source: {operator: [] for operator in OPERATORS}
            for source in ("observations", "sightings", "fingerprints")
        }
        for imei, users in people.items():
            for imsi, begun, cell, word in users:
                operator = OPERATORS[int(imsi) % 2] if imei == IMEIS[1] else OPERATORS[0]
                for day in range(max(begun, first), until):
                    when = FIRST + timedelta(days=day)
                    told["observations"][operator].append(
                        f"{compact(when)},{imei},{imsi},2200000{imsi[-4:]},"
                    )
                    there = cell if self.dice.random() < 0.8 else self.dice.choice(tuple(CELLS))
                    told["sightings"][operator].append(
                        f"{imei},{imsi},{there},{when}T21:{int(imsi) % 5}0:00Z,{when}T21:{int(imsi) % 5}5:00Z"
                    )
                    if word and self.dice.random() < 0.6:
                        shown = word if self.dice.random() < 0.95 else "strange"
                        told["fingerprints"][operator].append(self._print(imei, imsi, day, shown))
        for source, of_operator in told.items():
            for operator, rows in of_operator.items():
                if rows:
                    self._deliver(registers, source, rows, operator)

    def world(self) -> World:
        return load(self.inputs)

    def _print(self, imei: str, imsi: str, day: int, word: str) -> str:
        return f"{imei},{imsi},{compact(FIRST + timedelta(days=day))},01,{word},"

    def _deliver(
        self, registers: list[Register], source: str, rows: list[str], operator: str | None = None
    ) -> None:
        self.number = getattr(self, "number", 0) + 1
        days = f"{compact(FIRST)}_{compact(FIRST + timedelta(days=60))}"
        name = f"{operator}_{days}.csv" if operator else f"{source}.csv"
        path = write_text(self.root / f"{self.number:03d}" / name, [HEADERS[source], *rows])
        for register in registers:
            register.deliver(source, path, FIRST, operator=operator)
        if source == "cells":
            self.inputs.lists[source] = path
        else:
            of_source = {
                "observations": self.inputs.observations,
                "sightings": self.inputs.sightings,
                "fingerprints": self.inputs.fingerprints,
            }
            found = of_source[source]
            assert found is not None
            found.append((str(operator), path))


def rungs_heard(register: Register) -> set[str]:
    """Rungs that speak of somebody in the newest run."""
    run = register.workspace.catalogue().runs[-1]
    assert run.claims is not None
    terms = ds.dataset(register.workspace.path(run.claims)).to_table().column("terms").to_pylist()
    return {name for place, name in enumerate(sorted(LADDER.rungs)) if any(t >> place & 1 for t in terms)}


def test_the_register_a_second_opinion_and_a_full_run_agree_on_homes_and_fingerprints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    country = Country(2, tmp_path / "files")
    one, full = (Register.make(tmp_path / name, POLICY) for name in ("one", "full"))
    rules = rules_of(one.root / "policy.toml")
    country.begin([one, full])
    people: dict[str, list[Any]] = {imei: country.users() for imei in IMEIS}
    held: list[Verdict] = []
    claims: Claims = {}
    heard: set[str] = set()
    for first, until in ((0, 20), (20, 24)):
        country.pass_days([one, full], first, until, people)
        as_of = FIRST + timedelta(days=until - 1)
        for again in (False, True)[: 1 + (first == 0)]:
            if again:  # what other devices show turns what is usual on the same day
                rows = [
                    country._print(f"351000010002{n:02d}", f"1110100000020{n:02d}", 3, "strange")
                    for n in range(12)
                ]
                country._deliver([one, full], "fingerprints", rows, "operator1")
            run = one.run(as_of)
            assert run.mode == ("changed" if first or again else "full")
            assert full.run(as_of, full=True).mode == "full"
            assert claims_found(full) == claims_found(one)
            world = country.world()
            now = verdicts(world, rules, as_of, held)
            wanted = claims_of(world, rules, as_of, now, held, claims)
            assert_equal(f"claims of {as_of}", sorted(claims_found(one).items()), sorted(wanted.items()))
            heard |= rungs_heard(one)
        held, claims = now, wanted
    assert heard >= {"home_from_before", "capability_of_model", "capability_unlike_model"}
