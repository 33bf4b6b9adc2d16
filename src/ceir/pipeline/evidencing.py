"""The rows that facts rest on, for a person to read: who, when, where, how far."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ceir.clock import day_of
from ceir.pipeline.classify.compiling import FactColumn
from ceir.pipeline.engines import Engine

MOST_ROWS = 20
"""Rows of one kind that are told; how many more there are is told too."""


@dataclass(frozen=True)
class EvidenceRows:
    """Rows of one kind.

    Args:
        more: how many are not told.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


@dataclass
class Teller:
    """Tells the evidence of one identity.

    Args:
        subscribers: IMSIs may be told; else each is told as a number that stands for it in this explanation.
    """

    engine: Engine
    imei: int
    subscribers: bool
    _names: dict[int, str] = field(default_factory=dict)

    def told(self, columns: Iterable[FactColumn]) -> tuple[EvidenceRows, ...]:
        """The rows behind facts; of facts that rest on the same rows only once."""
        found: dict[str, EvidenceRows] = {}
        for column in columns:
            if column.known and (rows := self._rows(column)) is not None:
                found.setdefault(rows.title, rows)
        return tuple(found.values())

    def _rows(self, column: FactColumn) -> EvidenceRows | None:
        evidence = column.fact.evidence
        if evidence is None:
            return None
        query = evidence.query(column.context) if callable(evidence.query) else evidence.query
        source = f"FROM ({column.placed(query)}) AS behind WHERE imei = {self.imei}"
        names = ", ".join(name for name, _, _ in evidence.columns)
        count = int(str(self.engine.rows(f"SELECT COUNT(*) {source}")[0][0]))
        if not count:
            return None
        rows = self.engine.rows(f"SELECT {names} {source} ORDER BY {names} LIMIT {MOST_ROWS}")
        shown = tuple(
            tuple(self._shown(value, kind) for value, (_, _, kind) in zip(row, evidence.columns, strict=True))
            for row in rows
        )
        headings = tuple(heading for _, heading, _ in evidence.columns)
        return EvidenceRows(evidence.title, headings, shown, count - len(rows))

    def _shown(self, value: object, kind: str) -> str:
        if value is None:
            return "not known"
        if kind == "plain":
            return str(value)
        number = int(str(value))
        if kind != "subscriber":
            return _SHOWN[kind](number)
        if self.subscribers:
            return str(number)[1:]  # stored with a 1 before the digits
        return self._names.setdefault(number, f"subscriber {len(self._names) + 1}")


_SHOWN: Mapping[str, Callable[[int], str]] = {
    "identity": lambda imei: f"{imei:014d}" if imei >= 0 else "a malformed identity",
    "day": lambda day: day_of(day).isoformat(),
    "moment": lambda moment: datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    "metres": lambda metres: f"{metres / 1000:,.1f} km",
}
