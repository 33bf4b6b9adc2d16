"""A look at the installation and the workspace: each check a line, with what to do about it."""

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

from ceir.errors import CeirError
from ceir.pipeline.catalogue import Catalogue
from ceir.pipeline.engines import Limits
from ceir.pipeline.retaining import overdue
from ceir.pipeline.workspace import Workspace, sha256_of
from ceir.sources import all_sources

FREE_BYTES = 2 * 10**9
"""Less free disk than this may not be enough to spill a country's larger steps."""


@dataclass(frozen=True)
class Finding:
    """A check and how it went."""

    check: str
    state: Literal["ok", "warning", "fault"]
    detail: str
    hint: str = ""


def examine_installation() -> tuple[Finding, ...]:
    """What can be checked without a workspace."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    spark = importlib.util.find_spec("pyspark") is not None
    return (
        Finding(
            "Python",
            "ok" if supported else "warning",
            f"version {python}",
            "" if supported else "Use Python 3.11 to 3.13.",
        ),
        Finding("DuckDB", "ok", f"version {duckdb.__version__}"),
        Finding(
            "Spark (optional)",
            "ok",
            "installed" if spark else "not installed: only needed when one machine is not enough",
        ),
    )


def examine(workspace: Workspace, limits: Limits, today: date) -> tuple[Finding, ...]:
    """Check the installation and a workspace; changes nothing.

    Args:
        today: for retention and freshness.
    """
    findings = list(examine_installation())
    try:
        catalogue = workspace.catalogue()
    except CeirError as error:
        return (*findings, Finding("Catalogue", "fault", error.detail, error.hint))
    findings.append(
        Finding(
            "Catalogue",
            "ok",
            f"change {catalogue.sequence}, {len(catalogue.live)} ingests, {len(catalogue.runs)} runs",
        )
    )
    findings += [
        _policy(workspace),
        _disk(workspace),
        _files(workspace, catalogue),
        _lists(workspace, catalogue),
        _sources(catalogue),
        _retention(workspace, today),
        _memory(limits),
    ]
    return tuple(findings)


def _policy(workspace: Workspace) -> Finding:
    try:
        policy, _ = workspace.policy()
    except CeirError as error:
        return Finding("Policy", "fault", error.detail, error.hint)
    blocking = sum(c.blocking for c in policy.conditions.values())
    return Finding(
        "Policy",
        "ok",
        f"{policy.name} version {policy.version}: {len(policy.conditions)} conditions, {blocking} blocking",
    )


def _disk(workspace: Workspace) -> Finding:
    free = shutil.disk_usage(workspace.root).free
    shown = f"{free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        return Finding(
            "Disk",
            "warning",
            shown,
            "Large countries spill to disk while they are classified: free some room.",
        )
    return Finding("Disk", "ok", shown)


def _files(workspace: Workspace, catalogue: Catalogue) -> Finding:
    missing = sorted(path for path in catalogue.referenced() if not workspace.path(path).exists())
    if missing:
        return Finding(
            "Lake",
            "fault",
            f"{len(missing)} files are missing, first: {missing[0]}",
            "Restore them from a backup, or undo the ingest they belong to.",
        )
    return Finding("Lake", "ok", "every file the catalogue names is there")


def _lists(workspace: Workspace, catalogue: Catalogue) -> Finding:
    """The newest published lists against the fingerprints taken when they were written."""
    published = [r for r in catalogue.runs if r.publications]
    if not published:
        return Finding("Published lists", "ok", "none yet")
    publication = published[-1].publications[-1]
    for file, sha256 in publication.sha256.items():
        path = workspace.path(publication.path) / file
        if not path.is_file() or sha256_of(path) != sha256:
            return Finding(
                "Published lists",
                "fault",
                f"{path} is not what was published",
                "Do not send it; publish again from a new run.",
            )
    return Finding(
        "Published lists",
        "ok",
        f"run {published[-1].id} of {published[-1].as_of}: {len(publication.sha256)} files unchanged",
    )


def _sources(catalogue: Catalogue) -> Finding:
    never = [s.name for s in all_sources().values() if not any(i.source == s.name for i in catalogue.live)]
    if "observations" in never:
        return Finding(
            "Sources", "warning", "no observations yet", "ceir ingest observations FILE --operator ID"
        )
    if never:
        return Finding(
            "Sources",
            "warning",
            f"never ingested: {', '.join(never)}",
            "Rules that rest on them match nothing until they come.",
        )
    return Finding("Sources", "ok", "every source has data")


def _retention(workspace: Workspace, today: date) -> Finding:
    try:
        due = overdue(workspace, today)
    except CeirError as error:
        return Finding("Retention", "fault", error.detail, error.hint)
    if due:
        return Finding(
            "Retention", "warning", "personal data is kept longer than the policy allows", "ceir prune"
        )
    return Finding("Retention", "ok", "no personal data is overdue")


def _memory(limits: Limits) -> Finding:
    shown = f"{limits.memory_gb} GB" if limits.memory_gb else "the engine's default share of the machine"
    return Finding("Memory", "ok", f"may use {shown}, then spills to disk")
