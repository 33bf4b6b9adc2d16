import csv
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .conftest import Ceir

SOME_DAY_AHEAD = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture
def served(ready: Ceir) -> Ceir:
    """A workspace with a snapshot."""
    ready.type("publish", "snapshot", "--valid-until", SOME_DAY_AHEAD)
    return ready


def test_a_snapshot_tells_what_is_in_it_and_where_it_lies_with_its_key(ready: Ceir) -> None:
    shown = ready.type("publish", "snapshot", "--valid-until", SOME_DAY_AHEAD)
    for word in ("Snapshot 1 for all", "run 2", "blocked", "good until", "public key"):
        assert word in shown.stdout
    assert "Keep it safe" in shown.stderr
    told = ready.json("publish", "snapshot", "--valid-until", SOME_DAY_AHEAD)
    assert not told["new"]
    assert Path(told["file"]).is_file()
    assert Path(told["public_key"]).read_text().startswith("-----BEGIN PUBLIC KEY-----")
    key = ready.workspace / "keys" / "signing.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_every_entry_of_the_published_lists_is_answered_as_listed(served: Ceir) -> None:
    # one process for all: a command for each would take minutes
    from ceir.equipment_check.keys import load_trusted_keys
    from ceir.equipment_check.shelf import SnapshotShelf

    keys = load_trusted_keys(served.workspace / "keys" / "trusted")
    shelf = SnapshotShelf(served.workspace / "snapshots" / "all", keys)
    holder, _ = shelf.holder(datetime.now(UTC))
    lists = served.workspace / "lists" / "00002"
    asked = 0
    for name in ("blocked", "tracked"):
        for row in rows(lists / f"{name}.csv"):
            if row["imei"][:14].isdecimal() and len(row["imei"]) >= 14:
                assert holder.verdict(int(row["imei"][:14]), None, None).status.value == name
                asked += 1
    for operator in ("operator1", "operator2", "operator3", "operator4"):
        for row in rows(lists / operator / "exceptions.csv"):
            answer = holder.verdict(int(row["imei"][:14]), None, int(f"1{row['imsi']}"))
            assert answer.status.value == "permitted"
            asked += 1
    assert asked > 50


def test_a_check_says_status_reason_and_whose_lists(served: Ceir) -> None:
    blocked = next(
        r["imei"]
        for r in rows(served.workspace / "lists" / "00002" / "blocked.csv")
        if r["imei"][:14].isdecimal()
    )
    shown = served.type("check", blocked).stdout
    assert "blocked: its identity is on the list" in shown
    assert "Examplia" in shown
    told = served.json("check", blocked, "--imsi", "111010000000001", "--software-version", "7")
    assert (told["status"], told["reason"], told["expired"]) == ("blocked", "identity", False)


def test_forms_of_an_imei_are_the_same_question(served: Ceir) -> None:
    told = [
        served.json("check", text)["status"]
        for text in ("35675904000001", "35-675904-000001-1", "3567590400000101")
    ]
    assert told == ["permitted"] * 3
    assert "check digit" in served.type("check", "356759040000019").stderr
    assert served.json("check", "no imei at all")["reason"] == "malformed"


def test_a_check_needs_no_workspace_but_a_snapshot_and_a_key(served: Ceir, tmp_path: Path) -> None:
    snapshots, keys = served.workspace / "snapshots" / "all", served.workspace / "keys" / "trusted"
    told = served.json("check", "35675904000001", "--snapshots", snapshots, "--trust", keys, where=False)
    assert told["sequence"] == 1
    nothing = served.json("check", "35675904000001", where=False, expect=2)
    assert "--trust" in nothing["error"]["hint"]
    (tmp_path / "empty").mkdir()
    refused = served.json(
        "check", "35675904000001", "--snapshots", tmp_path / "empty", "--trust", keys, where=False, expect=1
    )
    assert "ceir publish snapshot" in refused["error"]["hint"]


