"""Writing lists: the same rows give the same bytes, whichever engine made them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ceir.pipeline.workspace import disk_errors, sha256_of

ROW_GROUP = 122_880
"""Rows of a Parquet row group; fixed, so that an engine's batch size leaves no trace in the file."""


@dataclass(frozen=True)
class Written:
    """A file of a publication.

    Args:
        file: relative to the publication's folder.
    """

    file: str
    rows: int
    sha256: str


def write_list(
    batches: Iterable[pa.RecordBatch], columns: tuple[str, ...], folder: Path, name: str
) -> tuple[Written, Written]:
    """Write rows of text, in their order, as `<name>.csv` and `<name>.parquet`.

    Raises:
        DiskFullError: there is no room.
    """
    schema = pa.schema([pa.field(column, pa.string(), nullable=False) for column in columns])
    csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    rows = 0
    plain = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    with disk_errors():
        csv.parent.mkdir(parents=True, exist_ok=True)
        with (
            csv.open("wb") as text,
            pq.ParquetWriter(parquet, schema, compression="zstd", store_schema=False) as writer,
        ):
            text.write((",".join(columns) + "\n").encode("utf-8"))
            for table in _regrouped(batches, schema):
                rows += table.num_rows
                pa_csv.write_csv(table, text, plain)
                writer.write_table(table, row_group_size=ROW_GROUP)
    return (
        Written(str(csv.relative_to(folder)), rows, sha256_of(csv)),
        Written(str(parquet.relative_to(folder)), rows, sha256_of(parquet)),
    )


def _regrouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of exactly one row group, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= ROW_GROUP:
            table = pa.Table.from_batches(waiting).cast(schema)
            yield table.slice(0, ROW_GROUP).combine_chunks()
            rest = table.slice(ROW_GROUP)
            waiting, held = rest.to_batches(), rest.num_rows
    if held:
        yield pa.Table.from_batches(waiting).cast(schema).combine_chunks()
