"""What a snapshot is made of: a run's published lists, and the spans that the policy bars as a whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ceir.distribution.spans import Span, laid_apart
from ceir.equipment_check.snapshot.building import SnapshotContent
from ceir.equipment_check.snapshot.format import LISTS, SERIALS, StatusName
from ceir.pipeline.catalogue import Run
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.policy.model import Condition
from ceir.sources import source_named
from ceir.tables.devices import TABLE as DEVICES

Numbers = npt.NDArray[np.uint64]

SPAN_RULES = {"tac_barred": "barred-tacs", "imei_range_barred": "barred-ranges"}
"""Rules that hold for whole spans of IMEIs, seen or not, and the source they read."""

_NONE: Numbers = np.array([], dtype=np.uint64)
_DIGITS = " CROSS JOIN ".join(
    f"(SELECT {' AS n UNION ALL SELECT '.join(map(str, range(10)))} AS n) AS d{place}" for place in range(6)
)
_SERIAL = " + ".join(f"d{place}.n * {10**place}" for place in range(6))


@dataclass(frozen=True)
class Sources:
    """Where the parts of a snapshot lie.

    Args:
        lists: folder of the run's full lists.
        operators: whose exceptions go in.
        devices: the run's folded devices.
    """

    workspace: Workspace
    run: Run
    policy: Policy
    lists: Path
    operators: tuple[str, ...]
    devices: Path | None


@dataclass(frozen=True)
class Content:
    """The content, and what a person should know of it.

    Args:
        malformed: listed identities that are not 14 digits, by list: no equipment check can know them.
        spared: identities inside barred spans that are permitted one by one.
    """

    parts: SnapshotContent
    malformed: dict[str, int]
    spared: int


def snapshot_content(sources: Sources, engine: Engine) -> Content:
    """Everything that goes into a snapshot.

    A span that the policy bars as a whole (a barred TAC, a barred range) answers for equipment that was never
    seen, as the policy would on the day it is first seen: blocked where the condition has no grace, tracked
    where it has. Equipment that was seen has its own verdict, and golden equipment is never blocked: what of
    either lies in a span and is on no list is permitted by name.
    """
    spans = _spans(sources, engine)
    blocking = [s for s in spans if s[2] == "blocked"]
    spared = _spared(sources, engine, blocking) if blocking else _NONE
    malformed = {name: _malformed(sources.lists / f"{name}.parquet") for name in LISTS}
    identities: dict[str, Iterable[Numbers]] = {
        name: _identities(sources.lists / f"{name}.parquet") for name in LISTS
    }
    identities["permitted"] = _with(identities["permitted"], spared)
    parts = SnapshotContent(
        identities=identities,
        ranges=spans,
        versions=_versions(sources, engine),
        pairs=_pairs(sources),
        subscribers=[
            (int(f"1{r.first}"), int(f"1{r.last}")) for r in sources.policy.equipment_check.subscriber_ranges
        ],
    )
    return Content(parts, {name: n for name, n in malformed.items() if n}, int(spared.size))


def _spans(sources: Sources, engine: Engine) -> list[Span]:
    spans: list[Span] = []
    staged = sources.policy.release.staged
    for label, condition in sources.policy.conditions.items():
        status = _status_of_unseen(condition, sources.policy, sources.run)
        if status == "blocked" and label in staged:
            status = "tracked"  # a block that comes step by step comes on nobody's first day
        if status is not None:
            spans += [(first, last, status) for first, last in _barred(sources, engine, condition)]
    return laid_apart(spans)


def _status_of_unseen(condition: Condition, policy: Policy, run: Run) -> StatusName | None:
    """What a condition about a span would mean to equipment first seen tomorrow; None: nothing, or it is
    about more than the span."""
    if len(condition.all) != 1 or condition.all[0].negated or condition.all[0].rule not in SPAN_RULES:
        return None
    if condition.first_seen_from is not None and condition.first_seen_from > run.as_of:
        return None
    if not condition.blocking:
        return "tracked" if condition.tracked else None
    amnesty = policy.amnesty
    granted = (
        amnesty.enabled
        and condition.amnesty_eligible
        and amnesty.evaluation_until is not None
        and run.as_of < amnesty.evaluation_until
    )
    return "tracked" if condition.grace_days or granted else "blocked"


def _barred(sources: Sources, engine: Engine, condition: Condition) -> list[tuple[int, int]]:
    source = source_named(SPAN_RULES[condition.all[0].rule])
    engine.files(source.view, _state(sources, source.name), source.table.columns)
    if source.name == "barred-tacs":
        tacs = [int(str(tac)) for (tac,) in engine.rows(f"SELECT DISTINCT tac FROM {source.view}")]
        return [(tac * SERIALS, tac * SERIALS + SERIALS - 1) for tac in tacs]
    rows = engine.rows(f"SELECT DISTINCT first_imei, last_imei FROM {source.view}")
    return [(int(str(first)), int(str(last))) for first, last in rows]


def _spared(sources: Sources, engine: Engine, blocking: list[Span]) -> Numbers:
    """IMEIs inside blocking spans that must not be blocked by them: seen and on no list, or golden."""
    rows = ", ".join(f"({first}, {last})" for first, last, _ in _one_tac_each(blocking))
    engine.table(
        "snapshot_spans",
        f"SELECT CAST(first // {SERIALS} AS BIGINT) AS tac, first, last "
        f"FROM (VALUES {rows}) AS v(first, last)",
    )
    engine.files("devices_seen", [sources.devices] if sources.devices else [], DEVICES.columns)
    seen = (
        "SELECT DISTINCT d.imei FROM devices_seen AS d JOIN snapshot_spans AS s "
        f"ON s.tac = d.imei // {SERIALS} WHERE d.imei >= s.first AND d.imei <= s.last"
    )
    found = {int(str(imei)) for (imei,) in engine.rows(seen)}
    golden = source_named("golden")
    engine.files(golden.view, _state(sources, golden.name), golden.table.columns)
    if engine.rows(f"SELECT 1 FROM {golden.view} LIMIT 1"):
        # Golden equipment is known by a hash only: every identity of the spans is held against them.
        every = (
            f"SELECT s.tac * {SERIALS} + n.serial AS imei, s.first, s.last FROM snapshot_spans AS s "
            f"CROSS JOIN (SELECT {_SERIAL} AS serial FROM {_DIGITS}) AS n"
        )
        found |= {
            int(str(imei))
            for (imei,) in engine.rows(
                f"SELECT DISTINCT e.imei FROM ({every}) AS e JOIN {golden.view} AS g "
                "ON g.imei_md5 = MD5(LPAD(CAST(e.imei AS VARCHAR), 14, '0')) "
                "WHERE e.imei >= e.first AND e.imei <= e.last"
            )
        }
    listed = np.concatenate(
        [_NONE, *(_within(sources.lists / f"{name}.parquet", blocking) for name in LISTS)]
    )
    return np.setdiff1d(np.fromiter(sorted(found), dtype=np.uint64), listed)


def _one_tac_each(spans: Iterable[Span]) -> Iterator[Span]:
    for first, last, status in spans:
        for tac in range(first // SERIALS, last // SERIALS + 1):
            yield max(first, tac * SERIALS), min(last, tac * SERIALS + SERIALS - 1), status


def _within(file: Path, spans: list[Span]) -> Numbers:
    """IMEIs of a list that lie in one of the spans (which are sorted and apart)."""
    firsts = np.array([s[0] for s in spans], dtype=np.uint64)
    lasts = np.array([s[1] for s in spans], dtype=np.uint64)
    kept = [_NONE]
    for chunk in _identities(file):
        place = np.searchsorted(firsts, chunk, side="right").astype(np.int64) - 1
        inside = (place >= 0) & (chunk <= lasts[np.maximum(place, 0)])
        kept.append(chunk[inside])
    return np.concatenate(kept)


def _identities(file: Path) -> Iterator[Numbers]:
    """The 14-digit identities of a list, sorted: lists are ordered by their text, with or without a check
    digit."""
    for text in _column(file, "imei"):
        yield _numbers(text.filter(pc.match_substring_regex(text, "^[0-9]{14}")))


def _malformed(file: Path) -> int:
    return sum(
        len(text.filter(pc.invert(pc.match_substring_regex(text, "^[0-9]{14}"))))
        for text in _column(file, "imei")
    )


def _column(file: Path, name: str) -> Iterator[pa.Array]:
    if file.exists():
        for batch in pq.ParquetFile(file).iter_batches(columns=[name]):
            yield batch.column(0)


def _numbers(text: pa.Array) -> Numbers:
    digits = pc.cast(pc.utf8_slice_codeunits(text, 0, 14), pa.uint64())
    return np.asarray(digits.to_numpy(zero_copy_only=False), dtype=np.uint64)


def _with(chunks: Iterable[Numbers], more: Numbers) -> Iterator[Numbers]:
    """Sorted chunks with more identities put in where they belong."""
    for chunk in chunks:
        if not chunk.size:
            continue
        cut = int(np.searchsorted(more, chunk[-1], side="right"))
        yield np.union1d(chunk, more[:cut])
        more = more[cut:]
    if more.size:
        yield more


def _pairs(sources: Sources) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairings of the operators: an IMSI with a 1 before its digits, as everywhere."""
    found: set[tuple[int, int]] = set()
    for operator in sources.operators:
        file = sources.lists / operator / "exceptions.parquet"
        if not file.exists():
            continue
        for batch in pq.ParquetFile(file).iter_batches(columns=["imei", "imsi"]):
            usable = batch.filter(pc.match_substring_regex(batch.column(0), "^[0-9]{14}"))
            imsis = (int(f"1{imsi}") for imsi in usable.column(1).to_pylist())
            found.update(zip(_numbers(usable.column(0)).tolist(), imsis, strict=True))
    if found:
        ordered = np.array(sorted(found), dtype=np.uint64)
        yield ordered[:, 0], ordered[:, 1]


def _versions(sources: Sources, engine: Engine) -> list[tuple[int, int, StatusName]]:
    source = source_named("software-versions")
    engine.files(source.view, _state(sources, source.name), source.table.columns)
    rows = engine.rows(f"SELECT DISTINCT imei, software_version, status FROM {source.view}")
    return [(int(str(imei)), int(str(version)), _status(str(status))) for imei, version, status in rows]


def _status(name: str) -> StatusName:
    for status in LISTS:
        if status == name:
            return status
    raise AssertionError(f"the source lets no status {name!r} pass")


def _state(sources: Sources, source: str) -> list[Path]:
    """The state of a list source that the run saw; none: it was never ingested."""
    path = sources.run.list_states.get(source)
    return [sources.workspace.path(path)] if path else []