def test_a_snapshot_of_old_lists_is_refused_with_the_way_out(served: Ceir) -> None:
    refused = served.json("publish", "snapshot", expect=1)
    assert refused["error"]["code"] == "snapshot_too_old"
    assert "--valid-until" in refused["error"]["hint"]


def test_options_of_lists_and_snapshots_are_not_mixed(ready: Ceir) -> None:
    assert ready.json("publish", "--operator", "operator1", expect=2)["error"]["code"] == "usage"
    assert ready.json("publish", "snapshot", "--base", "1", expect=2)["error"]["code"] == "usage"


def test_a_key_that_others_can_read_is_refused(served: Ceir) -> None:
    (served.workspace / "keys" / "signing.pem").chmod(0o644)
    refused = served.json("publish", "snapshot", "--valid-until", SOME_DAY_AHEAD, expect=1)
    assert refused["error"]["code"] == "key_refused"
    assert "chmod 600" in refused["error"]["hint"]


def test_serving_is_examined_without_serving(served: Ceir) -> None:
    told = served.json(
        "serve", "n17", "--listen", "127.0.0.1:17777", "--admin", "127.0.0.1:19464", "--examine"
    )
    assert told["addresses"] == [{"interface": "n17", "transport": "tcp", "host": "127.0.0.1", "port": 17777}]
    assert "It could serve" in served.type("serve", "gsup", "--admin", "127.0.0.1:19464", "--examine").stdout


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (("serve", "x25"), "usage", "all"),
        (("serve", "n17", "--listen", "here"), "serve_configuration", "HOST:PORT"),
        (("serve", "n17", "--listen", "sctp:127.0.0.1:3868"), "serve_configuration", "HOST:PORT"),
        (("serve", "s13", "--listen", "0.0.0.0:3868"), "serve_configuration", "[[s13.peers]]"),
        (("serve", "n17", "s13", "--listen", "127.0.0.1:7"), "usage", "--config"),
        (("serve", "n17", "--config", "absent.toml"), "serve_configuration", "Name the file"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    line: tuple[str, ...], code: str, words: str, served: Ceir
) -> None:
    refused = served.json(*line, expect=2)["error"]
    assert refused["code"] == code
    assert words in refused["hint"] + refused["detail"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wrokers = 2", "wrokers is no key"),
        ("workers = 0", "workers"),
        ("[n17]\nport = 70000", "n17.port"),
        ("[s13]\nlisten = [{ transport = 'udp' }]", "s13.listen.0.transport"),
        ("[s13\n", "not TOML"),
        ("[n17]\ncertificate = 'absent.pem'\nkey = 'absent.pem'", "absent.pem"),
        ("[n17]\n[n17.nrf]\nroots = ['http://nrf']\naddress = 'eir'", "instance"),
        ("[sightings]\nfolder = 'spool'\nsubscriber = 'keyed'", "key"),
    ],
)
def test_a_wrong_configuration_is_refused_naming_the_fault(
    text: str, fault: str, served: Ceir, tmp_path: Path
) -> None:
    (tmp_path / "serve.toml").write_text(text)
    line = ("serve", "all", "--config", tmp_path / "serve.toml", "--examine")
    refused = served.json(*line, expect=None)["error"]
    assert fault in refused["detail"] + refused["hint"]


def test_a_port_that_is_taken_is_told_before_serving(served: Ceir) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = served.json("serve", "n17", "--listen", f"127.0.0.1:{port}", expect=1)["error"]
    assert refused["code"] == "listen_failed"
    assert str(port) in refused["detail"]


def test_the_modules_that_answer_load_where_nothing_of_the_register_is_installed() -> None:
    script = (
        "import sys, importlib\n"
        "for name in ('duckdb', 'pyarrow', 'sqlglot', 'numpy', 'typer', 'rich'): sys.modules[name] = None\n"
        "import ceir.interfaces.serving.plant as plant\n"
        "from ceir.interfaces.declaration import all_interfaces\n"
        "print(*all_interfaces())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["gsup", "map", "n17", "s13"]
