"""Publications for tests, written as the pipeline writes them; the real ones are taken over as well."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

FIRST_DAY = date(2026, 11, 1)

Rows = Sequence[tuple[str, ...]]

_COLUMNS = {
    "decisions": ("imei", "outcome", "since", "block_date", "reasons", "conditions"),
    "blocked": ("imei", "block_date", "reasons"),
    "tracked": ("imei", "since", "reasons"),
    "notifications": ("imei", "imsi", "msisdn", "block_date", "reasons"),
    "exceptions": ("imei", "imsi", "msisdn"),
}


def decided(
    imei: str,
    outcome: str = "blocked",
    block: str = "20261101",
    since: str = "20260901",
    reasons: str = "Never allocated",
    conditions: str = "unallocated",
) -> tuple[str, ...]:
    """A row of the decisions."""
    return (
        imei,
        outcome,
        since,
        block if outcome in ("blocked", "notified", "spared") else "",
        reasons,
        conditions,
    )


def told(imei: str, imsi: str, msisdn: str, block: str = "20261201") -> tuple[str, ...]:
    """A row of the notifications."""
    return (imei, imsi, msisdn, block, "Never allocated")


def imeis(count: int, first: int = 35_000_000_000_000) -> list[str]:
    """So many identities."""
    return [f"{first + n:014}" for n in range(count)]


def publish(
    folder: Path,
    run: int,
    decisions: Rows,
    *,
    base: int | None = None,
    as_of: date | None = None,
    notifications: Mapping[str, Rows] | None = None,
    changes: bool = False,
    country: str = "Examplia",
) -> Path:
    """Write a publication.

    Args:
        changes: the rows begin with a change and its reason, and only they are written.
    """
    files: dict[str, Rows] = {"decisions": sorted(decisions)}
    if not changes:
        files["blocked"] = [(d[0], d[3], d[4]) for d in sorted(decisions) if d[1] == "blocked"]
        files["tracked"] = [(d[0], d[2], d[4]) for d in sorted(decisions) if d[1] in ("tracked", "notified")]
        for operator in ("operator1", "operator2"):
            files[f"{operator}/exceptions"] = []
    for operator in ("operator1", "operator2"):
        files[f"{operator}/notifications"] = sorted((notifications or {}).get(operator, []))
    listed = []
    for name, rows in sorted(files.items()):
        columns = _COLUMNS[name.split("/")[-1]]
        place = f"delta/{name}.csv" if changes else f"{name}.csv"
        header = ("change", "reason", *columns) if changes else columns
        text = "".join(",".join(row) + "\n" for row in (header, *rows)).encode()
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        listed.append({"file": place, "rows": len(rows), "sha256": hashlib.sha256(text).hexdigest()})
    manifest = {
        "format": 1,
        "country": country,
        "as_of": (as_of or date.fromordinal(FIRST_DAY.toordinal() + run)).isoformat(),
        "run": run,
        "base": {"run": base, "as_of": FIRST_DAY.isoformat()} if base else None,
        "policy": {"name": "examplia", "version": 1, "sha256": "0" * 64},
        "mode": "permissive",
        "files": listed,
    }
    write_manifest(folder, manifest)
    return folder


def write_manifest(folder: Path, manifest: object) -> None:
    """Write the manifest, as it is."""
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, object]:
    """The manifest, to be changed."""
    found: dict[str, object] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found
