"""How a list that leaves the register is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ceir.declarations import declared
from ceir.errors import UsageError
from ceir.tables.declaration import Retention


@dataclass(frozen=True)
class ListColumn:
    """A column of a list; every value is text, in CSV and Parquet alike, and never null."""

    name: str
    doc: str
    personal: bool = False
    only_with_amnesty: bool = False


@dataclass(frozen=True)
class ControlList:
    """A list that operators or auditors receive.

    Args:
        receivers: who gets it; a list `per_operator` has a file for each operator, with its rows only.
        key: columns that are unique together; two versions of the list are compared by them.
        sql: portable SELECT of the columns (and `operator` if per operator) over the relations that
            publishing names: `decisions` (with `imei_text`, `block_date`, `since_date`, `reason_text`,
            `condition_text`, `label_text`), `contacts` (with `block_date`), `paired`, `unable`,
            `permitted_equipment`.
        reasons: for each kind of change the SQL of its net reason, over `o` (the row before), `n` (the row
            now), `d` (the decision now; null: none) and `p` (a pairing or kept line now; null: none).
        modes: the policy modes it exists in.
        for_unable: only operators that cannot hold exceptions get it.
    """

    name: str
    title: str
    doc: str
    source: str
    columns: tuple[ListColumn, ...]
    key: tuple[str, ...]
    sql: str
    reasons: Mapping[Literal["added", "removed", "changed"], str]
    receivers: str
    per_operator: bool = False
    modes: tuple[Literal["permissive", "restrictive"], ...] = ("permissive", "restrictive")
    retention: Retention = "permanent"
    peer_name: str = ""
    for_unable: bool = False

    def columns_for(self, *, amnesty: bool) -> tuple[str, ...]:
        """Names of its columns under a policy with or without an amnesty."""
        return tuple(c.name for c in self.columns if amnesty or not c.only_with_amnesty)


def all_lists() -> Mapping[str, ControlList]:
    """Every declared list by name."""
    import ceir.lists  # noqa: PLC0415 - the package imports this module

    return declared(ceir.lists, "LIST", ControlList)


def list_named(name: str) -> ControlList:
    """The list called `name`.

    Raises:
        UsageError: there is none; the hint names them all.
    """
    found = all_lists()
    if name not in found:
        raise UsageError(f"There is no list {name!r}.", f"Lists: {', '.join(found)}.")
    return found[name]
