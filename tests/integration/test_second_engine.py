from collections.abc import Iterator
from pathlib import Path

import pytest

from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine
from ceir.policy import shipped_policies
from ceir.testing.country import CountryFiles

from .story import assert_first_runs_agree, make_pair, tell_story, write_small_country


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    return write_small_country(tmp_path_factory.mktemp("country"))


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    pytest.importorskip("pyspark", reason="the Spark Connect client is not installed")
    with SailServer() as address:
        yield address


@pytest.mark.parametrize("policy", shipped_policies())
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
