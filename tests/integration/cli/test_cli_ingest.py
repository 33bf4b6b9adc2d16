import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

from ceir.testing.country import CountryFiles

from .conftest import LAST, Ceir

Write = Callable[[str, str], Path]
STOLEN = "imei,reporting_date,status\n35675904000001,20260115,\n35675904000002,20260116,\n"


def test_each_of_several_files_is_an_ingest_of_its_own(fresh: Ceir, country: CountryFiles) -> None:
    files = [path for _, path in country.observations[:4]]
    told = fresh.json("ingest", "observations", *files, "--received-on", LAST)["files"]
    assert [t["state"] for t in told] == ["taken"] * 4
    assert [t["ingest"]["operator"] for t in told] == [f"operator{n}" for n in range(1, 5)]
    for t in told:
        counts = t["ingest"]["counts"]
        assert counts["read"] == counts["kept"] + counts["folded"] + counts["quarantined"]


def test_the_report_shows_counts_and_every_check_against_its_limit(
    fresh: Ceir, country: CountryFiles
) -> None:
    shown = fresh.type("ingest", "stolen", country.lists["stolen"]).stdout
    assert "quarantined" in shown
    assert "conflicting_keys" in shown
    assert "limit" in shown


def test_an_unchanged_file_says_so_and_changes_nothing(fresh: Ceir, write: Write) -> None:
    path = write("stolen.csv", STOLEN)
    fresh.type("ingest", "stolen", path)
    before = fresh.catalogue()
    assert "unchanged" in fresh.type("ingest", "stolen", path).stdout
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert fresh.json("ingest", "stolen", packed)["files"][0]["state"] == "unchanged"
    assert fresh.catalogue() == before


def test_a_refused_file_does_not_stop_the_others(fresh: Ceir, write: Write, tmp_path: Path) -> None:
    good, bad = write("good.csv", STOLEN), write("bad.csv", "a,b\n1,2\n")
    told = fresh.json("ingest", "stolen", bad, tmp_path / "none.csv", good, expect=1)["files"]
    assert [t["state"] for t in told] == ["refused", "refused", "taken"]
    assert told[0]["error"]["code"] == "file_refused"
    assert "2 refused" in fresh.type("ingest", "stolen", bad, bad, good, expect=1).stdout


def test_quarantined_rows_lie_where_the_report_says(fresh: Ceir, write: Write) -> None:
    rows = "".join(f"356759040{n:05d},20260101,\n" for n in range(200))
    path = write("stolen.csv", "imei,reporting_date,status\n" + rows + "not an imei!,20260101,\n")
    told = fresh.json("ingest", "stolen", path)["files"][0]
    lines = Path(told["quarantine"]).read_text().splitlines()
    assert told["ingest"]["counts"]["quarantined"] == len(lines) - 1 == 1
    assert "not an imei!" in lines[1]
    shown = fresh.type("ingest", "stolen", path).stdout
    assert told["quarantine"] in shown.replace("\n", "")


def test_a_failed_check_is_refused_until_somebody_accepts_it_for_a_reason(fresh: Ceir, write: Write) -> None:
    fresh.type("ingest", "stolen", write("many.csv", STOLEN + "35675904000003,20260116,\n" * 1))
    fewer = write("fewer.csv", "imei,reporting_date,status\n35675904000001,20260115,\n")
    refused = fresh.json("ingest", "stolen", fewer, expect=1)["files"][0]
    assert refused["error"]["code"] == "checks_failed"
    assert any(not check["passed"] for check in refused["checks"])
    assert "failed" in fresh.type("ingest", "stolen", fewer, expect=1).stdout
    accepted = ["--accept", "kept_share", "--because", "a campaign gave them back"]
    taken = fresh.json("ingest", "stolen", fewer, *accepted)["files"][0]
    assert "a campaign gave them back" in [check["accepted_because"] for check in taken["checks"]]


def test_what_is_accepted_needs_a_reason(fresh: Ceir, write: Write) -> None:
    path = write("stolen.csv", STOLEN)
    for line in (
        ["--accept", "kept_share"],
        ["--because", "why not"],
        ["--accept", "kept_share", "--because", " "],
        ["--accept", "a", "--accept", "b", "--accept", "c", "--because", "x", "--because", "y"],
    ):
        assert fresh.json("ingest", "stolen", path, *line, expect=2)["error"]["code"] == "usage"


def test_one_reason_is_enough_for_several_checks(fresh: Ceir, write: Write) -> None:
    line = ["--accept", "kept_share", "--accept", "shrunk_by", "--because", "both known"]
    fresh.type("ingest", "stolen", write("stolen.csv", STOLEN), *line)


def test_a_delta_changes_the_list(fresh: Ceir, write: Write) -> None:
    fresh.type("ingest", "stolen", write("stolen.csv", STOLEN))
    delta = write("d.csv", "imei,reporting_date,status,change_type\n35675904000009,20260117,,add\n")
    fresh.type("ingest", "stolen", delta, "--delta")
    assert fresh.catalogue()["lists"]["stolen"]["rows"] == 3


def test_wrong_use_is_told_before_anything_is_tried(fresh: Ceir, write: Write) -> None:
    path = write("stolen.csv", STOLEN)
    before = fresh.catalogue()
    for line in (
        [],
        ["stolen"],
        ["cats", path],
        ["stolen", path, "--operator", "operator1"],
        ["observations", path],
        ["undo"],
        ["undo", "x", "--because", "y"],
        ["undo", "1"],
        ["undo", "1", "--because", "never there"],
    ):
        fresh.type("ingest", *line, expect=2)
    assert fresh.catalogue() == before


def test_an_ingest_can_be_listed_and_undone(ready: Ceir) -> None:
    stolen = next(i for i in ready.json("ingest", "--list") if i["source"] == "stolen")
    undone = ready.json("ingest", "undo", stolen["id"], "--because", "the wrong month")
    assert undone["state"] == "undone"
    assert "the wrong month" in ready.type("ingest", "--list").stdout
    assert "stolen" not in ready.catalogue()["lists"]
    ready.type("ingest", "undo", stolen["id"], "--because", "twice", expect=2)


def test_many_small_files_of_a_month_are_merged(fresh: Ceir, country: CountryFiles, tmp_path: Path) -> None:
    operator, whole = country.observations[0]
    header, *rows = whole.read_text().splitlines(keepends=True)
    files = []
    for number, day in enumerate(("0901", "0902", "0903", "0904", "0905")):
        files.append(tmp_path / f"{operator}_2026{day}_2026{day}.csv")
        files[number].write_text(header + "".join(r for r in rows if r.startswith(f"2026{day}")))
    accepted = [x for c in ("daily_imeis", "daily_imsis", "daily_msisdns") for x in ("--accept", c)]
    fresh.type("ingest", "observations", *files, "--received-on", LAST, *accepted, "--because", "days differ")
    assert [m["month"] for m in fresh.catalogue()["merged"]] == [202609]


def test_the_operator_can_be_named_for_files_that_do_not(
    fresh: Ceir, country: CountryFiles, tmp_path: Path
) -> None:
    operator, path = country.observations[0]
    other = tmp_path / f"delivery_{path.name.split('_', 1)[1]}"
    shutil.copyfile(path, other)
    fresh.type("ingest", "observations", other, "--received-on", LAST, expect=2)
    fresh.type("ingest", "observations", other, "--received-on", LAST, "--operator", operator)
