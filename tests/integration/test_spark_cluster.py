from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ceir.pipeline.engines.spark import SparkEngine
from ceir.testing.country import CountryFiles

from .spark_cluster import WORKERS, Cluster, missing_parts, spark_cluster
from .story import (
    assert_first_runs_agree,
    make_pair,
    read,
    tell_how_a_country_moves,
    write_small_country,
)

pytestmark = [
    pytest.mark.spark,
    pytest.mark.long,
    pytest.mark.skipif(bool(missing_parts()), reason=f"no Spark cluster here: {missing_parts()}"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    return write_small_country(tmp_path_factory.mktemp("country"))


def test_a_result_in_several_parts_is_in_its_order_from_part_to_part(
    cluster: Cluster, tmp_path: Path
) -> None:
    digits = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))
    with closing(SparkEngine(cluster.remote, tmp_path)) as engine:
        engine.table("digits", digits)
        engine.view("hundred", "SELECT 10 * a.d + b.d AS n FROM digits AS a CROSS JOIN digits AS b")
        wide = (
            "SELECT 10000 * a.d + 100 * b.n + c.n AS n, MD5(CAST(c.n AS VARCHAR)) AS text FROM digits AS a "
            "CROSS JOIN hundred AS b CROSS JOIN hundred AS c ORDER BY n DESC"
        )
        engine.save(wide, tmp_path / "saved")
        found = [n for batch in engine.batches(wide) for n in batch.column("n").to_pylist()]
    assert len(list((tmp_path / "saved").iterdir())) > 1
    assert read(tmp_path / "saved").column("n").to_pylist() == list(range(99_999, -1, -1))
    assert found == list(range(99_999, -1, -1))


def test_a_country_that_moves_to_a_cluster_of_two_workers_gets_the_same_verdicts_and_lists(
    cluster: Cluster, country: CountryFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = make_pair(country, "examplia", tmp_path)
    tell_how_a_country_moves(
        pair, country, tmp_path, lambda scratch: SparkEngine(cluster.remote, scratch), monkeypatch
    )
    workers = cluster.workers()
    assert len(workers) == WORKERS
    assert all(worker["coresused"] == 1 for worker in workers), "an executor runs on each worker"
    executors = cluster.executors()
    assert len(executors) == WORKERS
    assert all(executor["totalTasks"] > 0 for executor in executors), "each executor did a part of the work"


def test_a_country_that_begins_on_a_cluster_gets_the_same_verdicts(
    cluster: Cluster, country: CountryFiles, tmp_path: Path
) -> None:
    pair = make_pair(country, "dirbs-sample", tmp_path)
    assert_first_runs_agree(pair, tmp_path, lambda scratch: SparkEngine(cluster.remote, scratch))
