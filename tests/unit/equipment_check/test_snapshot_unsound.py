"""Files that are signed and wrong, or odd and not signed: each is refused, none is believed."""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.shelf import SnapshotShelf
from ceir.equipment_check.snapshot import Header, SnapshotRefusedError, open_snapshot, verify_content
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.delta import DELTA_MAGIC, read_delta
from ceir.equipment_check.snapshot.format import MAGIC, PREFIX, SIGNATURE_BYTES, aligned

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = {"register": KEY.public_key()}
TAC = 35_675904_000000
IMSI = 1_001010123456789
LATER = "2026-12-01T00:00:00+00:00"


def good(path: Path) -> bytes:
    content = SnapshotContent(
        {"blocked": [np.array([TAC + 1, TAC + 500], dtype=np.uint64)]},
        ranges=[(10, 20, "blocked"), (30, 40, "tracked")],
        versions=[(TAC + 2, 7, "blocked"), (TAC + 3, 7, "blocked")],
        pairs=[(np.array([TAC + 1, TAC + 500], dtype=np.uint64), np.array([IMSI, IMSI], dtype=np.uint64))],
        subscribers=[(IMSI + 10, IMSI + 20), (IMSI + 30, IMSI + 40)],
    )
    header = Header("X", 2, "2026-10-31", LATER, "", "unknown", "unknown", None, "register", {})
    build_snapshot(content, header, KEY, path)
    return path.read_bytes()


def taken_apart(raw: bytes) -> tuple[dict[str, Any], bytearray]:
    _, length = PREFIX.unpack_from(raw)
    end = PREFIX.size + length
    return json.loads(raw[PREFIX.size : end]), bytearray(raw[aligned(end + SIGNATURE_BYTES) :])


def put_together(header: object, parts: bytes, key: Ed25519PrivateKey = KEY) -> bytes:
    text = json.dumps(header).encode()
    signed = PREFIX.pack(MAGIC, len(text)) + text
    return (signed + key.sign(signed)).ljust(aligned(len(signed) + SIGNATURE_BYTES), b"\0") + parts


def changed(raw: bytes, part: str, place: int, number: int) -> bytes:
    """The snapshot with one number of a part replaced, and signed as it is then."""
    header, parts = taken_apart(raw)
    section = next(s for s in header["sections"] if s["name"] == part)
    struct.pack_into("<Q", parts, section["offset"] + place * 8, number)
    octets = parts[section["offset"] : section["offset"] + section["length"]]
    section["sha256"] = hashlib.sha256(octets).hexdigest()
    return put_together(header, bytes(parts))


