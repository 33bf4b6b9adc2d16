"""What a classification reads, as named views in an engine."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ceir.pipeline.catalogue import Catalogue, Ingest, Run
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.sources import all_sources
from ceir.tables.malformed import TABLE as MALFORMED
from ceir.tables.observations import TABLE as OBSERVATIONS

SHARED = "(imsi_low <> imsi_high OR msisdn_low <> msisdn_high)"
"""Predicate over `equipment`: it was seen with several subscribers; only then can counts reach two."""


def observation_ingests(catalogue: Catalogue) -> tuple[Ingest, ...]:
    """Live ingests of observations."""
    return tuple(i for i in catalogue.live if i.source == "observations")


def observation_paths(workspace: Workspace, catalogue: Catalogue) -> list[Path]:
    """Files that together hold every live observation once: merged months, and single files not in one."""
    covered = {(m.month, m.operator, i) for m in catalogue.merged for i in m.ingests}
    paths = [workspace.path(m.path) for m in catalogue.merged]
    for ingest in observation_ingests(catalogue):
        for month, path in zip(ingest.months, ingest.files.get("data", ()), strict=True):
            if (month, ingest.operator, ingest.id) not in covered:
                paths.append(workspace.path(path))
    return paths


def known_sources(catalogue: Catalogue) -> frozenset[str]:
    """Sources of which something is in force, whose facts are therefore known."""
    return frozenset(catalogue.lists) | _kept_as_rows(catalogue.live)


def known_to(run: Run, catalogue: Catalogue) -> frozenset[str]:
    """Sources that were known to a run."""
    inputs = set(run.inputs)
    return frozenset(run.list_states) | _kept_as_rows(i for i in catalogue.ingests if i.id in inputs)


def _kept_as_rows(ingests: Iterable[Ingest]) -> frozenset[str]:
    """Those of their sources whose rows are kept as they are."""
    sources = all_sources()
    return frozenset(name for name in {i.source for i in ingests} if sources[name].folded == "rows")


def row_paths(
    workspace: Workspace, ingests: Iterable[Ingest], source: str, first_month: int = 0
) -> list[Path]:
    """Files with the rows of a source that keeps them as they are, without months before the first."""
    return [
        workspace.path(path)
        for ingest in ingests
        if ingest.source == source
        for month, path in zip(ingest.months, ingest.files.get("data", ()), strict=True)
        if month >= first_month
    ]


def name_inputs(engine: Engine, workspace: Workspace, catalogue: Catalogue, first_month: int = 0) -> None:
    """Name `observations`, `malformed`, the current state of every list source and the rows of the others.

    Args:
        first_month: no sightings or fingerprints of earlier months are needed.
    """
    engine.files("observations", observation_paths(workspace, catalogue), OBSERVATIONS.columns)
    texts = [workspace.path(p) for i in catalogue.live for p in i.files.get("malformed", ())]
    engine.files("malformed_parts", texts, MALFORMED.columns)
    engine.table("malformed", "SELECT DISTINCT imei, text, tac, reporting_body FROM malformed_parts")
    for source in all_sources().values():
        if source.folded == "list":
            state = catalogue.lists.get(source.name)
            paths = [workspace.path(state.path)] if state else []
            engine.files(source.view, paths, source.table.columns)
        elif source.folded == "rows":
            paths = row_paths(workspace, catalogue.live, source.name, first_month)
            engine.files(source.view, paths, source.table.columns)


def fold_sql(rows: str) -> str:
    """SELECT that folds observations into `devices` rows."""
    return (
        "SELECT imei, MIN(first_day) AS first_day, MAX(last_day) AS last_day, BIT_OR(rats) AS rats, "
        "MIN(imsi) AS imsi_low, MAX(imsi) AS imsi_high, MIN(msisdn) AS msisdn_low, MAX(msisdn) AS "
        "msisdn_high "
        f"FROM {rows} WHERE imei IS NOT NULL GROUP BY imei"
    )


def refold_sql(devices: str) -> str:
    """SELECT that folds `devices` rows of the same equipment together."""
    return (
        "SELECT imei, MIN(first_day) AS first_day, MAX(last_day) AS last_day, BIT_OR(rats) AS rats, "
        "MIN(imsi_low) AS imsi_low, MAX(imsi_high) AS imsi_high, "
        "MIN(msisdn_low) AS msisdn_low, MAX(msisdn_high) AS msisdn_high "
        f"FROM {devices} GROUP BY imei"
    )


def equipment_sql(devices: str, listed: Iterable[str]) -> str:
    """SELECT of all equipment a run looks at: seen, or on one of the `listed` lists, with its TAC and
    text."""
    lists = sorted(listed)
    # A malformed identity carries its TAC and reporting body in `malformed`; a number carries them itself.
    known = (
        "SELECT d.imei, d.first_day, d.last_day, d.rats, d.imsi_low, d.imsi_high, d.msisdn_low, "
        "d.msisdn_high, "
        "CASE WHEN d.imei >= 0 THEN CAST(d.imei // 1000000 AS INTEGER) ELSE m.tac END AS tac, "
        "CASE WHEN d.imei >= 0 THEN CAST(d.imei // 1000000000000 AS INTEGER) ELSE m.reporting_body END "
        "AS reporting_body, "
        "CASE WHEN d.imei >= 0 THEN LPAD(CAST(d.imei AS VARCHAR), 14, '0') ELSE m.text END AS text "
    )
    join = " LEFT JOIN malformed AS m ON m.imei = d.imei"
    seen = f"{known} FROM {devices} AS d{join}"
    if not lists:
        return seen
    union = " UNION ".join(f"SELECT imei FROM {name}" for name in lists)
    nothing = ", ".join(
        f"CAST(NULL AS {kind}) AS {name}"
        for name, kind in (
            ("first_day", "INTEGER"),
            ("last_day", "INTEGER"),
            ("rats", "INTEGER"),
            ("imsi_low", "BIGINT"),
            ("imsi_high", "BIGINT"),
            ("msisdn_low", "BIGINT"),
            ("msisdn_high", "BIGINT"),
        )
    )
    unseen = (
        f"SELECT l.imei, {nothing} FROM ({union}) AS l LEFT JOIN {devices} AS x ON x.imei = l.imei "
        "WHERE x.imei IS NULL"
    )
    return f"{seen} UNION ALL {known} FROM ({unseen}) AS d{join}"


def list_paths(catalogue: Catalogue, sources: Sequence[str]) -> dict[str, str]:
    """Where the current state of each of these list sources lies; those never ingested are absent."""
    return {name: catalogue.lists[name].path for name in sources if name in catalogue.lists}
