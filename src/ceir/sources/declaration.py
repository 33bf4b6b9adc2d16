"""How an incoming data set is declared: its columns, its key and the limits its files must keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ceir.declarations import declared
from ceir.errors import UsageError
from ceir.sources._kinds import MOMENT, Kind
from ceir.tables import Column, Table

__all__ = ["Bond", "Check", "Field", "Kind", "Source", "all_sources", "source_named"]


@dataclass(frozen=True)
class Field:
    """A column of the file and how its text becomes a value.

    Args:
        name: the column's name in our table.
        headers: names accepted in the file, lower case with underscores; the first is the documented one.
        required: an empty value makes the row invalid.
        optional_header: the whole column may be absent (its values are then null).
    """

    name: str
    headers: tuple[str, ...]
    kind: Kind
    doc: str
    required: bool = False
    optional_header: bool = False
    personal: bool = False
    unit: str = ""

    @property
    def column(self) -> Column:
        """The table column this field fills."""
        return Column(self.name, self.kind.sql_type, self.doc, self.unit, self.personal)


@dataclass(frozen=True)
class Bond:
    """What the values of one row must be to each other; a row that breaks it is invalid.

    Args:
        fields: names of the fields it is about; the fault is told of the last.
        holds: DuckDB expression over the fields' values as `{name}`; null, for values that may be empty,
            breaks nothing.
        expects: what the last field should have had, completes "expected ...".
    """

    fields: tuple[str, ...]
    holds: str
    expects: str

    def holds_sql(self, prefix: str) -> str:
        """The expression over the columns that hold the values: the field's name after `prefix`."""
        return self.holds.format_map({name: f"{prefix}{name}" for name in self.fields})


@dataclass(frozen=True)
class Check:
    """A limit that a whole file must keep; one that fails refuses the file.

    Args:
        limit: the default; a policy may set another under `[checks.<source>]`.
        passes: how the measured value is compared with the limit.
        why: the mistake that the check catches.
    """

    name: str
    limit: float
    passes: Literal["at most", "at least"]
    why: str
    unit: str = "share of rows"


@dataclass(frozen=True)
class Source:
    """An incoming data set.

    Args:
        key: the fields that identify an entry; two rows of one key with other values conflict.
        subject: what an entry speaks about; tells which equipment a changed entry touches. `range`: all from
            `first_imei` to `last_imei`; `cell`: what was sighted in it; `none`: no verdict can rest on an
            entry.
        bonds: what the values of a row must be to each other.
        folded: how the rows are kept: `months` for observations (compacted), `rows` as they are (sightings),
            `list` for a reference list with a current state (full files replace it, deltas change it).
        dated_by: the field that tells a row's day, where rows are kept as they are.
        changes: the `change_type` values that a delta of it may carry; empty: no deltas.
        keep_unknown: unknown columns are kept as JSON in a column `extra` instead of refusing the file.
        file_name: shape of the name that the file must have, for people.
        dated_name: the last two parts of the file's name are the first and last day it may speak of.
        split_quotes: quotes enclose values (False: quotes are dropped, as in the GSMA export).
    """

    name: str
    title: str
    doc: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    subject: Literal["imei", "tac", "range", "imsi", "cell", "hash", "none"]
    checks: tuple[Check, ...]
    example: str
    folded: Literal["months", "rows", "list"] = "list"
    dated_by: str = ""
    delimiter: str = ","
    changes: tuple[Literal["add", "remove", "update"], ...] = ("add", "remove")
    keep_unknown: bool = False
    bonds: tuple[Bond, ...] = ()
    per_operator: bool = False
    dated_name: bool = False
    split_quotes: bool = True
    peer_name: str = ""

    @property
    def table(self) -> Table:
        """The table of its current entries: its fields, and since when each has been on the list."""
        columns = tuple(f.column for f in self.fields)
        if self.keep_unknown:
            columns += (Column("extra", "VARCHAR", "Columns of the file that we do not interpret, as JSON."),)
        if self.folded == "list":
            columns += (
                Column("since", "INTEGER", "Day it came on the list unchanged.", "days since 1970-01-01"),
            )
        if self.per_operator:
            columns = (Column("operator", "VARCHAR", "Operator that sent the file."), *columns)
        personal = any(c.personal for c in columns)
        return Table(
            self.view, self.doc, "one entry", columns, self.key, "subscriber" if personal else "permanent"
        )

    @property
    def units_a_day(self) -> int:
        """How many of the units of `dated_by` are a day."""
        return next(86_400 if f.kind is MOMENT else 1 for f in self.fields if f.name == self.dated_by)

    @property
    def view(self) -> str:
        """Its name in SQL."""
        return self.name.replace("-", "_")


@cache
def all_sources() -> Mapping[str, Source]:
    """Every declared source by name."""
    import ceir.sources  # noqa: PLC0415 - the package imports this module

    return declared(ceir.sources, "SOURCE", Source)


def source_named(name: str) -> Source:
    """The source called `name`.

    Raises:
        UsageError: there is none; the hint lists them.
    """
    found = all_sources()
    if name not in found:
        raise UsageError(f"There is no source {name!r}.", f"Sources: {', '.join(found)}.")
    return found[name]
