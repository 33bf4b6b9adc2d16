"""How a fact is declared: something true of a piece of equipment, as a column computed by SQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ceir.declarations import declared
from ceir.tables.declaration import SqlType

VALID_IMSI = (
    "(imsi BETWEEN 100000000000000 AND 199999999999999 OR imsi BETWEEN 1000000000000000 AND 1999999999999999)"
)
"""14 or 15 digits, in the stored form with a 1 before them."""

VALID_MSISDN = "(msisdn >= 10000000)"
"""7 digits or more, in the stored form with a 1 before them."""


@dataclass(frozen=True)
class Context:
    """What a fact may depend on beside the data: the day, its window and the country's policy.

    Args:
        end: first day not looked at (day number).
        start: first day of the window; None for facts without a window.
        home_prefixes: PLMN prefixes of the country's own operators.
        allocation_delays: days a new TAC of a reporting body may be missing from the list, by its number.
        exempt_device_types: device types that need no registration.
        parameters: the rule's parameters, as SQL-ready values.
    """

    end: int
    start: int | None = None
    home_prefixes: tuple[str, ...] = ()
    allocation_delays: Mapping[int, int] = field(default_factory=dict)
    exempt_device_types: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def identity(self) -> Literal["imsi", "msisdn"]:
        """The column that a count is of."""
        return "msisdn" if self.parameters.get("identity") == "msisdn" else "imsi"

    @property
    def valid_identity(self) -> str:
        """Predicate: the counted column holds a valid value."""
        return VALID_MSISDN if self.identity == "msisdn" else VALID_IMSI


Sql = str | Callable[[Context], str]


@dataclass(frozen=True)
class Evidence:
    """What a fact rests on, row by row, for a person to read.

    Args:
        title: what a row is.
        query: SELECT of `imei` and of the columns, over the fact's workings and sources, with `{rows}` as in
            facts; only rows of the equipment explained are shown, in the order of the columns.
        columns: name, heading, and how a value is shown; `subscriber`: an IMSI, told only to those who may
            see it, to others by a number that stands for it within the explanation.
    """

    title: str
    query: Sql
    columns: tuple[
        tuple[str, str, Literal["plain", "subscriber", "identity", "day", "moment", "metres"]], ...
    ]


@dataclass(frozen=True)
class Fact:
    """A column of the fact table.

    Exactly one of `expression` and `query` is given, in portable SQL.

    Args:
        type: its SQL type.
        expression: over the columns of `equipment` (imei, text, tac, reporting_body and those of `devices`).
        query: a SELECT of the key and of a column `value`, at most one row a key. It may read the sources
            named in `reads`; `subjects`: the equipment looked at, with the columns of `equipment`;
            `{rows}`: the observations inside the window with columns
            (month, month_start, operator, imei, imsi, msisdn, day_mask), where month_start is the day number
            of the month's first day; and each working named in `workings`, as `{NAME}`.
        key: what the query is keyed by.
        otherwise: value of seen equipment that the query does not return.
        reads: sources it rests on; while one was never ingested the fact is unknown (null).
        rows: which equipment's observations `{rows}` must hold. `shared`: only equipment with several IMSIs
            or MSISDNs, enough for counts whose thresholds start at two.
        parameters: names of the rule's parameters that its value depends on, beside those of its workings.
        defaults: values of parameters that a rule need not give.
        workings: names of the relations (`ceir.workings`) that the query reads.
        show: how a person reads it.
        evidence: the rows that it rests on, where a value alone convinces nobody.
    """

    name: str
    title: str
    doc: str
    type: SqlType
    expression: Sql | None = None
    query: Sql | None = None
    key: Literal["imei", "tac"] = "imei"
    otherwise: str = "NULL"
    reads: tuple[str, ...] | Callable[[Context], tuple[str, ...]] = ()
    rows: Literal["none", "shared", "all"] = "none"
    parameters: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    workings: tuple[str, ...] = ()
    show: Literal["plain", "day", "generations"] = "plain"
    unit: str = ""
    evidence: Evidence | None = None

    def sources(self, context: Context) -> tuple[str, ...]:
        """Sources the fact rests on under this policy."""
        return self.reads(context) if callable(self.reads) else self.reads

    def sql(self, context: Context) -> str:
        """Its expression or query under this policy and day."""
        made = self.expression if self.expression is not None else self.query
        assert made is not None, f"{self.name} has neither expression nor query"
        return made(context) if callable(made) else made


WINDOW = ("window_days", "window_months")
"""Parameters that name a window; a fact that lists one gets `Context.start`."""

WINDOW_PARAMETERS = (*WINDOW, "look_back_days", "period_days")


def all_facts() -> Mapping[str, Fact]:
    """Every declared fact by name."""
    import ceir.facts  # noqa: PLC0415 - the package imports this module

    return declared(ceir.facts, "FACT", Fact)
