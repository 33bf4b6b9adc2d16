from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ceir.pipeline.engines.spark import SparkEngine

from .spark_cluster import WORKERS, Cluster, missing_parts, spark_cluster
from .story import make_pair, read, tell_story_briefly, write_small_country

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_parts()), reason=f"no Spark cluster here: {missing_parts()}"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


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


def test_a_cluster_of_two_workers_and_duckdb_tell_the_same_story(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_small_country(tmp_path / "country")
    pair = make_pair(files, "examplia", tmp_path)
    tell_story_briefly(
        pair, files, tmp_path, lambda scratch: SparkEngine(cluster.remote, scratch), monkeypatch
    )
    workers = cluster.workers()
    assert len(workers) == WORKERS
    assert all(worker["coresused"] == 1 for worker in workers), "an executor runs on each worker"
    executors = cluster.executors()
    assert len(executors) == WORKERS
    assert all(executor["totalTasks"] > 0 for executor in executors), "each executor did a part of the work"