def refused(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    with pytest.raises(SnapshotRefusedError) as error:
        SnapshotHolder.of_file(KEYS, path, NOW)
    return error.value.detail


ODD_VALUES: list[tuple[str, object]] = [
    *(("sequence", value) for value in ("2", 2.0, True, -1, 2**63, None, [], float("nan"))),
    *(("key_id", value) for value in ([], {}, None, 1)),
    *(("otherwise", value) for value in ("foo", None, [], "blocked ")),
    *(("malformed", value) for value in (None, 3)),
    *(("override", value) for value in ("foo", [], "")),
    *(("expires_at", value) for value in ("2026-12-01T00:00:00", "soon", None, "0001-01-01T00:00:00+00:00")),
    *(("as_of", value) for value in ("2026-13-01", "x", None, 20261031, "0001-01-01", "9999-12-31")),
    *(("sections", value) for value in (None, {}, [], [1], [{}], [{"name": "ranges.first"}])),
    *(("counts", value) for value in (None, [], {"blocked": "1"})),
    *(("extra", value) for value in (None, [], "x")),
    *(("operator", value) for value in (None, 1)),
    *(("country", value) for value in (None, 1)),
    *(("format", value) for value in (2, "1", None)),
]


@pytest.mark.parametrize(("name", "value"), ODD_VALUES)
@pytest.mark.parametrize("signed", [True, False])
def test_a_header_with_an_odd_value_is_refused_whoever_signed_it(
    tmp_path: Path, name: str, value: object, signed: bool
) -> None:
    header, parts = taken_apart(good(tmp_path / "s"))
    header[name] = value
    key = KEY if signed else Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    refused(tmp_path / "s", put_together(header, bytes(parts), key))


@pytest.mark.parametrize("field", ["offset", "length"])
@pytest.mark.parametrize("value", [-8, "8", None, 1.5, True, 2**62, 1 << 40])
def test_a_part_that_lies_nowhere_is_refused(tmp_path: Path, field: str, value: object) -> None:
    header, parts = taken_apart(good(tmp_path / "s"))
    for section in header["sections"]:
        section[field] = value
    refused(tmp_path / "s", put_together(header, bytes(parts)))


def test_every_part_must_be_there_once_and_as_long_as_it_can_be(tmp_path: Path) -> None:
    raw = good(tmp_path / "s")
    names = [section["name"] for section in taken_apart(raw)[0]["sections"]]
    assert len(names) == 16
    for name in names:
        for change in ("gone", "twice", "shorter"):
            header, parts = taken_apart(raw)
            place = names.index(name)
            if change == "gone":
                del header["sections"][place]
            elif change == "twice":
                header["sections"].append(header["sections"][place])
            else:
                header["sections"][place]["length"] += 1 if name.endswith("containers") else 8
            refused(tmp_path / "s", put_together(header, bytes(parts) + bytes(8)))


@pytest.mark.parametrize(
    ("part", "place", "number"),
    [
        ("blocked.pages", 1, 1 << 24 | 4 << 20 | 1),  # no such kind of container
        ("blocked.pages", 1, 1 << 50 | 1 << 20 | 1),  # far behind the end
        ("blocked.pages", 1, 1 << 20 | 0xFFFFF),  # longer than all
        ("ranges.status", 1, 4),
        ("ranges.status", 0, 2**64 - 1),
        ("ranges.last", 0, 30),  # two ranges overlap
        ("ranges.first", 0, 21),  # ends before it begins
        ("versions.status", 1, 99),
        ("versions.key", 0, (TAC + 3) * 100 + 7),
        ("pairs.imei", 0, TAC + 500),
        ("pairs.start", 0, 1),
        ("pairs.start", 1, 2**63),
        ("pairs.start", 2, 3),
        ("subscribers.last", 0, IMSI + 35),
    ],
)
def test_numbers_that_lead_astray_are_refused_although_they_are_signed(
    tmp_path: Path, part: str, place: int, number: int
) -> None:
    detail = refused(tmp_path / "s", changed(good(tmp_path / "s"), part, place, number))
    assert "cannot be right" in detail
    assert part.split(".", maxsplit=1)[0] in detail


def test_what_is_verified_is_what_is_open_and_not_what_has_the_name_by_now(tmp_path: Path) -> None:
    raw = good(tmp_path / "good")
    header, parts = taken_apart(raw)
    parts[-1] ^= 1
    (tmp_path / "s").write_bytes(put_together(header, bytes(parts)))
    snapshot = open_snapshot(tmp_path / "s", KEYS, NOW)
    (tmp_path / "good").replace(tmp_path / "s")
    with pytest.raises(SnapshotRefusedError):
        verify_content(snapshot)


DELTA: dict[str, Any] = {
    "base": 2,
    "sequence": 3,
    "as_of": "2026-10-31",
    "expires_at": LATER,
    "key_id": "register",
    "added": {"blocked": [TAC + 9]},
    "removed": {},
    "paired": [[TAC + 9, IMSI]],
    "unpaired": [],
}


def delta(text: bytes, key: Ed25519PrivateKey = KEY) -> bytes:
    signed = PREFIX.pack(DELTA_MAGIC, len(text)) + text
    return signed + key.sign(signed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("base", value) for value in ("2", 2.0, True, None, -1, float("inf"))),
        *(("sequence", value) for value in ("3", 3.5, None, 2**63, float("inf"))),
        *(("key_id", value) for value in (None, [], "another")),
        *(("as_of", value) for value in (None, "x", 1)),
        *(("expires_at", value) for value in ("2026-12-01T00:00:00", None, "x")),
        *(("added", value) for value in (None, [], {"x": []}, {"blocked": [1.5]}, {"blocked": [-1]})),
        *(("removed", value) for value in ({"blocked": [10**14]}, {"blocked": ["1"]}, {"blocked": None})),
        *(
            ("paired", value)
            for value in (None, [[1]], [[1, 2, 3]], [[1, True]], [["1", "2"]], [[1, 2 * 10**15]])
        ),
        *(("unpaired", value) for value in ({}, [1], [[float("inf"), 1]])),
    ],
)
def test_a_delta_with_an_odd_value_is_refused_although_it_is_signed(
    tmp_path: Path, name: str, value: object
) -> None:
    file = tmp_path / "d"
    file.write_bytes(delta(json.dumps(DELTA).encode()))
    assert read_delta(file, KEYS, NOW).sequence == 3
    file.write_bytes(delta(json.dumps(DELTA | {name: value}).encode()))
    with pytest.raises(SnapshotRefusedError):
        read_delta(file, KEYS, NOW)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 10_000, b"\xff", b"null", b""])
def test_texts_that_a_reader_could_choke_on_are_refused_signed_or_not(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "d"
    for key in (KEY, Ed25519PrivateKey.from_private_bytes(b"s" * 32)):
        file.write_bytes(delta(text, key))
        with pytest.raises(SnapshotRefusedError):
            read_delta(file, KEYS, NOW)
        signed = PREFIX.pack(MAGIC, len(text)) + text
        refused(tmp_path / "s", signed + key.sign(signed) + bytes(64))


def test_nothing_of_a_delta_is_read_before_its_signature(tmp_path: Path) -> None:
    """A stranger's delta could be a quarter of a gigabyte of JSON."""
    file = tmp_path / "d"
    file.write_bytes(delta(b"no JSON at all", Ed25519PrivateKey.from_private_bytes(b"s" * 32)))
    with pytest.raises(SnapshotRefusedError, match="no trusted key"):
        read_delta(file, KEYS, NOW)


def arrivals_of(folder: Path, put: Callable[[Path], object]) -> list[str]:
    holder = SnapshotHolder.of_file(KEYS, folder / "base", NOW)
    arriving = folder / "arriving"
    arriving.mkdir()
    put(arriving)
    return [arrival.what for arrival in SnapshotShelf(arriving, KEYS).look(holder, NOW)]


@pytest.mark.parametrize("ending", ["snapshot", "delta"])
def test_things_in_the_folder_that_are_no_files_stop_nothing(tmp_path: Path, ending: str) -> None:
    good(tmp_path / "base")

    def put(folder: Path) -> None:
        os.mkfifo(folder / f"a.{ending}")
        (folder / f"b.{ending}").mkdir()
        (folder / f"c.{ending}").symlink_to("nowhere")
        (folder / f"d.{ending}").symlink_to(f"d.{ending}")
        (folder / f"e.{ending}").touch()

    assert arrivals_of(tmp_path, put) == ["refused"]
