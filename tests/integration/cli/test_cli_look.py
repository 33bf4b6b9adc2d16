import json

import pytest

from ceir.facts import all_facts
from ceir.lists import all_lists
from ceir.policy import shipped_policies
from ceir.rules import all_rules
from ceir.settings import all_settings
from ceir.sources import all_sources
from ceir.testing.country import CountryFiles

from .conftest import Ceir

SHELVES = {
    "rules": all_rules,
    "facts": all_facts,
    "sources": all_sources,
    "lists": all_lists,
    "policies": shipped_policies,
}


@pytest.mark.parametrize("shelf", SHELVES)
def test_what_is_declared_is_listed_and_each_can_be_shown(shelf: str, fresh: Ceir) -> None:
    names = list(SHELVES[shelf]())
    assert names
    listed = fresh.type(shelf, where=False).stdout
    assert len(fresh.json(shelf, where=False)) == len(names)
    for name in names:
        assert name in listed
        shown = fresh.type(shelf, "show", name, where=False).stdout
        assert name in shown
        assert max(len(line) for line in shown.splitlines() if "http" not in line) <= 80
        assert isinstance(fresh.json(shelf, "show", name, where=False), dict)


def test_a_policy_file_can_be_checked_by_its_path(fresh: Ceir) -> None:
    path = fresh.workspace / "policy.toml"
    assert fresh.json("policies", "show", path, where=False)["name"] == "examplia"
    path.write_text(path.read_text() + "\nnonsense = 1\n")
    assert fresh.json("policies", "show", path, where=False, expect=1)["error"]["code"] == "policy_invalid"


def test_identify_reads_a_text_every_way_it_can(fresh: Ceir) -> None:
    told = fresh.json("identify", "IMEI 1: 35-675904-000001-0", where=False)
    assert told[0]["kind"] == "imei"
    assert told[0]["value"] == "35675904000001"
    shown = fresh.type("identify", "35", "675904", "000001", "0", where=False).stdout
    assert "TAC" in shown
    assert "or: IMSI" in shown


def test_identify_adds_brand_and_model_from_the_tac_list(ready: Ceir, country: CountryFiles) -> None:
    tac = country.lists["tac"].read_text().splitlines()[5].split("|")
    told = ready.json("identify", tac[0] + "0000000")
    reading = next(r for r in told if r["kind"] == "imei")
    assert reading["model"]["brand"]
    assert "brand" in ready.type("identify", tac[0]).stdout


def test_identify_knows_the_operators_of_the_workspace(ready: Ceir) -> None:
    assert ready.json("identify", "111010000000001")[0]["kind"] == "imsi"


def test_what_reads_as_nothing_is_refused(fresh: Ceir) -> None:
    assert fresh.json("identify", "?", where=False, expect=1)["error"]["code"] == "invalid_identifier"


def test_doctor_checks_installation_settings_and_workspace(ready: Ceir) -> None:
    told = ready.json("doctor")
    assert {"Python", "DuckDB", "Catalogue", "Lake", "Policy"} <= {f["check"] for f in told["findings"]}
    assert all(f["state"] != "fault" for f in told["findings"])
    shown = ready.type("doctor").stdout
    for setting in all_settings():
        assert setting.variable in shown


def test_doctor_works_without_a_workspace(fresh: Ceir) -> None:
    assert "No workspace" in fresh.type("doctor", where=False).stdout


def test_doctor_finds_a_missing_file_and_exits_with_1(ready: Ceir) -> None:
    lake = next(ready.workspace.glob("lake/stolen/*.parquet"))
    lake.unlink()
    result = ready.type("doctor", expect=1)
    assert "fault" in result.stdout
    assert lake.name in result.stdout.replace("\n", "").replace(" ", "")


def test_doctor_warns_of_variables_that_are_no_settings(fresh: Ceir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEIR_TREADS", "4")
    findings = json.loads(fresh.type("doctor", "--json").stdout)["findings"]
    assert "CEIR_TREADS is no setting" in [f["detail"] for f in findings]
