"""What every engine promises, asked of DuckDB and of Sail alike."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot.errors import UnsupportedError

from ceir.pipeline.engines import DuckEngine, Engine, EngineError, Limits
from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine, SparkMissingError, is_ordered, spark_sql
from ceir.tables import Column

COLUMNS = (Column("imei", "BIGINT", ""), Column("day", "INTEGER", ""), Column("text", "VARCHAR", ""))
ROWS = "SELECT CAST({} AS BIGINT) AS imei, CAST({} AS INTEGER) AS day, '{}' AS text, {} AS known"
SOME = " UNION ALL ".join(
    ROWS.format(n, 100 - n, chr(97 + n), "TRUE" if n % 2 else "FALSE") for n in range(9)
)


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    pytest.importorskip("pyspark", reason="the Spark Connect client is not installed")
    with SailServer() as address:
        yield address


@pytest.fixture(params=["duckdb", "sail"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened: Callable[[], Engine] = {
        "duckdb": lambda: DuckEngine(Limits(tmp_path / "scratch")),
        "sail": lambda: SparkEngine(request.getfixturevalue("sail"), tmp_path / "scratch"),
    }[request.param]
    with closing(opened()) as engine:
        yield engine


def whole(engine: Engine, sql: str) -> pa.Table:
    return pa.Table.from_batches(list(engine.batches(sql)))


def test_batches_have_the_four_plain_types_and_the_order_of_the_query(engine: Engine) -> None:
    found = whole(engine, f"SELECT * FROM ({SOME}) AS r ORDER BY day")
    assert found.schema.types == [pa.int64(), pa.int32(), pa.string(), pa.bool_()]
    assert found.column("imei").to_pylist() == list(range(8, -1, -1))


def test_batches_of_no_rows_are_none(engine: Engine) -> None:
    assert sum(b.num_rows for b in engine.batches(f"SELECT * FROM ({SOME}) AS r WHERE day > 500")) == 0


def test_nulls_come_last_in_an_order(engine: Engine) -> None:
    rows = "SELECT 2 AS x UNION ALL SELECT CAST(NULL AS INTEGER) AS x UNION ALL SELECT 1 AS x"
    assert engine.rows(f"SELECT x FROM ({rows}) AS r ORDER BY x") == [(1,), (2,), (None,)]


def test_what_was_saved_can_be_read_again(engine: Engine, tmp_path: Path) -> None:
    engine.save(f"SELECT imei, day, text FROM ({SOME}) AS r ORDER BY day", tmp_path / "saved")
    assert {file.suffix for file in (tmp_path / "saved").iterdir()} == {".parquet"}
    engine.files("again", [tmp_path / "saved"], COLUMNS)
    assert engine.rows("SELECT imei, day, text FROM again ORDER BY imei LIMIT 2") == [
        (0, 100, "a"),
        (1, 99, "b"),
    ]


def test_a_name_stands_for_what_it_was_given_last_view_or_table(engine: Engine, tmp_path: Path) -> None:
    engine.save("SELECT CAST(0 AS BIGINT) AS imei, 1 AS day, 'a' AS text", tmp_path / "saved")
    for number in (1, 3):
        engine.table("name", f"SELECT {number} AS n")
        assert engine.rows("SELECT n FROM name") == [(number,)]
        engine.table("name", f"SELECT {number + 10} AS n")
        engine.view("name", f"SELECT {number + 1} AS m")
        assert engine.rows("SELECT m FROM name") == [(number + 1,)]
    engine.files("name", [tmp_path / "saved"], COLUMNS)
    assert engine.rows("SELECT text FROM name") == [("a",)]
    engine.table("name", "SELECT 9 AS n")
    engine.drop("name")
    engine.view("name", "SELECT 8 AS n")
    assert engine.rows("SELECT n FROM name") == [(8,)]


@pytest.mark.parametrize("order", ["", " ORDER BY day"])
def test_a_result_without_rows_is_saved_with_its_columns(engine: Engine, order: str, tmp_path: Path) -> None:
    engine.save(f"SELECT imei, text FROM ({SOME}) AS r WHERE day > 500{order}", tmp_path / "saved")
    (file,) = (tmp_path / "saved").iterdir()
    assert pq.read_schema(file).names == ["imei", "text"]
    assert pq.read_schema(file).types == [pa.int64(), pa.string()]


def test_a_folder_that_exists_is_not_written_into(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError):
        engine.save(SOME, tmp_path / "there")


def test_files_are_read_with_the_declared_types_whatever_they_hold(engine: Engine, tmp_path: Path) -> None:
    one = {"text": ["a"], "imei": pa.array([1], pa.int32()), "day": pa.array([2], pa.int64())}
    two = {"day": pa.array([4], pa.int64()), "imei": pa.array([3], pa.int32()), "text": ["b"], "more": [True]}
    pq.write_table(pa.table(one), tmp_path / "one.parquet")
    pq.write_table(pa.table(two), tmp_path / "two.parquet")
    engine.files("given", [tmp_path / "one.parquet", tmp_path / "two.parquet"], COLUMNS)
    found = whole(engine, "SELECT imei, day, text FROM given ORDER BY imei")
    assert found.schema.types == [pa.int64(), pa.int32(), pa.string()]
    assert found.to_pylist() == [{"imei": 1, "day": 2, "text": "a"}, {"imei": 3, "day": 4, "text": "b"}]


def test_folders_named_like_partitions_add_no_columns(engine: Engine, tmp_path: Path) -> None:
    for month in (202609, 202610):
        folder = tmp_path / f"month={month}" / "operator=one"
        folder.mkdir(parents=True)
        pq.write_table(
            pa.table({"imei": [month], "day": pa.array([1], pa.int32()), "text": ["x"]}), folder / "1.parquet"
        )
    engine.files("given", sorted(tmp_path.glob("month=*/*/*.parquet")), COLUMNS)
    found = whole(engine, "SELECT * FROM given ORDER BY imei")
    assert found.schema.names == ["imei", "day", "text"]
    assert found.column("imei").to_pylist() == [202609, 202610]


def test_no_files_are_an_empty_relation_with_the_columns(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    engine.files("given", [tmp_path / "empty"], COLUMNS)
    assert engine.rows("SELECT imei, day, text FROM given") == []


def test_a_table_can_be_made_from_what_it_was_before(engine: Engine) -> None:
    engine.table("counted", "SELECT 1 AS n")
    engine.table("counted", "SELECT n + 1 AS n FROM counted")
    assert engine.rows("SELECT n FROM counted") == [(2,)]


def test_a_dropped_table_is_forgotten(engine: Engine, tmp_path: Path) -> None:
    engine.table("gone", SOME)
    engine.drop("gone")
    with pytest.raises(Exception, match="gone"):
        engine.rows("SELECT * FROM gone")
    assert not list((tmp_path / "scratch").rglob("*.parquet"))


def test_a_closed_engine_leaves_nothing_in_its_scratch_folder(sail: str, tmp_path: Path) -> None:
    with closing(SparkEngine(sail, tmp_path)) as engine:
        engine.table("some", SOME)
        assert list(tmp_path.rglob("*.parquet"))
    assert not list(tmp_path.iterdir())


def test_two_engines_on_one_server_do_not_see_each_other(sail: str, tmp_path: Path) -> None:
    with closing(SparkEngine(sail, tmp_path)) as one, closing(SparkEngine(sail, tmp_path)) as two:
        one.table("some", "SELECT 1 AS n")
        two.table("some", "SELECT 2 AS n")
        assert one.rows("SELECT n FROM some") == [(1,)]


def test_the_version_names_a_server_that_is_not_spark_itself(sail: str, tmp_path: Path) -> None:
    with closing(SparkEngine(sail, tmp_path)) as engine:
        assert engine.version().startswith("spark-connect ")
        assert " on server 0." in engine.version()


@pytest.mark.parametrize("folder", ["a[1]", "a%20b", "a{b}", "a*"])
def test_a_path_that_a_server_would_misread_is_refused(sail: str, folder: str, tmp_path: Path) -> None:
    with closing(SparkEngine(sail, tmp_path)) as engine, pytest.raises(EngineError, match="Spark server"):
        engine.save("SELECT 1 AS n", tmp_path / folder / "saved")


def test_an_address_at_which_nothing_answers_is_told_at_once(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"sc://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineError, match="Nothing answers"):
            SparkEngine(address, tmp_path)


@pytest.mark.parametrize("address", ["", "spark://127.0.0.1:7077", "sc://", "sc://host:port"])
def test_what_is_no_address_is_refused(address: str, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    with pytest.raises(EngineError, match="no address"):
        SparkEngine(address, tmp_path)


def test_without_pyspark_the_hint_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SparkMissingError) as caught:
        SparkEngine("sc://127.0.0.1", tmp_path)
    assert caught.value.code == "spark_missing"
    assert "pyspark[connect]" in caught.value.hint


def test_naming_the_engines_imports_neither_pyspark_nor_pysail() -> None:
    program = (
        "import sys, ceir.pipeline.engines.spark, ceir.pipeline.engines.sail; "
        "print(sorted({'pyspark', 'pysail', 'grpc', 'pandas'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_sql_that_spark_cannot_say_is_refused() -> None:
    with pytest.raises(UnsupportedError):
        spark_sql("SELECT REGEXP_EXTRACT_ALL(x, 'a', 1, 'i') FROM a")


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT x FROM a ORDER BY x", True),
        ("SELECT x FROM (SELECT x FROM a ORDER BY x) AS b", False),
        ("SELECT x FROM a UNION ALL SELECT x FROM b ORDER BY x", True),
        ("SELECT x FROM a", False),
    ],
)
def test_only_an_order_of_the_whole_query_counts(sql: str, ordered: bool) -> None:
    assert is_ordered(sql) is ordered
