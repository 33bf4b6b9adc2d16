"""What is not exactly what the pipeline published is refused, and nothing is changed by it."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from people import NOW
from registry_publications import decided, imeis, publish, read_manifest, told, write_manifest

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.models import Entry
from ceir.registry.runs import applying
from ceir.registry.runs.applying import RunOutOfOrderError, apply
from ceir.registry.runs.models import Change, Contact, Decision, Head, Run
from ceir.registry.runs.publication import (
    Publication,
    RunIncompleteError,
    RunManifestError,
    RunRefusedError,
    RunTamperedError,
)
from ceir.registry.runs.rows import RunRowsError

A, B, C = imeis(3)


def made(tmp_path: Path) -> Path:
    return publish(
        tmp_path / "1",
        1,
        [decided(A), decided(B, "notified", "20261201"), decided(C, "tracked")],
        notifications={"operator1": [told(B, "111010000000001", "220000000001")]},
    )


def refused(folder: Path, error: type[RunRefusedError]) -> RunRefusedError:
    """Take it over, which must fail and leave nothing behind."""
    with pytest.raises(error) as caught:
        apply(folder, actor=SYSTEM, at=NOW)
    for model in (Run, Decision, Change, Contact, Entry):
        assert model.objects.count() == 0
    assert not Head.objects.filter(run__isnull=False).exists()
    assert caught.value.hint
    return caught.value


def relisted(folder: Path, name: str, text: bytes) -> Path:
    """The publication with another file in it, and a manifest that agrees."""
    import hashlib

    (folder / name).write_bytes(text)
    manifest = read_manifest(folder)
    for listed in manifest["files"]:  # type: ignore[attr-defined]
        if listed["file"] == name:
            listed["sha256"] = hashlib.sha256(text).hexdigest()
            listed["rows"] = max(text.count(b"\n") - 1, 0)
    write_manifest(folder, manifest)
    return folder


@pytest.mark.parametrize(
    "name", ["decisions.csv", "blocked.csv", "operator1/notifications.csv", "operator2/exceptions.csv"]
)
@pytest.mark.parametrize("place", [0, -2])
def test_one_changed_byte_of_any_file_is_refused(tmp_path: Path, name: str, place: int) -> None:
    folder = made(tmp_path)
    text = bytearray((folder / name).read_bytes())
    text[place] ^= 1
    (folder / name).write_bytes(text)
    assert name in refused(folder, RunTamperedError).detail


@pytest.mark.parametrize("change", [lambda t: t + b"\n", lambda t: t[:-1], lambda t: t[:0], lambda t: t * 2])
def test_a_longer_or_shorter_file_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    folder = made(tmp_path)
    (folder / "decisions.csv").write_bytes(change((folder / "decisions.csv").read_bytes()))
    refused(folder, RunTamperedError)


def test_a_file_that_changes_between_the_check_and_the_reading_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path)
    verify = Publication.verify

    def and_then_somebody_changes_it(publication: Publication) -> int:
        verified = verify(publication)
        text = (
            (folder / "decisions.csv")
            .read_text()
            .replace(",tracked,", ",blocked,")
            .replace(",,", ",20261101,")
        )
        (folder / "decisions.csv").write_text(text)
        return verified

    monkeypatch.setattr(Publication, "verify", and_then_somebody_changes_it)
    refused(folder, RunTamperedError)


def test_a_missing_file_is_refused_but_for_parquet(tmp_path: Path) -> None:
    folder = made(tmp_path)
    manifest = read_manifest(folder)
    manifest["files"].append({"file": "blocked.parquet", "rows": 1, "sha256": "0" * 64})  # type: ignore[attr-defined]
    write_manifest(folder, manifest)
    (folder / "operator2/exceptions.csv").rename(folder / "kept")
    refused(folder, RunIncompleteError)
    (folder / "kept").rename(folder / "operator2/exceptions.csv")
    (folder / "blocked.parquet").write_bytes(b"not the one")
    refused(folder, RunTamperedError)
    (folder / "blocked.parquet").unlink()
    assert apply(folder, actor=SYSTEM, at=NOW).is_new


def test_a_pipe_or_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    file = folder / "decisions.csv"
    file.rename(tmp_path / "elsewhere.csv")
    file.symlink_to(tmp_path / "elsewhere.csv")
    refused(folder, RunIncompleteError)
    file.unlink()
    os.mkfifo(file)
    refused(folder, RunIncompleteError)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "a/b/c.csv", "..\\x.csv", "decisions.csv\0", "Decisions.csv",
     "delta/../a.csv", "x.exe", "", "operator1/../x.csv", "http://x/y.csv"],
)  # fmt: skip
def test_a_manifest_names_files_only_as_the_pipeline_does(tmp_path: Path, name: str) -> None:
    folder = made(tmp_path)
    manifest = read_manifest(folder)
    manifest["files"].append({"file": name, "rows": 0, "sha256": "0" * 64})  # type: ignore[attr-defined]
    write_manifest(folder, manifest)
    refused(folder, RunManifestError)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"format": "1"}, {"run": 0}, {"run": -1}, {"run": "1"}, {"run": 1.5}, {"run": 2**70},
        {"as_of": "2026-13-01"}, {"as_of": 20261101}, {"base": 1}, {"base": {"run": None}}, {"country": ""},
        {"country": "x" * 101}, {"files": None}, {"files": [{"file": "decisions.csv"}]}, {"policy": None},
        {"policy": {"name": "x", "version": 1, "sha256": "G" * 64}},
    ],
)  # fmt: skip
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    folder = made(tmp_path)
    write_manifest(folder, read_manifest(folder) | change)
    refused(folder, RunManifestError)


def test_a_run_that_lets_lines_go_on_and_does_not_say_which_at_each_operator_is_refused(
    tmp_path: Path,
) -> None:
    folder = made(tmp_path)
    manifest = {**read_manifest(folder), "keeps_lines": ["copied"]}
    files = manifest["files"]
    without = [f for f in files if f["file"] != "operator2/exceptions.csv"]  # type: ignore[attr-defined]
    write_manifest(folder, {**manifest, "files": without})
    told = refused(folder, RunIncompleteError).detail
    assert "copied" in told
    assert "operator2" in told
    write_manifest(folder, manifest)
    assert apply(folder, actor=SYSTEM, at=NOW).run.keeps_lines == ["copied"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"9" * 5000, b"[" * 100_000])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: bytes) -> None:
    folder = made(tmp_path)
    (folder / "manifest.json").write_bytes(text)
    refused(folder, RunManifestError)


def test_a_manifest_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    folder = made(tmp_path)
    with (folder / "manifest.json").open("wb") as file:
        file.truncate(10_000_000_000)  # sparse: it takes no room, and reading it would take minutes
    refused(folder, RunManifestError)


def test_no_folder_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", RunManifestError)
    refused(tmp_path, RunManifestError)


def test_a_publication_without_decisions_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    manifest = read_manifest(folder)
    manifest["files"] = [f for f in manifest["files"] if f["file"] != "decisions.csv"]  # type: ignore[attr-defined]
    write_manifest(folder, manifest)
    refused(folder, RunRefusedError)


HEADER = b"imei,outcome,since,block_date,reasons,conditions\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "columns"),
        (b"imei;outcome\n", "columns"),
        (HEADER + b"35000000000000,blocked\n", "line 2: 2 values instead of 6"),
        (HEADER + b"35000000000000,permitted,20260901,20261101,x,y\n", "line 2: an outcome"),
        (HEADER + b"35000000000000,blocked,20260901,,x,y\n", "line 2: a block date is missing"),
        (HEADER + b"35000000000000,blocked,20260231,20261101,x,y\n", "line 2: day"),
        (HEADER + b"35000000000000,blocked,2026-9-1,20261101,x,y\n", "line 2: a day is not"),
        (HEADER + b"=cmd|' /C calc'!A0,blocked,20260901,20261101,x,y\n", "line 2: An IMEI field"),
        (HEADER + b",blocked,20260901,20261101,x,y\n", "line 2: An identity is empty"),
        (HEADER + b"12345678901234567,blocked,20260901,20261101,x,y\n", "line 2: An IMEI field"),
        (HEADER + b"35000000000000,blocked,20260901,20261101,x\0,y\n", "line 2: reasons hold control"),
        (HEADER + b"35000000000000,blocked,20260901,20261101," + b"x" * 20_001 + b",y\n", "are too long"),
        (HEADER + b"35000000000000,blocked,20260901,20261101,\xff,y\n", "line 2: not UTF-8"),
        (HEADER + b"35000000000000,blocked,20260901,20261101,x,y\n" * 2, "twice"),
        (HEADER + b"35000000000000,trial,20260901,,x,y\n350000000000000,trial,20260901,,x,y\n", "twice"),
        (HEADER + b"35000000000000,blocked,20260901,20261101,x,y\n35000000000001,trial", "line 3: 2 values"),
        (HEADER + b"3" * 3_000_000, "longer than"),
    ],
)  # fmt: skip
def test_rows_that_the_pipeline_never_writes_are_refused_with_their_line(
    tmp_path: Path, text: bytes, told: str
) -> None:
    folder = relisted(publish(tmp_path / "1", 1, []), "decisions.csv", text)
    assert told in refused(folder, RunRefusedError).detail


def test_what_the_manifest_counts_must_have_come(tmp_path: Path) -> None:
    folder = made(tmp_path)
    manifest = read_manifest(folder)
    for listed in manifest["files"]:  # type: ignore[attr-defined]
        listed["rows"] += listed["file"] == "decisions.csv"
    write_manifest(folder, manifest)
    assert "has 3 rows; its manifest says 4" in refused(folder, RunRowsError).detail


@pytest.mark.parametrize("name", ["blocked.csv", "tracked.csv"])
def test_decisions_that_do_not_agree_with_the_lists_are_refused(tmp_path: Path, name: str) -> None:
    folder = made(tmp_path)
    header, *rows = (folder / name).read_bytes().splitlines(keepends=True)
    relisted(folder, name, header + b"".join(rows[1:]))
    assert name in refused(folder, RunRowsError).detail


@pytest.mark.parametrize(
    "row", [b"x,1,2,20261201,r", b"35000000000001,,22,20261201,r", b"35000000000001,1,2,,r"]
)
def test_notifications_of_another_form_are_refused(tmp_path: Path, row: bytes) -> None:
    folder = made(tmp_path)
    header = b"imei,imsi,msisdn,block_date,reasons\n"
    relisted(folder, "operator1/notifications.csv", header + row + b"\n")
    assert "operator1/notifications.csv, line 2" in refused(folder, RunRowsError).detail


def test_an_error_that_comes_last_undoes_all_that_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_room(*_: object, **__: object) -> None:
        raise OSError("no more room")

    monkeypatch.setattr(applying, "record", no_more_room)
    with pytest.raises(OSError, match="no more room"):
        apply(made(tmp_path), actor=SYSTEM, at=NOW)
    assert Decision.objects.count() == Change.objects.count() == Run.objects.count() == 0


def test_a_run_of_a_day_to_come_is_refused_so_that_nobody_is_cut_before_his_day(tmp_path: Path) -> None:
    rows = [decided(A), decided(B)]
    for days in (2, 30, 20_000):
        day = NOW.date() + timedelta(days=days)
        assert (
            "has not come"
            in refused(publish(tmp_path / day.isoformat(), 1, rows, as_of=day), RunOutOfOrderError).detail
        )
    # Where the sun rises first it is tomorrow already.
    tomorrow = publish(tmp_path / "1", 1, rows, as_of=NOW.date() + timedelta(days=1))
    assert apply(tomorrow, actor=SYSTEM, at=NOW).is_new
