"""How a working is declared: a relation that several facts read, computed once a run before them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ceir.declarations import declared
from ceir.facts.declaration import Context
from ceir.tables import Column


@dataclass(frozen=True)
class Working:
    """A relation between what was observed and what is true of a piece of equipment.

    Computed only if a fact of the policy reads it; two parametrisations are two relations. Its SQL is
    portable and looks at no equipment that cannot matter.

    Args:
        grain: what one row stands for.
        columns: what it tells, in order.
        query: a SELECT of the columns. It may read the list sources in `reads` and `may_read`; `subjects`,
            the equipment looked at; `{rows}`, the observations inside the window, as facts do; `{months}`,
            the same observations' months whole, with the column `rats` and days outside the window too;
            `{sightings}` and `{fingerprints}`, those of the window and of the equipment looked at; and each
            working named in `workings`, as `{NAME}`.
        rows: which equipment's observations `{rows}` and `{months}` hold.
        reads: sources it rests on; while one was never ingested it is not computed, and facts that read it
            are unknown.
        may_read: list sources that it also looks at, empty while they were never ingested.
        parameters: names of the rule's parameters that it depends on.
        defaults: values of parameters that a rule need not give.
        mates: SELECT of `imei` whose rows depend on those of the equipment in `{scope}`, reading
            registrations as `{registrations}`; empty: each identity's rows rest on its own data only.
        single: it has rows for equipment with one subscriber too.
    """

    name: str
    title: str
    doc: str
    grain: str
    columns: tuple[Column, ...]
    query: str | Callable[[Context], str]
    rows: Literal["none", "shared", "all"] = "none"
    reads: tuple[str, ...] = ()
    may_read: tuple[str, ...] = ()
    workings: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    mates: str = ""
    single: bool = False

    def sql(self, context: Context) -> str:
        """Its query under this policy and day."""
        return self.query(context) if callable(self.query) else self.query


def all_workings() -> Mapping[str, Working]:
    """Every declared working by name."""
    import ceir.workings  # noqa: PLC0415 - the package imports this module

    return declared(ceir.workings, "WORKING", Working)
