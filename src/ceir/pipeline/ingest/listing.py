"""Reference lists: a full file replaces the current entries, a delta changes them."""

from pathlib import Path

from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.quarantining import save_quarantine, write_quarantine
from ceir.pipeline.ingest.work import Stored, Work, malformed_sql
from ceir.sources import Source
from ceir.sources._kinds import IMEI


def store(work: Work) -> Stored:
    """Stage the file's entries and the state of the list after it."""
    engine, source = work.engine, work.source
    names = value_columns(source) + (["change_type"] if work.delta else [])
    texts = [f"{f.name}_text" for f in source.fields if f.kind is IMEI]
    columns = ", ".join(names + texts)
    total = float(work.opened.lines - 1)
    with work.progress.step(f"Reading {work.opened.name}", total) as step:
        engine.table(
            "entries",
            f"SELECT {columns}, fault, count(*) AS n FROM ({work.parser.rows_sql}) GROUP BY {columns}, fault",
            step,
            total,
        )
    faulty = work.number("SELECT sum(n) FROM entries WHERE fault IS NOT NULL")
    quarantine = save_quarantine(work, faulty)
    engine.execute("DELETE FROM entries WHERE fault IS NOT NULL")
    rows, distinct = (int(str(v or 0)) for v in engine.rows("SELECT sum(n), count(*) FROM entries")[0])
    key = ", ".join(source.key)
    change = ", change_type" if work.delta else ""
    conflicts = work.number(
        f"SELECT count(*) FROM (SELECT {key} FROM entries GROUP BY {key}{change} HAVING count(*) > 1)"
    )
    opposed = (
        work.number(
            f"SELECT count(*) FROM (SELECT {key} FROM entries GROUP BY {key} HAVING count(DISTINCT "
            f"change_type) > 1)"
        )
        if work.delta
        else None
    )
    if conflicts or opposed:
        quarantine, apart = _quarantine_conflicts(work, quarantine, key)
        rows, distinct, faulty = rows - apart[0], distinct - apart[1], faulty + apart[0]
    measured = _measure(work) | {"conflicting_keys": conflicts, "change_conflicts": opposed}
    entries = ", ".join(names)
    states: tuple[Path, ...] = ()
    with work.progress.step(f"Storing {work.opened.name}", None, "rows"):
        if work.delta:
            data = work.save(f"SELECT {entries} FROM entries ORDER BY {key}, change_type", "changes.parquet")
            engine.view("changes", f"SELECT {entries} FROM entries")
            states = (work.save(after_delta_sql(source, work.received_on), "state.parquet"),)
            total_rows = _rows(work, states[0])
        else:
            engine.view("fresh", f"SELECT {', '.join(value_columns(source))} FROM entries")
            data = work.save(after_full_sql(source, work.received_on), "state.parquet")
            total_rows = _rows(work, data)
    malformed = bool(texts) and work.number(
        f"SELECT count(*) FROM entries WHERE {' OR '.join(f'{t} IS NOT NULL' for t in texts)}"
    )
    shrunk = _measure_size(work, total_rows)
    return Stored(
        counts=Counts(
            read=rows + faulty, kept=distinct, folded=rows - distinct, quarantined=faulty, stored=distinct
        ),
        files={
            "data": (data,),
            "state": states,
            "malformed": (
                work.save(
                    malformed_sql("entries", tuple(t.removesuffix("_text") for t in texts)),
                    "malformed.parquet",
                ),
            )
            if malformed
            else (),
            "quarantine": quarantine,
        },
        measured=measured | shrunk,
        list_rows=total_rows,
    )


def value_columns(source: Source) -> list[str]:
    """Columns of an entry, without `since`."""
    return [c for c in source.table.names if c != "since"]


