"""What goes out to networks: of the blocked devices only those that a release let out.

An operator whose equipment check cannot hold exceptions gets no device with which anybody is to go on.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.appeals.restoring import taken_back
from ceir.registry.audit.chain import record
from ceir.registry.pairings.standing import (
    cannot_hold_exceptions,
    excepted_equipment,
    going_on,
    in_clear,
)
from ceir.registry.personal.whole_lists import begin_list
from ceir.registry.releases.models import Release
from ceir.registry.releases.overriding import in_force
from ceir.registry.runs import loading
from ceir.registry.runs.looking import latest_run
from ceir.registry.runs.models import Outcome

MANIFEST = "manifest.json"
_OPERATOR = re.compile(r"[a-z0-9_]{1,16}")
_COLUMNS = "d.imei, d.text, d.since, d.block_on, g.reasons"


class OutgoingError(CeirError):
    """The lists that go out cannot be written."""

    code: ClassVar[str] = "outgoing_refused"


@dataclass(frozen=True)
class Listed:
    """A device on a list that goes out.

    Args:
        identity: 14 digits, or a malformed text.
        since, block_on: ISO days.
    """

    identity: str
    since: str
    block_on: str
    reasons: str


def released(at: datetime, operator: str = "") -> Iterator[Listed]:
    """The devices that are blocked in networks, by their identities' order.

    Args:
        at: aware; which override is in force then, that lets nothing out, and which appeals restored by then.
            Releases are as they stand now.
        operator: at this operator; empty: those blocked at all of them.
    """
    if in_force(at, operator) is not None:
        return
    sql, values = _out_sql(operator)
    without = taken_back(at) | _spared(at, operator)
    for imei, listed in _listed(f"d.outcome = %s AND {sql}", (Outcome.BLOCKED.value, *values)):
        if imei not in without:
            yield listed


def held_back(at: datetime, operator: str = "") -> Iterator[Listed]:
    """The devices that are decided to be blocked and are not yet, or not now, or not at this operator: they
    are served and watched."""
    if in_force(at, operator) is not None:
        for _, listed in _listed("d.outcome = %s", (Outcome.BLOCKED.value,)):
            yield listed
        return
    yield from _served(at, operator, "d.outcome = %s", (Outcome.BLOCKED.value,))


def is_out(imei: int, at: datetime, operator: str = "") -> bool:
    """Whether a device is blocked in networks: decided, let out by a release, no override in force, and not
    restored by appeals."""
    if in_force(at, operator) is not None or taken_back(at, imei) or _spared(at, operator, imei):
        return False
    sql, values = _out_sql(operator)
    found = loading.select(
        f"SELECT 1 FROM runs_decision AS d WHERE d.imei = %s AND d.outcome = %s AND {sql}",
        (imei, Outcome.BLOCKED.value, *values),
    )
    return bool(found)


def write_outgoing(folder: Path, operators: Iterable[str], *, actor: Actor, at: datetime) -> dict[str, int]:
    """Write the lists that go out: for each operator `OPERATOR/exceptions.csv`, `blocked.csv`, `tracked.csv`;
    for one that cannot hold exceptions `OPERATOR/blocked_outright.csv` and `tracked.csv`.

    They look like those of the pipeline, malformed identities first; a device whose block is held back is on
    the tracked list. The manifest is written last: without it the folder is not whole. It names exceptions
    before blocks, in which order they are to be loaded. That exceptions were written is recorded.

    Args:
        folder: new or empty.

    Returns: rows of each file.

    Raises:
        PermissionDeniedError: the actor may not.
        OutgoingError: the folder holds something; no run was taken over.
    """
    require(actor, Permission.RELEASE_READ)
    if folder.exists() and any(folder.iterdir()):
        raise OutgoingError("The folder holds something already.", "Name a new one.")
    named = sorted(set(operators))
    if not all(_OPERATOR.fullmatch(operator) for operator in named):
        raise OutgoingError("An operator's id has other characters than a-z, 0-9 and _.", "See the policy.")
    files: list[dict[str, Any]] = []
    with transaction.atomic():
        run = latest_run()
        if run is None:
            raise OutgoingError("No run was taken over yet.", "Take one over first.")
        for operator in named:
            override = in_force(at, operator)
            outright = cannot_hold_exceptions(operator)
            if not outright:
                lines = _excepted(operator, at)
                files.append(_write(folder, f"{operator}/exceptions.csv", ("imei", "imsi", "msisdn"), lines))
            blocked = ((r.identity, _compact(r.block_on), r.reasons) for r in released(at, operator))
            columns = ("imei", "block_date", "reasons")
            name = "blocked_outright" if outright else "blocked"
            files.append(_write(folder, f"{operator}/{name}.csv", columns, blocked))
            watched = () if override else _watched(at, operator)
            files.append(_write(folder, f"{operator}/tracked.csv", ("imei", "since", "reasons"), watched))
            files[-1]["override"] = override.answer if override else None
        manifest = {
            "format": 1,
            "country": run.country,
            "as_of": run.as_of.isoformat(),
            "run": run.number,
            "of": run.manifest_sha256,
            "written_at": at.isoformat(),
            "files": files,
        }
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8")
        (folder / MANIFEST).write_bytes(text)
        record(actor, "outgoing.written", f"run:{run.number}", at=at,
               detail={"manifest": hashlib.sha256(text).hexdigest(),
                       "rows": {f["file"]: f["rows"] for f in files}})  # fmt: skip
    return {str(f["file"]): int(f["rows"]) for f in files}


def _watched(at: datetime, operator: str) -> Iterator[tuple[str, str, str]]:
    """Tracked and notified devices, and those held back, as one sorted list."""
    outcomes = (Outcome.TRACKED.value, Outcome.NOTIFIED.value, Outcome.BLOCKED.value)
    rows = _served(at, operator, "d.outcome IN (%s, %s, %s)", outcomes)
    yield from ((r.identity, _compact(r.since), r.reasons) for r in rows)


def _served(at: datetime, operator: str, where: str, values: tuple[Any, ...]) -> Iterator[Listed]:
    """Of some devices those that no release let out at an operator, or that are spared there."""
    sql, more = _out_sql(operator)
    spared = _spared(at, operator)
    out, outs = f"d.outcome = %s AND {sql}", (Outcome.BLOCKED.value, *more)
    served: list[tuple[int, Listed]] = []
    if spared:
        served = [(imei, listed) for imei, listed in _listed(out, outs) if imei in spared]
    others = _listed(f"{where} AND NOT ({out})", (*values, *outs))
    for _, listed in merge(others, served, key=itemgetter(0)):
        yield listed


def _spared(at: datetime, operator: str, imei: int | None = None) -> frozenset[int]:
    """Blocked devices that are served at an operator because it cannot hold their exceptions."""
    return excepted_equipment(at, imei) if operator and cannot_hold_exceptions(operator) else frozenset()


def _excepted(operator: str, at: datetime) -> list[tuple[str, str, str]]:
    """An operator's exceptions in clear, sorted; without numbers, which no check asks for."""
    begin_list(f"outgoing:{operator}", at=at)
    return sorted({(identity, imsi, "") for identity, imsi in in_clear(going_on(operator, at)).values()})


