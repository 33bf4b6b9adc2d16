"""How a table that crosses a package or a file is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ceir.declarations import declared

SqlType = Literal["BIGINT", "INTEGER", "BOOLEAN", "VARCHAR"]
"""Only types that DuckDB and Spark treat alike: signed, no unsigned, no timestamps; days are INTEGER."""

Retention = Literal["permanent", "subscriber", "none"]
"""`subscriber`: dropped after the policy's `retention.subscriber_months`; `none`: lives only inside a run."""


@dataclass(frozen=True)
class Column:
    """One column: name, type, unit and meaning.

    Args:
        personal: it points at a person (IMSI, MSISDN, uid); such a column needs a retention of its table.
    """

    name: str
    type: SqlType
    doc: str
    unit: str = ""
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """Columns, grain and key of a table.

    Args:
        grain: what one row stands for.
        key: the columns that are unique together (empty: none).
    """

    name: str
    doc: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    retention: Retention = "permanent"

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(column.name for column in self.columns)

    def with_columns(self, *more: Column) -> "Table":
        """The same table with further columns at its end."""
        return Table(self.name, self.doc, self.grain, self.columns + more, self.key, self.retention)


def all_tables() -> Mapping[str, Table]:
    """Every table declared in this package, by name."""
    import ceir.tables  # noqa: PLC0415 - the package imports this module

    return declared(ceir.tables, "TABLE", Table)
