"""The order of decision, case by case as documentation tells it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check import EquipmentStatus, Question, Reason
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.snapshot import Header, Snapshot, open_snapshot
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from vectors import VECTORS, SetChecker, content

PAGE = Path(__file__).parents[3] / "docs" / "order-of-decision.md"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = {"register": KEY.public_key()}
NOW = datetime(2026, 11, 1, tzinfo=UTC)
IMEI, VERSION = 35675904000001, 7
IMSI = {"A": 1111010000000001, "B": 1111010000000002}
ASKED = {
    "": Question(IMEI, VERSION, IMSI["A"]),
    "no IMSI": Question(IMEI, VERSION, None),
    "no IMEI": Question(None, None, IMSI["A"]),
    "no version": Question(IMEI, None, IMSI["A"]),
    "other version": Question(IMEI, 8, IMSI["A"]),
}


def cases() -> list[tuple[str, ...]]:
    text = PAGE.read_text(encoding="utf-8").split("## Cases")[1].split("## How")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def made(path: Path, content: SnapshotContent, **said: object) -> Path:
    fields: dict[str, object] = {
        "country": "Examplia",
        "sequence": 1,
        "as_of": "2026-10-31",
        "expires_at": "2026-12-01T00:00:00+00:00",
        "operator": "",
        "otherwise": "unknown",
        "malformed": "unknown",
        "override": None,
        "key_id": "register",
        "counts": {},
    }
    build_snapshot(content, Header(**(fields | said)), KEY, path)  # type: ignore[arg-type]
    return path


def world(path: Path, case: tuple[str, ...]) -> Snapshot:
    override, paired, ranged, lists, version, span, unlisted = case[:7]
    inside = [(IMEI // 1_000_000 * 1_000_000, IMEI // 1_000_000 * 1_000_000 + 999_999, span)] if span else []
    pairs = sorted((IMEI, IMSI[name]) for name in paired.split())
    content = SnapshotContent(
        identities={name: [np.array([IMEI], dtype=np.uint64)] for name in lists.split()},
        ranges=inside,  # type: ignore[arg-type]
        versions=[(IMEI, VERSION, version)] if version else [],  # type: ignore[list-item]
        pairs=[(np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))] if pairs else [],
        subscribers=[(IMSI[name], IMSI[name]) for name in ranged.split()],
    )
    made(path, content, otherwise=unlisted, override=override or None)
    return open_snapshot(path, KEYS, NOW)


@pytest.mark.parametrize("case", cases(), ids=lambda case: " ".join(filter(None, case)))
def test_a_case_of_the_documentation_is_answered_as_it_says(case: tuple[str, ...], tmp_path: Path) -> None:
    asked, status, reason = case[7:]
    answer = world(tmp_path / "snapshot", case).verdict(*ASKED[asked])
    assert (answer.status, answer.reason) == (EquipmentStatus(status), Reason(reason))


def test_the_documentation_has_a_case_for_every_reason_and_status() -> None:
    assert {case[9] for case in cases()} == {reason.value for reason in Reason}
    assert {case[8] for case in cases()} == {status.value for status in EquipmentStatus}


def test_a_snapshot_gives_the_answers_that_every_interface_is_tested_with(tmp_path: Path) -> None:
    holder = SnapshotHolder.of_file(KEYS, made(tmp_path / "snapshot", content()), NOW)
    for question, answer in VECTORS:
        assert holder.verdict(*question) == SetChecker().verdict(*question) == answer, question
