"""From files to the answer that a network gets: the genuine subscriber, a clone and a stranger."""

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from .conftest import Ceir

D = date(2026, 3, 31)
BLOCK = D + timedelta(days=30)
IMEI = "35100001000001"
GENUINE, CLONES = "111010000000001", ("111010000000002", "111010000000003", "111010000000004")
STRANGER = "111020000000009"
SOME_DAY_AHEAD = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()

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
plmns = ["111-02", "111-03"]
holds_exceptions = false
[conditions.cloned]
title = "Copied identity"
all = [{ rule = "cloned", weights = "clones-1" }]
reason = "Copied identity"
grace_days = 30
blocking = true
exceptions = "genuine"
max_match_ratio = 1.0
"""


def written(folder: Path, name: str, lines: Iterable[str]) -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def take(ceir: Ceir, folder: Path, source: str, name: str, lines: Iterable[str]) -> None:
    ceir.type("ingest", source, written(folder, name, lines), "--received-on", D)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Ceir:
    """A workspace that blocked a copied identity a month after its notices, with a snapshot."""
    folder = tmp_path_factory.mktemp("clones")
    ceir = Ceir(folder / "workspace")
    ceir.type("init", ceir.workspace, where=False)
    (ceir.workspace / "policy.toml").write_text(POLICY)
    users = (GENUINE, *CLONES)
    days = [date(2026, 2, 20) + timedelta(days=n) for n in range(5)]
    rows = [f"{day:%Y%m%d},{IMEI},{GENUINE},220000000001,006" for day in days]
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(31)]
    rows += [f"{day:%Y%m%d},{IMEI},{imsi},22000000{imsi[-4:]},006" for day in days for imsi in users]
    take(
        ceir, folder, "observations", "operator1_20260220_20260331.csv", ["date,imei,imsi,msisdn,rat", *rows]
    )
    people = [f"P-{n},{imsi}" for n, imsi in enumerate(users, 1)]
    take(ceir, folder, "subscribers", "subscribers.csv", ["uid,imsi", *people])
    take(ceir, folder, "associations", "associations.csv", ["uid,imei", f"P-1,{IMEI}"])
    for day in (D, BLOCK):
        ceir.type("run", "--as-of", day)
    ceir.type("publish", "snapshot", "--valid-until", SOME_DAY_AHEAD)
    return ceir


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize(
    ("imsi", "status", "reason"),
    [
        (GENUINE, "permitted", "paired"),
        (CLONES[0], "blocked", "identity"),
        (STRANGER, "blocked", "identity"),
        (None, "blocked", "identity"),
    ],
)
def test_the_network_is_told_to_serve_the_genuine_subscriber_and_nobody_else(
    country: Ceir, imsi: str | None, status: str, reason: str
) -> None:
    line = ("check", IMEI) + (("--imsi", imsi) if imsi else ())
    told = country.json(*line)
    assert (told["status"], told["reason"]) == (status, reason)


def test_an_operator_that_cannot_hold_exceptions_does_not_get_the_identity(country: Ceir) -> None:
    lists = country.workspace / "lists" / "00002"
    assert [row["imei"] for row in rows(lists / "blocked.csv")] == [IMEI]
    assert rows(lists / "operator2" / "blocked_outright.csv") == []
    assert not (lists / "operator1" / "blocked_outright.csv").exists()


def test_only_those_whose_line_stops_were_told_a_month_before(country: Ceir) -> None:
    lists = country.workspace / "lists" / "00001"
    told = {row["imsi"] for n in (1, 2) for row in rows(lists / f"operator{n}" / "notifications.csv")}
    assert told == set(CLONES)


def test_clones_are_listed_and_written_to_a_file_without_naming_a_subscriber(
    country: Ceir, tmp_path: Path
) -> None:
    shown = country.type("clones", "--csv", tmp_path / "clones.csv").stdout
    assert IMEI in shown
    entry = rows(tmp_path / "clones.csv")[0]
    assert (entry["imei"], entry["answer"], entry["pair"], entry["stop"]) == (IMEI, "clone", "1", "3")
    whole = (tmp_path / "clones.csv").read_text() + shown
    assert not any(imsi in whole for imsi in (GENUINE, *CLONES))
    assert country.json("clones", "--answer", "undecided")["identities"] == []
    assert country.json("clones", "--run", "9", expect=2)["error"]["code"] == "usage"


def test_an_explanation_tells_terms_ladder_and_what_would_have_to_be_different(country: Ceir) -> None:
    shown = " ".join(country.type("explain", IMEI).stdout.split())
    for words in (
        "subscribers used it steadily, side by side",
        "It would be undecided if",
        "not calibrated yet",
        "line 1, person 1: genuine",
        "declared this device as his own",
        "1 of the 4 lines that use it go on working",
    ):
        assert words in shown
    assert GENUINE not in shown
    assert GENUINE in country.type("explain", IMEI, "--subscribers").stdout
    told = country.json("explain", IMEI)
    assert [claim["imsi"] for claim in told["ladder"]] == [""] * 4
    assert [claim["proposal"] for claim in told["ladder"]] == ["pair", "stop", "stop", "stop"]
