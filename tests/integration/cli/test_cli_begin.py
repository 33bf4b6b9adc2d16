import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ceir
from ceir.cli.main import whole

from .conftest import Ceir


def typed(*line: str, expect: int = 0) -> str:
    result = CliRunner().invoke(whole(), line)
    assert result.exit_code == expect, result.output
    return result.output


def test_without_words_the_help_is_shown() -> None:
    shown = typed()
    assert "ceir demo" in shown
    assert "ingest" in shown


def test_the_version_is_told() -> None:
    assert typed("--version").strip() == f"ceir {ceir.__version__}"


def test_init_makes_a_workspace_and_says_what_comes_next(tmp_path: Path) -> None:
    shown = typed("init", str(tmp_path / "new"))
    assert (tmp_path / "new" / "catalogue.json").is_file()
    assert "ingest observations" in shown


def test_init_takes_a_policy_by_name_and_by_path(tmp_path: Path) -> None:
    made = json.loads(typed("init", str(tmp_path / "one"), "--policy", "dirbs-sample", "--json"))
    assert made["policy"] == "dirbs-sample"
    again = json.loads(
        typed("init", str(tmp_path / "two"), "--policy", str(tmp_path / "one" / "policy.toml"), "--json")
    )
    assert again["policy_sha256"] == made["policy_sha256"]


def test_init_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    shown = typed("init", str(tmp_path), expect=1)
    assert shown.startswith("error [workspace_exists]: ")
    assert "hint: " in shown


def test_an_unknown_policy_is_wrong_use_and_the_hint_names_the_shipped_ones(tmp_path: Path) -> None:
    assert "examplia" in typed("init", str(tmp_path / "x"), "--policy", "nowhere", expect=2)


def test_a_policy_that_cannot_be_obeyed_is_refused_with_its_faults(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('name = "x"\nwhim = 1\n')
    shown = typed("init", str(tmp_path / "x"), "--policy", str(tmp_path / "policy.toml"), expect=1)
    assert "error [policy_invalid]" in shown
    assert "whim" in shown


def test_without_a_workspace_the_hint_says_how_to_choose_one() -> None:
    shown = typed("runs", expect=2)
    assert "--workspace" in shown
    assert "CEIR_WORKSPACE" in shown


def test_the_workspace_comes_from_option_variable_or_current_folder(
    fresh: Ceir, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(fresh.workspace)
    assert typed("runs", "--workspace", folder) == typed("--workspace", folder, "runs")
    monkeypatch.setenv("CEIR_WORKSPACE", folder)
    assert "0 runs" in typed("runs")
    monkeypatch.delenv("CEIR_WORKSPACE")
    monkeypatch.chdir(fresh.workspace)
    assert "0 runs" in typed("runs")


def test_an_option_behind_the_command_wins_over_one_before_it(fresh: Ceir, tmp_path: Path) -> None:
    before, behind = str(tmp_path / "none"), str(fresh.workspace)
    assert "0 runs" in typed("--workspace", before, "runs", "--workspace", behind)


def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path) -> None:
    assert "error [workspace_invalid]" in typed("--workspace", str(tmp_path), "runs", expect=1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["clasify"], "Did you mean 'classify'?"),
        (["classify", "--as-of", "2026-02-30"], "no calendar day"),
        (["classify", "--asof", "2026-02-28"], "--asof"),
        (["explain"], "IMEI"),
        (["export", "everything", "--out", "x"], "verdicts"),
        (["rules", "stolen_local"], "ceir rules show NAME"),
        (["rules", "show", "nothing"], "stolen_local"),
    ],
)
def test_wrong_use_has_exit_code_2_and_says_what_is_wrong(line: list[str], told: str) -> None:
    shown = typed(*line, expect=2)
    assert shown.startswith("error [usage]: ")
    assert told in shown


def test_wrong_use_with_json_is_a_json_object_on_stderr() -> None:
    result = CliRunner().invoke(whole(), ["classify", "--json", "--as-of", "never"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["code"] == "usage"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("THREADS", "many"), ("MEMORY_GB", "0"), ("ENGINE", "abacus"), ("SPARK_REMOTE", "here")],
)
def test_a_setting_with_an_impossible_value_is_refused_by_name(
    fresh: Ceir, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"CEIR_{variable}", value)
    told = fresh.json("runs", expect=2)["error"]
    assert told["code"] == "settings_invalid"
    assert variable.lower() in told["detail"]


def test_spark_without_an_address_is_wrong_use(ready: Ceir) -> None:
    error = ready.json("classify", "--engine", "spark", "--full", expect=2)["error"]
    assert "CEIR_SPARK_REMOTE" in error["hint"]