def _out_sql(operator: str) -> tuple[str, tuple[Any, ...]]:
    """Whether a release let device `d` out at an operator, and the values of its marks."""
    pairs = [
        (release.pk, place)
        for release in Release.objects.filter(by_operator=True, undone_at__isnull=True)
        for place, stage in enumerate(release.stages)
        if operator in stage["operators"]
    ]
    narrow = "".join(" OR (m.release_id = %s AND m.stage = %s)" for _ in pairs)
    return (
        "EXISTS (SELECT 1 FROM releases_member AS m JOIN releases_release AS r ON r.id = m.release_id "
        "WHERE m.imei = d.imei AND m.blocked_run = d.outcome_run_id AND m.stage IS NOT NULL "
        f"AND r.undone_at IS NULL AND (m.everywhere{narrow}))",
        tuple(value for pair in pairs for value in pair),
    )


def _listed(where: str, values: tuple[Any, ...]) -> Iterator[tuple[int, Listed]]:
    rows = loading.stream(
        f"SELECT {_COLUMNS} FROM runs_decision AS d JOIN runs_grounds AS g ON g.id = d.grounds_id "
        f"WHERE {where} ORDER BY d.imei",
        values,
    )
    for imei, text, since, block_on, reasons in rows:
        yield imei, Listed(text or f"{imei:014}", str(since), str(block_on or ""), reasons)


def _write(
    folder: Path, name: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> dict[str, Any]:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    with place.open("rb") as written:
        sha256 = hashlib.file_digest(written, "sha256").hexdigest()
    return {"file": name, "rows": count, "sha256": sha256}


def _compact(day: str) -> str:
    return day.replace("-", "")
