"""Reference lists: a full file replaces the current entries, a delta changes them."""

from pathlib import Path

from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.work import Read, Work, save_malformed, share
from ceir.sources import Source
from ceir.sources._kinds import IMEI


def read(work: Work) -> Read:
    """Read the file's entries into the table `entries`, the list after it into `after`, and measure both.

    All rows of contradictory keys are set apart, their keys in the table `torn`: if the file is taken all the
    same, none of them counts.
    """
    engine, source = work.engine, work.source
    columns = ", ".join(_entry_columns(work) + [f"{name}_text" for name in _identities(source)])
    total = float(work.opened.text.lines - 1)
    with work.progress.step(f"Reading {work.opened.name}", total) as step:
        engine.table(
            "entries",
            f"SELECT {columns}, fault, count(*) AS n FROM ({work.parser.rows_sql}) GROUP BY {columns}, fault",
            step,
            total,
        )
    faulty = work.number("SELECT sum(n) FROM entries WHERE fault IS NOT NULL")
    engine.execute("DELETE FROM entries WHERE fault IS NOT NULL")
    readable = work.number("SELECT sum(n) FROM entries")
    measured: dict[str, float | None] = {"quarantined_share": share(faulty, readable + faulty)}
    measured |= _set_conflicts_apart(work)
    rows, kept = (int(str(v or 0)) for v in engine.rows("SELECT sum(n), count(*) FROM entries")[0])
    measured |= _measure_changes(work)
    engine.view(
        "changes" if work.delta else "fresh", f"SELECT {', '.join(_entry_columns(work))} FROM entries"
    )
    after = after_delta_sql if work.delta else after_full_sql
    engine.table("after", after(source, work.received_on))
    list_rows = work.number("SELECT count(*) FROM after")
    return Read(
        counts=Counts(
            read=readable + faulty,
            kept=kept,
            folded=rows - kept,
            quarantined=faulty + readable - rows,
            stored=kept,
        ),
        measured=measured | _measure_size(work, list_rows),
        list_rows=list_rows,
        torn=rows < readable,
    )


def save(work: Work, read: Read) -> dict[str, tuple[Path, ...]]:  # noqa: ARG001 - as for other sources
    """Stage the entries of a full file, or the changes of a delta and the list after it."""
    key = ", ".join(work.source.key)
    with work.progress.step(f"Storing {work.opened.name}"):
        state = work.save(f"SELECT * FROM after ORDER BY {key}", "state.parquet")
        files = {"data": (state,)}
        if work.delta:
            changes = work.save(f"SELECT * FROM changes ORDER BY {key}, change_type", "changes.parquet")
            files = {"data": (changes,), "state": (state,)}
        return files | {"malformed": save_malformed(work, "entries", _identities(work.source))}


def _entry_columns(work: Work) -> list[str]:
    return value_columns(work.source) + (["change_type"] if work.delta else [])


def _identities(source: Source) -> tuple[str, ...]:
    return tuple(f.name for f in source.fields if f.kind is IMEI)


def value_columns(source: Source) -> list[str]:
    """Columns of an entry, without `since`."""
    return [c for c in source.table.names if c != "since"]


def after_full_sql(source: Source, received_on: int) -> str:
    """The list after a full file in the view `fresh`; the view `current` holds the list before."""
    return _dated_sql("fresh", source, received_on)


def after_delta_sql(source: Source, received_on: int) -> str:
    """The list after the delta in the view `changes`; the view `current` holds the list before."""
    names = ", ".join(value_columns(source))
    fresh = "(SELECT * FROM changes WHERE change_type <> 'remove')"
    return (
        f"SELECT {names}, since FROM current AS c "
        f"WHERE NOT EXISTS (SELECT 1 FROM changes AS x WHERE {_same_key(source, 'x', 'c')}) "
        f"UNION ALL {_dated_sql(fresh, source, received_on)}"
    )


def _dated_sql(fresh: str, source: Source, received_on: int) -> str:
    """Entries with the day they came on the list: one that stood there unchanged keeps its own."""
    names = value_columns(source)
    rest = "".join(f" AND f.{n} IS NOT DISTINCT FROM c.{n}" for n in names if n not in source.key)
    return (
        f"SELECT {', '.join(f'f.{n}' for n in names)}, "
        f"CAST(coalesce(c.since, {received_on}) AS INTEGER) AS since "
        f"FROM {fresh} AS f LEFT JOIN current AS c ON {_same_key(source, 'f', 'c')}{rest}"
    )


def _same_key(source: Source, one: str, other: str) -> str:
    """Whether two rows are of one key; a part that may be empty is equal when both are."""
    required = {f.name for f in source.fields if f.required}
    return " AND ".join(
        f"{one}.{n} {'=' if n in required else 'IS NOT DISTINCT FROM'} {other}.{n}" for n in source.key
    )


def _set_conflicts_apart(work: Work) -> dict[str, float | None]:
    """Count the keys that contradict themselves, and take their entries out."""
    key = ", ".join(work.source.key)
    change = ", change_type" if work.delta else ""
    conflicts = work.number(
        f"SELECT count(*) FROM (SELECT {key} FROM entries GROUP BY {key}{change} HAVING count(*) > 1)"
    )
    opposed = None
    if work.delta:
        opposed = work.number(
            f"SELECT count(*) FROM (SELECT {key} FROM entries GROUP BY {key} "
            "HAVING count(DISTINCT change_type) > 1)"
        )
    if conflicts or opposed:
        work.engine.table("torn", f"SELECT {key} FROM entries GROUP BY {key} HAVING count(*) > 1")
        work.engine.execute(f"DELETE FROM entries AS e WHERE {torn_sql(work.source, 'e')}")
    return {"conflicting_keys": conflicts, "change_conflicts": opposed}


def torn_sql(source: Source, rows: str) -> str:
    """Predicate: the row of the relation `rows` has a key that contradicts itself."""
    return f"EXISTS (SELECT 1 FROM torn AS k WHERE {_same_key(source, 'k', rows)})"


def _measure_changes(work: Work) -> dict[str, float | None]:
    """Name the list before this file `current`, and hold a delta against it."""
    state = work.catalogue.lists.get(work.source.name)
    paths = [work.workspace.path(state.path)] if state else []
    work.engine.files("current", paths, work.source.table.columns)
    if not work.delta:
        return {}
    on_list = f"EXISTS (SELECT 1 FROM current AS c WHERE {_same_key(work.source, 'c', 'x')})"

    def count(test: str) -> int:
        return work.number(f"SELECT count(*) FROM entries AS x WHERE {test}")

    return {
        "adds_present": count(f"change_type = 'add' AND {on_list}"),
        "removes_absent": count(f"change_type <> 'add' AND NOT {on_list}"),
    }


def _measure_size(work: Work, rows: int) -> dict[str, float | None]:
    state = work.catalogue.lists.get(work.source.name)
    if work.delta or state is None or not state.rows:
        return {}
    limit = {c.name: work.policy.limit(work.source.name, c.name, c.limit) for c in work.source.checks}
    return {
        "shrunk_by": max(0, state.rows - rows) if limit["shrunk_by"] >= 0 else None,
        "kept_share": rows / state.rows if limit["kept_share"] > 0 else None,
    }
