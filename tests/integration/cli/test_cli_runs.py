import csv
from pathlib import Path

import duckdb
import pytest

from ceir.testing.country import CountryFiles, Label, find_example

from .conftest import BEFORE, LAST, Ceir


def test_a_run_is_made_once(ready: Ceir) -> None:
    made = ready.json("classify", "--full")
    assert made["new"]
    assert made["run"]["as_of"] == LAST.isoformat()
    again = ready.json("classify")
    assert not again["new"]
    assert again["run"]["id"] == made["run"]["id"]
    assert "there already" in ready.type("classify").stdout


def test_conditions_are_shown_with_counts_shares_and_consequences(ready: Ceir) -> None:
    shown = ready.type("classify").stdout
    for word in ("stolen", "blocks at once", "tracked", "trial", "%"):
        assert word in shown


def test_publishing_tells_rows_and_changes_and_where_the_lists_lie(ready: Ceir) -> None:
    told = ready.json("publish")
    assert not told["new"]
    assert told["base"] == 1
    assert (Path(told["folder"]) / "blocked.csv").is_file()
    with (Path(told["folder"]) / "blocked.csv").open() as file:
        assert sum(1 for _ in file) - 1 == told["rows"]["blocked.csv"]
    shown = ready.type("publish").stdout
    assert "changes since run 1" in shown
    assert told["folder"] in shown


def test_publishing_again_after_new_files_says_that_they_are_not_in_it(ready: Ceir, tmp_path: Path) -> None:
    (tmp_path / "barred.csv").write_text("imei\n35675904000001\n")
    ready.type("ingest", "barred", tmp_path / "barred.csv", "--accept", "kept_share", "--because", "a test")
    assert "for new lists: ceir run" in ready.type("publish").stderr


def test_run_classifies_and_publishes(ready: Ceir, tmp_path: Path) -> None:
    (tmp_path / "barred.csv").write_text("imei\n35675904000001\n")
    ready.type("ingest", "barred", tmp_path / "barred.csv", "--accept", "kept_share", "--because", "a test")
    told = ready.json("run")
    assert told["new"]
    assert told["publication"]["new"]
    assert told["publication"]["run"] == told["run"]["id"] == 3
    assert "Lists of run 3: published already" in ready.type("run").stdout


def test_an_earlier_day_cannot_be_published_after_a_later_one(ready: Ceir) -> None:
    assert ready.json("run", "--as-of", BEFORE, expect=1)["error"]["code"] == "publish_out_of_order"


def test_without_observations_there_is_nothing_to_classify(fresh: Ceir) -> None:
    assert fresh.json("classify", expect=1)["error"]["code"] == "nothing_to_classify"
    assert fresh.json("publish", expect=1)["error"]["code"] == "nothing_to_publish"


def test_a_condition_that_matches_too_much_stops_the_run_until_it_is_accepted(ready: Ceir) -> None:
    policy = ready.workspace / "policy.toml"
    policy.write_text(policy.read_text().replace("max_match_ratio = 0.05", "max_match_ratio = 0.0001", 1))
    before = ready.catalogue()
    error = ready.json("run", expect=1)["error"]
    assert error["code"] == "too_many_matches"
    assert "--accept stolen" in error["hint"]
    assert ready.catalogue() == before
    accepted = ready.json("run", "--accept", "stolen", "--because", "a bad month")
    assert accepted["run"]["accepted"] == {"stolen": "a bad month"}
    assert "a bad month" in ready.type("classify").stdout


def test_runs_are_listed(ready: Ceir) -> None:
    assert [(r["id"], r["as_of"]) for r in ready.json("runs")] == [
        (1, BEFORE.isoformat()),
        (2, LAST.isoformat()),
    ]
    assert LAST.isoformat() in ready.type("runs").stdout


def test_two_runs_are_compared(ready: Ceir) -> None:
    told = ready.json("diff", 1, 2)
    for condition in told["conditions"]:
        assert condition["after"] == condition["before"] + condition["came"] - condition["went"]
    assert any(condition["came"] for condition in told["conditions"])
    assert "came" in ready.type("diff", 1, 2).stdout
    assert "There is no run" in ready.json("diff", 1, 9, expect=2)["error"]["detail"]


@pytest.mark.parametrize("run", ["latest", "1"])
def test_verdicts_are_exported(ready: Ceir, tmp_path: Path, run: str) -> None:
    out = tmp_path / "verdicts.csv"
    told = ready.json("export", "verdicts", "--run", run, "--out", out)
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["rows"] > 0
    assert set(rows[0]) == {"imei", "rule", "first_matched_on", "block_on"}
    ready.type("export", "verdicts", "--run", "nine", "--out", out, expect=2)


def test_explain_tells_why_and_what_follows(ready: Ceir, country: CountryFiles) -> None:
    imei = find_example(country.truth, Label.RAT_MISMATCH).imei
    shown = ready.type("explain", imei).stdout
    for words in ("will be blocked", "impossible_technology", "Model can use", "What follows", "Last seen"):
        assert words in shown
    told = ready.json("explain", imei[:8], imei[8:])
    assert told["outcome"] == "notified"
    assert told["subscribers"] == []


def test_explain_names_subscribers_only_when_asked(ready: Ceir, country: CountryFiles) -> None:
    imei = find_example(country.truth, Label.STOLEN).imei
    rows = duckdb.sql(f"SELECT DISTINCT imsi FROM '{country.truth}' WHERE imei = '{imei}'").fetchall()
    imsis = {str(imsi) for (imsi,) in rows}
    assert not any(imsi in ready.type("explain", imei).output for imsi in imsis)
    asked = ready.json("explain", imei, "--subscribers")
    assert {subscriber[0] for subscriber in asked["subscribers"]} & imsis
    assert next(iter(imsis)) in ready.type("explain", imei, "--subscribers").stdout


def test_unknown_equipment_has_exit_code_3(ready: Ceir) -> None:
    assert ready.json("explain", "35000000000000", expect=3)["error"]["code"] == "unknown_equipment"


def test_a_text_that_is_no_identity_is_refused(ready: Ceir) -> None:
    assert ready.json("explain", "hello!", expect=1)["error"]["code"] == "invalid_identifier"


def test_prune_says_what_it_would_drop_and_then_drops_it(ready: Ceir) -> None:
    before = ready.catalogue()
    would = ready.json("prune", "--as-of", "2027-06-01", "--dry-run")
    assert would["months"] == [202609, 202610]
    assert ready.catalogue() == before
    assert "nothing was changed" in ready.type("prune", "--as-of", "2027-06-01", "--dry-run").stdout
    assert "2026-09" in ready.type("prune", "--as-of", "2027-06-01").stdout
    assert "nothing to drop" in ready.type("prune", "--as-of", "2027-06-01").stdout
