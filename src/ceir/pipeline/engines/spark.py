"""Spark Connect: an Apache Spark cluster, or a server that speaks its protocol, for countries that outgrow a
machine."""

import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from sqlglot import ErrorLevel
from sqlglot import expressions as exp

from ceir.pipeline.engines.engine import (
    DiskFullError,
    EngineError,
    MemoryExceededError,
    empty_select,
    parquet_files,
)
from ceir.tables import Column

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BATCH_ROWS = 122_880
"""Rows of a batch, as DuckDB gives them."""

DEFAULT_PORT = 15002
"""Where Spark Connect listens when its address names no port."""

REACHED_WITHIN_SECONDS = 10.0
"""Longer without a connection means a wrong address; the client alone would try for ten minutes."""

RETRIES = 6
"""Times a call is tried again, with longer and longer pauses: a server that has gone is given up after a
minute instead of the client's ten."""

PATTERN_CHARACTERS = frozenset("*?[]{}\\%")

SPARK_TYPES = {"BIGINT": "BIGINT", "INTEGER": "INT", "BOOLEAN": "BOOLEAN", "VARCHAR": "STRING"}

_WHOLE_NUMBERS = {
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.int32(): pa.int32(),
    pa.int64(): pa.int64(),
}


class SparkMissingError(EngineError):
    """The packages for a Spark engine are not installed."""

    code = "spark_missing"


