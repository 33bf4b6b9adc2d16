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
class Fact:
    """A column of the fact table.

    Exactly one of `expression` and `query` is given, in portable SQL.

    Args:
        type: its SQL type.
        expression: over the columns of `equipment` (imei, text, tac, reporting_body and those of `devices`).
        query: a SELECT of the key and of a column `value`, at most one row a key. It may read the sources
            named in `reads`; `subjects`: the equipment looked at, with the columns of `equipment`; and
            `{rows}`: the observations inside the window with columns
            (month, operator, imei, imsi, msisdn, day_mask).
        key: what the query is keyed by.
        otherwise: value of seen equipment that the query does not return.
        reads: sources it rests on; while one was never ingested the fact is unknown (null).
        rows: which equipment's observations `{rows}` must hold. `shared`: only equipment with several IMSIs
            or MSISDNs, enough for counts whose thresholds start at two.
        parameters: names of the rule's parameters that its value depends on.
        show: how a person reads it.
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
    show: Literal["plain", "day", "generations"] = "plain"
    unit: str = ""

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
