"""A country generated on the real TACs of the Osmocom database, decided twice.

The data lie outside the project, beside it: see README.md there for their origin and licence (CC BY-SA 3.0,
Harald Welte and contributors).
"""

import csv
from datetime import date
from pathlib import Path

import pytest

from building import Register
from ceir.policy import shipped_policies
from ceir.testing.country import CountryFiles, CountrySpec, write_country

from .agreement.expecting import Stage, assert_agrees, recompute

TACS = Path(__file__).resolve().parents[3] / "shared" / "data" / "tac_osmocom.csv"
DAY = date(2026, 10, 31)

pytestmark = pytest.mark.skipif(
    not TACS.is_file(),
    reason=f"the real TACs are not on this machine: no {'/'.join(TACS.parts[-4:])} beside it",
)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    spec = CountrySpec(
        subscribers=12_000, months=2, last_day=DAY, tacs=TACS, tac_count=22_000, sightings_per_operator=0
    )
    return write_country(spec, tmp_path_factory.mktemp("country"))


@pytest.fixture(scope="module")
def register(country: CountryFiles, tmp_path_factory: pytest.TempPathFactory) -> Register:
    made = Register.make(tmp_path_factory.mktemp("register") / "register", shipped_policies()["examplia"])
    for source, path in country.lists.items():
        made.deliver(source, path, DAY)
    for operator, path in country.observations:
        made.deliver("observations", path, DAY, operator=operator)
    return made


def test_every_real_tac_is_taken_in_with_its_maker_and_model(
    country: CountryFiles, register: Register
) -> None:
    with TACS.open(encoding="utf-8", newline="") as file:
        real = {row["tac"] for row in csv.DictReader(file) if row["tac"].isdigit() and len(row["tac"]) == 8}
    with country.lists["tac"].open(encoding="utf-8") as file:
        written = {line.split("|")[0] for line in file} - {"TAC"}
    assert len(written & real) > 20_000
    (ingest,) = (i for i in register.workspace.catalogue().live if i.source == "tac")
    assert ingest.counts.quarantined == 0
    assert ingest.counts.kept == len(written)


def test_on_real_tacs_register_and_recomputation_agree(country: CountryFiles, register: Register) -> None:
    register.run(DAY)
    stage = Stage(DAY, country.observations, country.lists, None)
    (found,) = recompute([stage], {"examplia": shipped_policies()["examplia"]}, DAY)
    expected = found["examplia"]
    assert len({v.rule for v in expected.verdicts}) >= 18
    assert_agrees(register, expected, 1)