def after_full_sql(source: Source, received_on: int) -> str:
    """The list after a full file in the view `fresh`: an entry that stood unchanged keeps its `since`.

    The view `current` holds the list before.
    """
    names = value_columns(source)
    # Keys are never null, other columns may be: equal means equal or both null.
    same = " AND ".join(f"c.{n} IS NOT DISTINCT FROM f.{n}" for n in names if n not in source.key)
    keys = " AND ".join(f"c.{n} = f.{n}" for n in _joined(source))
    nulls = " AND ".join(f"c.{n} IS NOT DISTINCT FROM f.{n}" for n in source.key if n not in _joined(source))
    also = " AND ".join(t for t in (same, nulls) if t)
    chosen = ", ".join(f"f.{n}" for n in names)
    order = ", ".join(f"f.{n}" for n in source.key)
    return (
        f"SELECT {chosen}, CAST(coalesce(c.since, {received_on}) AS INTEGER) AS since FROM fresh AS f "
        f"LEFT JOIN current AS c ON {keys}" + (f" AND {also}" if also else "") + f" ORDER BY {order}"
    )


def after_delta_sql(source: Source, received_on: int) -> str:
    """The list after the delta in the view `changes`; the view `current` holds the list before."""
    names = ", ".join(value_columns(source))
    keys = " AND ".join(f"x.{n} IS NOT DISTINCT FROM c.{n}" for n in source.key)
    return (
        f"SELECT * FROM (SELECT {names}, since FROM current AS c "
        f"WHERE NOT EXISTS (SELECT 1 FROM changes AS x WHERE {keys}) "
        f"UNION ALL SELECT {names}, CAST({received_on} AS INTEGER) AS since FROM changes "
        f"WHERE change_type <> 'remove') ORDER BY {', '.join(source.key)}"
    )


def view_current(work: Work) -> int:
    """Name the list before this file `current`; returns its rows."""
    state = work.catalogue.lists.get(work.source.name)
    paths = [work.workspace.path(state.path)] if state else []
    work.engine.files("current", paths, work.source.table.columns)
    return state.rows if state else 0


def _joined(source: Source) -> list[str]:
    """Key columns that are never null: a join on them can hash."""
    required = {f.name for f in source.fields if f.required}
    return [n for n in source.key if n in required]


def _measure(work: Work) -> dict[str, float | None]:
    before = view_current(work)
    if not work.delta:
        return {}
    keys = " AND ".join(f"c.{n} IS NOT DISTINCT FROM x.{n}" for n in work.source.key)

    def count(change: str, present: str) -> int:
        return work.number(
            f"SELECT count(*) FROM entries AS x WHERE change_type IN ({change}) "
            f"AND {present} EXISTS (SELECT 1 FROM current AS c WHERE {keys})"
        )

    return {
        "adds_present": count("'add'", "") if before else 0,
        "removes_absent": count("'remove', 'update'", "NOT"),
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


def _quarantine_conflicts(
    work: Work, quarantine: tuple[Path, ...], key: str
) -> tuple[tuple[Path, ...], tuple[int, int]]:
    """Set all rows of contradictory keys apart: if the file is taken all the same, none of them counts."""
    # a NULL-safe key comparison: parts of a key may be empty
    match = " AND ".join(f"k.{n} IS NOT DISTINCT FROM e.{n}" for n in work.source.key)
    work.engine.table("torn", f"SELECT {key} FROM entries GROUP BY {key} HAVING count(*) > 1")
    apart = work.engine.rows(
        f"SELECT coalesce(sum(n), 0), count(*) FROM entries AS e WHERE EXISTS (SELECT 1 FROM torn AS k "
        f"WHERE {match})"
    )[0]
    if not quarantine:
        work.engine.table(
            "quarantined",
            "SELECT '' AS file, CAST(0 AS BIGINT) AS line, '' AS \"column\", '' AS reason, '' AS text WHERE "
            "FALSE",
        )
    name = work.opened.name.replace("'", "''")
    numbered = f"SELECT * FROM ({work.parser.numbered_sql}) WHERE fault IS NULL"
    work.engine.execute(
        f"INSERT INTO quarantined SELECT '{name}', line, '{key}', 'contradicts another row of the same "
        f"key', l "
        f"FROM ({numbered}) AS e WHERE EXISTS (SELECT 1 FROM torn AS k WHERE {match})"
    )
    work.engine.execute(f"DELETE FROM entries AS e WHERE EXISTS (SELECT 1 FROM torn AS k WHERE {match})")
    return write_quarantine(work), (int(str(apart[0])), int(str(apart[1])))


def _rows(work: Work, file: Path) -> int:
    return work.number(f"SELECT count(*) FROM read_parquet('{str(file).replace(chr(39), chr(39) * 2)}')")
