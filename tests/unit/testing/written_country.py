"""A country for tests, with its files as tables to ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from ceir.testing.country import CountryFiles, CountrySpec

Country = Callable[..., "Written"]


@dataclass(frozen=True)
class Written:
    """A written country and a database in which its files are tables of text."""

    spec: CountrySpec
    files: CountryFiles
    db: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.db.execute(query).fetchall()

    def value(self, query: str) -> Any:
        (row,) = self.rows(query)
        return row[0]


# What a register makes of the IMEI column, in plain SQL.
_NORMALISED = "CASE WHEN regexp_matches(imei, '^[0-9]{14}') THEN substr(imei, 1, 14) ELSE upper(imei) END"


def load(spec: CountrySpec, files: CountryFiles) -> Written:
    db = duckdb.connect(config={"threads": 1})
    parts = [
        f"SELECT '{operator}' AS operator, '{path.stem}' AS file, * "
        f"FROM read_csv('{path}', all_varchar=true, header=true, nullstr='')"
        for operator, path in files.observations
    ]
    db.execute(f"CREATE VIEW raw AS {' UNION ALL '.join(parts)}")
    db.execute(
        f"CREATE TABLE observations AS SELECT * REPLACE ({_NORMALISED} AS imei), imei AS written FROM raw"
    )
    for source, path in files.lists.items():
        separator = "|" if source == "tac" else ","
        name = source.replace("-", "_")
        db.execute(
            f"CREATE TABLE {name}_list AS SELECT * FROM read_csv('{path}', all_varchar=true, header=true, "
            f"delim='{separator}', quote='', escape='', nullstr='')"
        )
    db.execute(f"CREATE TABLE truth AS SELECT * FROM read_parquet('{files.truth}')")
    return Written(spec, files, db)
