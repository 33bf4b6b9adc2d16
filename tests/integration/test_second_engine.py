from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from building import Register, compact
from ceir.pipeline.classify import running
from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine
from ceir.policy import shipped_policies
from ceir.testing.country import CountryFiles

from .agreement.conditions import HEAD
from .story import (
    LAST_DAY,
    NEXT_DAY,
    TABLES,
    assert_first_runs_agree,
    make_pair,
    read,
    tell_story,
    write_small_country,
)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    return write_small_country(tmp_path_factory.mktemp("country"))


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    pytest.importorskip("pyspark", reason="the Spark Connect client is not installed")
    with SailServer() as address:
        yield address


@pytest.mark.parametrize(
    "policy",
    [pytest.param(p, marks=() if p == "examplia" else pytest.mark.long) for p in shipped_policies()],
)
def test_sail_and_duckdb_tell_the_same_story(
    policy: str, country: CountryFiles, sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = make_pair(country, policy, tmp_path)
    tell_story(pair, country, tmp_path, lambda scratch: SparkEngine(sail, scratch), monkeypatch)


def test_lists_that_were_never_told_are_unknown_on_sail_too(
    country: CountryFiles, sail: str, tmp_path: Path
) -> None:
    missing = frozenset({"tac", "registrations", "imports", "type-approvals", "pairings", "golden"})
    pair = make_pair(country, "examplia", tmp_path, missing)
    assert_first_runs_agree(pair, tmp_path, lambda scratch: SparkEngine(sail, scratch))


RANGED = f"""{HEAD}
[conditions.ranged]
all = [{{ rule = "imei_range_barred" }}]
reason = "Barred range"
grace_days = 1
blocking = true
max_match_ratio = 1.0
[conditions.beside]
all = [{{ rule = "not_associated" }}, {{ rule = "imei_range_barred", not = true }}]
reason = "Beside"
tracked = true
"""


def test_barred_ranges_are_the_same_on_sail(
    sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    seen = [
        f"351000{tac:02d}{serial:06d}" for tac in range(3) for serial in (0, 1, 7, 499_999, 999_998, 999_999)
    ]
    seen += ["00000000000003", "99999999999999", "351000010000", "ABC"]
    first = [
        f"{seen[1]},{seen[2]}",
        f"{seen[0]},{seen[3]}",
        f"{seen[4]},{seen[7]}",
        "00000000000000,00000000000003",
    ]
    then = [*first[1:], f"{seen[11]},{seen[16]}", f"{seen[15]},{seen[17]}", "99999999999999,99999999999999"]
    duck = Register.make(tmp_path / "duck", RANGED)
    other = Register.make(tmp_path / "other", RANGED, engine=lambda: SparkEngine(sail, tmp_path / "scratch"))
    found = []
    for register in (duck, other):
        rows = [f"{compact(LAST_DAY)},{imei},111010000000001,220000000001,006" for imei in seen]
        register.take("observations", rows, LAST_DAY, operator="operator1")
        register.take("associations", [], LAST_DAY)
        register.take("pairings", [f"{imei},111010000000001,220000000001" for imei in seen], LAST_DAY)
        for day, ranges in ((LAST_DAY, first), (NEXT_DAY, then), (NEXT_DAY + timedelta(days=1), then[1:])):
            register.take("barred-ranges", ranges, day)
            run = register.run(day)
            assert run.mode == ("full" if day == LAST_DAY else "changed")
            tables = [read(register.workspace.path(f"runs/{run.id:05d}/{name}")) for name in TABLES]
            found.append(
                (register.verdicts(), run.looked_at, [t.to_pylist() for t in tables], register.list_bytes())
            )
    assert found[:3] == found[3:]
    ranged = [{v.imei for v in verdicts if v.rule == "ranged"} for verdicts, *_ in found[:3]]
    assert [len(imeis) for imeis in ranged] == [9, 17, 13]
