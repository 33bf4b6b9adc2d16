"""What facts are computed from: observations cut to windows, and workings, each computed once a run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from ceir.clock import day_number, day_of
from ceir.facts import Context
from ceir.facts.declaration import WINDOW_PARAMETERS
from ceir.pipeline.engines import Engine
from ceir.sources import Source, all_sources
from ceir.workings import Working, all_workings

K = TypeVar("K")
V = TypeVar("V")


class Frozen(dict[K, V]):
    """A mapping that can be part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted((str(k), str(v)) for k, v in self.items())))


@dataclass(frozen=True)
class RowsView:
    """The observations of a window, of shared or of all equipment."""

    kind: str
    start: int
    end: int

    @classmethod
    def of(cls, kind: str, context: Context) -> "RowsView | None":
        """What a fact or working that reads `kind` of rows reads; None: none."""
        if kind == "none":
            return None
        assert context.start is not None
        return cls(kind, context.start, context.end)

    @property
    def name(self) -> str:
        """Its name in SQL."""
        return f"rows_{self.kind}_{self.start}_{self.end}"

    @property
    def months(self) -> str:
        """The whole months that the window touches, as a relation."""
        touched = month_masks(self.start, self.end)
        return f"(SELECT * FROM {self.kind}_rows WHERE month BETWEEN {min(touched)} AND {max(touched)})"

    def sql(self) -> str:
        """SELECT of its rows, with the days outside the window cut off."""
        masks = month_masks(self.start, self.end)
        starts = " ".join(f"WHEN {m} THEN {_month_start(m)}" for m in masks)
        cases = " ".join(f"WHEN {month} THEN day_mask & {mask}" for month, mask in masks.items())
        return (
            f"SELECT * FROM (SELECT imei, imsi, msisdn, operator, month, CASE month {starts} END AS "
            f"month_start, CASE month {cases} ELSE 0 END AS day_mask FROM {self.kind}_rows) AS inside "
            "WHERE day_mask <> 0"
        )


def month_masks(start: int, end: int) -> dict[int, int]:
    """For each month touched by [start, end): the bits of its days inside."""
    masks: dict[int, int] = {}
    day = day_of(start)
    while day_number(day) < end:
        key = day.year * 100 + day.month
        masks[key] = masks.get(key, 0) | 1 << (day.day - 1)
        day += timedelta(days=1)
    return masks