class SparkEngine:
    """Portable SQL on a Spark Connect server.

    The server, its executors and this process must see the workspace and `scratch` under the same paths, and
    may all write there. A view must be named after what it reads: servers may bind it when it is named.

    Args:
        remote: address of the server, `sc://host:port`.
        scratch: where computed tables lie while the engine is open; outside a workspace's `tmp`, which a
            finished command empties.

    Raises:
        SparkMissingError: PySpark is not installed.
        EngineError: nothing answers at the address, or it does not understand the installed PySpark.
    """

    name = "spark"

    def __init__(self, remote: str, scratch: Path) -> None:
        self._session = _connect(remote)
        try:
            with _translated():
                # an overflow is an error, as in DuckDB
                self._session.conf.set("spark.sql.ansi.enabled", "true")
                self._protocol = self._session.version
                self._server = str(self._session.sql("SELECT version()").collect()[0][0])
        except EngineError:
            self._session.stop()
            raise
        # Spark numbers the parts of an ordered result in its order; other servers deal rows out as they like.
        self._parts_keep_order = self._server.startswith(self._protocol)
        session = self._session.session_id  # type: ignore[attr-defined]  # only Connect sessions have one
        self._folder = scratch.resolve() / f"spark-{session}"
        self._made = 0
        self._tables: dict[str, Path] = {}

    def version(self) -> str:
        """Name and version, for manifests."""
        if self._parts_keep_order:
            return f"spark {self._protocol}"
        return f"spark-connect {self._protocol} on server {self._server}"

    def files(self, name: str, paths: Sequence[Path], columns: Sequence[Column]) -> None:
        """Make Parquet files readable as a view with these columns."""
        found = [file for path in paths for file in parquet_files(path)]
        if not found:
            self.view(name, empty_select(columns))
            return
        wanted = [f"CAST({c.name} AS {SPARK_TYPES[c.type]}) AS {c.name}" for c in columns]
        with _translated():
            # Files of one relation may differ in their columns: the schema is that of all, as in DuckDB.
            read = self._session.read.option("mergeSchema", "true").parquet(*(_address(f) for f in found))
            read.selectExpr(*wanted).createOrReplaceTempView(name)

    def view(self, name: str, sql: str) -> None:
        """Name a query."""
        with _translated():
            self._session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {spark_sql(sql)}")

    def table(self, name: str, sql: str) -> None:
        """Compute a query once and keep its result under a name.

        Why as files: what builds on it starts from them, instead of from a plan that grows with every step.
        """
        folder = self._fresh(name)
        self._write(sql, folder)
        before = self._tables.get(name)
        with _translated():
            self._session.read.parquet(_address(folder)).createOrReplaceTempView(name)
        self._tables[name] = folder
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Forget a table and free its room."""
        with _translated():
            self._session.catalog.dropTempView(name)
        folder = self._tables.pop(name, None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """All rows of a small result."""
        with _translated():
            return [tuple(row) for row in self._query(sql).collect()]

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A result of any size, in its order.

        Why by way of files, where their order can be trusted: neither the server's driver nor this process
        ever holds more than a batch.
        """
        if not self._parts_keep_order:
            with _translated():
                result = self._query(sql).toArrow()
            yield from (_plain(batch) for batch in result.combine_chunks().to_batches(BATCH_ROWS))
            return
        folder = self._fresh("result")
        try:
            self._write(sql, folder)
            for part in parquet_files(folder):
                with pq.ParquetFile(part) as opened:
                    yield from (_plain(batch) for batch in opened.iter_batches(BATCH_ROWS))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def save(self, sql: str, folder: Path) -> None:
        """Write a result as Parquet files into a new folder, numbered in the order of the query."""
        if folder.exists():
            raise FileExistsError(folder)
        if self._parts_keep_order or not is_ordered(sql):
            self._write(sql, folder)
            return
        folder.mkdir(parents=True)
        with _translated():
            result = self._query(sql).toArrow()
        pq.write_table(result, folder / _part(0), compression="zstd")

    def close(self) -> None:
        """Free everything."""
        self._session.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _query(self, sql: str) -> "DataFrame":
        return self._session.sql(spark_sql(sql))

    def _fresh(self, name: str) -> Path:
        """A folder that never was: servers remember the files of those that were."""
        self._made += 1
        return self._folder / f"{self._made:06d}-{name}"

    def _write(self, sql: str, folder: Path) -> None:
        """Let the server write a result into a new folder, and leave nothing but numbered Parquet files in
        it."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _translated():
            self._query(sql).write.option("compression", "zstd").parquet(_address(folder))
        folder.mkdir(exist_ok=True)
        parts = parquet_files(folder)
        if not parts:  # some servers write nothing for no rows; its columns must be known all the same
            with _translated():
                nothing = self._query(f"SELECT * FROM ({sql}) AS nothing LIMIT 0").toArrow()
            pq.write_table(nothing, folder / _part(0))
        for number, part in enumerate(parts):
            part.replace(folder / _part(number))
        for other in folder.iterdir():
            if other.suffix != ".parquet":
                other.unlink()


def spark_sql(sql: str) -> str:
    """A query in portable SQL as Spark understands it.

    Raises:
        sqlglot.errors.UnsupportedError: it is not portable.
    """
    (translated,) = sqlglot.transpile(
        sql, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE, identify=False
    )
    return translated


def is_ordered(sql: str) -> bool:
    """Whether a query promises an order."""
    return isinstance(tree := sqlglot.parse_one(sql, read="duckdb"), exp.Query) and bool(
        tree.args.get("order")
    )


def missing(package: str) -> SparkMissingError:
    """The error for a package that is not installed."""
    return SparkMissingError(
        f"The package {package} is not installed here, or lacks something it needs.",
        "Install pyspark with its Connect client (pyspark[connect]), or use the engine duckdb.",
    )


def _connect(remote: str) -> "SparkSession":
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - optional
        from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415 - needs more packages
    except ImportError as error:
        raise missing("pyspark") from error
    try:
        with socket.create_connection(_host_and_port(remote), timeout=REACHED_WITHIN_SECONDS):
            pass
    except OSError as error:
        raise EngineError(
            f"Nothing answers at {remote}: {error.strerror or error}.",
            "Start the Spark Connect server, or correct its address.",
        ) from error
    with _translated():
        session = SparkSession.builder.remote(remote).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES)])
        return session


def _host_and_port(remote: str) -> tuple[str, int]:
    try:
        address = urlsplit(remote)
        port = address.port or DEFAULT_PORT
    except ValueError:
        address, port = urlsplit(""), 0
    if address.scheme != "sc" or address.hostname is None:
        raise EngineError(f"{remote!r} is no address of a Spark Connect server.", "Give sc://HOST:PORT.")
    return address.hostname, port


def _address(path: Path) -> str:
    """A path as servers take it.

    Raises:
        EngineError: it holds a character that a server would read as a pattern or as an escape.
    """
    text = str(path.resolve())
    if odd := sorted(set(text) & PATTERN_CHARACTERS):
        raise EngineError(
            f"A Spark server would not find {text}: it holds {' '.join(odd)}.",
            "Move the workspace to a folder without these characters in its path.",
        )
    return f"file://{text}"


def _part(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch with the four types of portable SQL, whichever encoding and width the server chose."""
    schema = pa.schema([pa.field(field.name, _plain_type(field.name, field.type)) for field in batch.schema])
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain_type(name: str, given: pa.DataType) -> pa.DataType:
    if given in _WHOLE_NUMBERS:
        return _WHOLE_NUMBERS[given]
    if pa.types.is_dictionary(given):
        return _plain_type(name, given.value_type)
    if pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given):
        return pa.string()
    if pa.types.is_boolean(given):
        return given
    raise TypeError(f"Column {name!r} is {given}, which no portable SQL gives.")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the server raises for the machines' state into our errors; mistakes of ours stay as they
    are."""
    # Both are there if a session is.
    from grpc import RpcError  # type: ignore[import-untyped]  # noqa: PLC0415
    from pyspark.errors import AnalysisException, PySparkException  # noqa: PLC0415

    try:
        yield
    except AnalysisException:
        raise
    except (PySparkException, RpcError) as error:
        text = str(error)
        if "No space left" in text or "Disk quota exceeded" in text:
            raise DiskFullError(
                "A disk of the Spark server is full; nothing was changed.",
                "Free room on it, then run it again.",
            ) from error
        if "OutOfMemoryError" in text or "Resources exhausted" in text:
            raise MemoryExceededError(
                "The work does not fit into the memory of the Spark server.", "Give its executors more."
            ) from error
        first = re.sub(r"\d{6,}", "…", text.strip().split("\n")[0])[:300]  # no identities in messages
        raise EngineError(
            f"The Spark server failed: {first}", "Look into its log; if it has gone, start it again."
        ) from error