def _month_start(month: int) -> int:
    return day_number(day_of(0).replace(year=month // 100, month=month % 100))


@dataclass(frozen=True)
class Relation:
    """A working with the parameters that a policy gives it.

    Args:
        name: of the table in SQL: that of the working, unless a policy gives it two meanings.
        sources: all that it reads, also by way of other workings.
        known: whether all that it rests on was ever told; else it is not computed.
        informed: the sources it may read that were told.
        read: the relations it reads.
    """

    name: str
    working: Working
    context: Context
    sources: tuple[str, ...]
    known: bool
    informed: tuple[str, ...]
    read: tuple["Relation", ...]

    @property
    def rows(self) -> RowsView | None:
        """The view of observations it reads."""
        return RowsView.of(self.working.rows, self.context)

    def sql(self) -> str:
        """Its query with the names of what it reads in place."""
        sql = self.working.sql(self.context)
        if self.rows is not None:
            sql = sql.replace("{rows}", self.rows.name).replace("{months}", self.rows.months)
        for source in _row_sources(self.working):
            sql = sql.replace(f"{{{source.view}}}", _window_name(source, self.context))
        for relation in self.read:
            sql = sql.replace(f"{{{relation.working.name}}}", relation.name)
        return sql

    def meaning(self) -> str:
        """What it computes, whatever the day."""
        read = [relation.name for relation in self.read]
        return f"{self.known}:{self.informed}:{read}:{self.working.sql(without_day(self.context))}"

    def drifts(self, before: int, after: int) -> Iterable[str]:
        """SELECTs of `imei` with sightings or fingerprints that left the window, or came into it, between the
        days before `before` and `after`."""
        if not self.known:
            return
        start = self.context.start
        for source in _row_sources(self.working):
            assert start is not None
            day = f"{source.dated_by} // {source.units_a_day}"
            gone = f"{day} >= {start} AND {day} < {start + after - before}"
            come = f"{day} >= {before} AND {day} < {after}"
            moved = f"SELECT imei FROM {source.view} WHERE ({gone}) OR ({come})"
            if self.working.single:
                yield moved
                continue
            several = (
                f"SELECT imei FROM {source.view} WHERE {day} >= {start} AND {day} < {after} "
                "GROUP BY imei HAVING MIN(imsi) <> MAX(imsi)"
            )
            yield f"SELECT imei FROM ({several}) AS several WHERE imei IN ({moved})"


def without_day(context: Context) -> Context:
    """The same on the first of all days: what is left is what a policy means."""
    start = None if context.start is None else context.start - context.end
    return replace(context, start=start, end=0)


def working_names(wanted: Iterable[str]) -> tuple[str, ...]:
    """Workings and those that they read, each after what it reads."""
    found: dict[str, None] = {}
    for name in wanted:
        found |= dict.fromkeys(working_names(all_workings()[name].workings))
        found[name] = None
    return tuple(found)


def relations_of(
    wanted: Iterable[str],
    context: Context,
    relations: dict[tuple[str, Context], Relation],
    known_sources: frozenset[str],
) -> tuple[Relation, ...]:
    """The relations of workings under a fact's parameters, made where they are new.

    Args:
        relations: those made so far, by name of the working and its own part of the parameters.
    """
    return tuple(_relation(all_workings()[name], context, relations, known_sources) for name in wanted)


def _relation(
    working: Working,
    context: Context,
    relations: dict[tuple[str, Context], Relation],
    known_sources: frozenset[str],
) -> Relation:
    read = relations_of(working.workings, context, relations, known_sources)
    chain = [all_workings()[name] for name in working_names((working.name,))]
    parameters = {p for w in chain for p in w.parameters}
    own = replace(
        context,
        start=context.start if parameters & set(WINDOW_PARAMETERS) else None,
        parameters=Frozen({k: v for k, v in context.parameters.items() if k in parameters}),
    )
    key = (working.name, own)
    if key not in relations:
        number = sum(1 for name, _ in relations if name == working.name) + 1
        needed = {*working.reads, *(s for r in read for s in r.working.reads)}
        relations[key] = Relation(
            name=working.name if number == 1 else f"{working.name}_{number}",
            working=working,
            context=own,
            sources=tuple(sorted({*working.reads, *working.may_read, *(s for r in read for s in r.sources)})),
            known=needed <= known_sources and all(r.known for r in read),
            informed=tuple(s for s in working.may_read if s in known_sources),
            read=read,
        )
    return relations[key]


def name_relations(engine: Engine, relations: Sequence[Relation], *, scoped: bool) -> None:
    """Compute the workings, and name the sightings and fingerprints of the windows that they read.

    Args:
        scoped: only `subjects` are looked at, not all equipment.
    """
    for view, sql in _windows(relations, scoped=scoped).items():
        engine.view(view, sql)
    for relation in relations:
        if relation.known:
            engine.table(relation.name, relation.sql())


def mates_sql(relations: Sequence[Relation], scope: str, *, before: bool) -> list[str]:
    """SELECTs of the equipment whose rows depend on those of the equipment in a scope.

    Args:
        before: the registrations changed, and those of before count too.
    """
    views = ("registrations", "registrations_before") if before else ("registrations",)
    return sorted(
        {
            r.working.mates.replace("{scope}", scope).replace("{registrations}", view)
            for r in relations
            if r.known and r.working.mates
            for view in views
        }
    )


def _row_sources(working: Working) -> list[Source]:
    """Sources kept as rows that a working reads cut to its window."""
    return [s for s in all_sources().values() if s.folded == "rows" and s.name in working.reads]


def _window_name(source: Source, context: Context) -> str:
    return f"{source.view}_{context.start}_{context.end}"


def _windows(relations: Sequence[Relation], *, scoped: bool) -> Mapping[str, str]:
    views = {}
    for relation in relations:
        if not relation.known:
            continue
        start, end = relation.context.start, relation.context.end
        for source in _row_sources(relation.working):
            assert start is not None
            unit = source.units_a_day
            sql = (
                f"SELECT {', '.join(source.table.names)} FROM {source.view} WHERE "
                f"{source.dated_by} >= {start * unit} AND {source.dated_by} < {end * unit}"
            )
            if scoped:
                sql += " AND imei IN (SELECT imei FROM subjects)"
            views[_window_name(source, relation.context)] = sql
    return views
