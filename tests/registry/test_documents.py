"""Photos and papers: what they are is read from their octets, and they lie encrypted outside the database."""

import io
import os
import stat
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from at_once import at_once, need_postgresql
from people import NOW, actor

from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.documents.keeping import MOST_OCTETS, DocumentMissingError, keep, read, shred, sweep
from ceir.registry.documents.media_types import PHOTOS, DocumentRefusedError, MediaType, media_type_of
from ceir.registry.documents.models import Content, Document
from ceir.registry.personal.fields import Access
from ceir.registry.personal.keys import PersonalKeyError


def chunk(kind: bytes, octets: bytes) -> bytes:
    return struct.pack(">I", len(octets)) + kind + octets + struct.pack(">I", zlib.crc32(kind + octets))


def png(width: int = 1, height: int = 1, text: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    note = chunk(b"tEXt", text) if text else b""
    return b"\x89PNG\r\n\x1a\n" + head + note + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def jpeg(width: int = 8, height: int = 8, scan: bytes = b"\x12\xff\x00\x34\xff\xd0\x56") -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    start = b"\xff\xda" + struct.pack(">HB", 8, 1) + b"\x01\x00\x00\x3f\x00"
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 4) + b"JF" + frame + start + scan + b"\xff\xd9"


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: object) -> Path:
    settings.CEIR_DOCUMENTS = tmp_path / "documents"  # type: ignore[attr-defined]
    return tmp_path / "documents"


def test_what_it_is_is_read_from_its_octets() -> None:
    assert media_type_of(png()) is MediaType.PNG
    assert media_type_of(jpeg()) is MediaType.JPEG
    assert media_type_of(jpeg() + b"a film that a camera put behind it") is MediaType.JPEG
    assert media_type_of(PDF) is MediaType.PDF


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html><script>alert(1)</script>", id="a page"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", id="a drawing with a script"),
        pytest.param(b"PK\x03\x04" + bytes(100), id="an archive"),
        pytest.param(b"GIF89a" + bytes(50), id="another picture"),
        pytest.param(b"MZ" + bytes(100), id="a program"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="only the signature"),
        pytest.param(png()[:-4], id="a PNG cut short"),
        pytest.param(png() + b"<?php ?>", id="a PNG with something behind it"),
        pytest.param(png().replace(b"IDAT", b"IDAX"), id="a PNG with a wrong checksum"),
        pytest.param(png(0, 5), id="a PNG of no pixels"),
        pytest.param(png(2**31 - 1, 2**31 - 1), id="a PNG that claims to fill the memory"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**32 - 1) + b"IHDR" + bytes(20),
            id="a PNG with a length of 4 GB",
        ),
        pytest.param(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"") + chunk(b"IEND", b""), id="a PNG without a head"
        ),
        pytest.param(b"\xff\xd8\xff", id="only the start of a JPEG"),
        pytest.param(b"\xff\xd8\xff\xff\xff\xff", id="a JPEG of filling"),
        pytest.param(jpeg()[:-2], id="a JPEG cut short"),
        pytest.param(b"\xff\xd8\xff\xd9", id="a JPEG without a picture"),
        pytest.param(jpeg(0, 8), id="a JPEG of no pixels"),
        pytest.param(jpeg(65535, 65535), id="a JPEG that claims to fill the memory"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x01\xff\xd9", id="a JPEG with a segment of no length"),
        pytest.param(b"\xff\xd8\xff\xfe\xff\xff<script>", id="a JPEG whose segment goes over its end"),
        pytest.param(b"%PDF-1.7\n", id="a PDF cut short"),
        pytest.param(bytes(MOST_OCTETS + 1), id="too large"),
    ],
)
def test_what_is_something_else_is_refused_and_nothing_is_kept(octets: bytes, folder: Path) -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        keep(octets, "case:1", actor=actor(Role.POLICE), at=NOW)
    assert refused.value.hint
    assert Document.objects.count() == Content.objects.count() == Entry.objects.count() == 0
    assert not folder.exists()


def test_a_stream_that_never_ends_is_read_no_further_than_allowed() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.given += size
            return bytes(size)

    source = Endless()
    with pytest.raises(DocumentRefusedError, match="too large"):
        keep(source, "case:1", actor=actor(Role.POLICE), at=NOW)  # type: ignore[arg-type]
    assert source.given == MOST_OCTETS + 1


def test_a_paper_is_refused_where_a_photo_is_wanted() -> None:
    with pytest.raises(DocumentRefusedError, match="A PDF is not taken here"):
        keep(PDF, "report:1", actor=actor(Role.CUSTOMS), at=NOW, allowed=PHOTOS)


def test_a_document_comes_back_and_both_times_are_recorded(folder: Path) -> None:
    police = actor(Role.POLICE)
    octets = png(text=b"Comment\0found at 22000000001")
    kept = keep(io.BytesIO(octets), "case:1", actor=police, at=NOW)
    assert (kept.content.media_type, kept.content.size) == ("image/png", len(octets))
    assert read(kept, Access(police, NOW, "Penal Code 12")) == octets
    assert [(e.action, e.subject, e.basis) for e in Entry.objects.all()] == [
        ("document.kept", "case:1", ""),
        ("document.read", "case:1", "Penal Code 12"),
    ]
    (file,) = [f for f in folder.rglob("*") if f.is_file()]
    assert file.name == kept.content_id
    assert b"22000000001" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_same_octets_are_kept_once_and_the_same_subject_has_them_once(folder: Path) -> None:
    police = actor(Role.POLICE)
    one = keep(png(), "case:1", actor=police, at=NOW)
    assert keep(png(), "case:1", actor=police, at=NOW).pk == one.pk
    two = keep(png(), "case:2", actor=police, at=NOW)
    assert two.pk != one.pk
    assert Content.objects.count() == 1
    assert len([f for f in folder.rglob("*") if f.is_file()]) == 1


@pytest.mark.django_db(transaction=True)
def test_shredding_destroys_the_file_once_nothing_shares_it(folder: Path) -> None:
    police = actor(Role.POLICE)
    one, two = (keep(png(), subject, actor=police, at=NOW) for subject in ("case:1", "case:2"))
    shred(one, actor=police, at=NOW, reason="kept long enough")
    shred(one, actor=police, at=NOW, reason="again")
    with pytest.raises(DocumentMissingError):
        read(one, Access(police, NOW, "why"))
    assert read(two, Access(police, NOW, "why")) == png()
    shred(two, actor=police, at=NOW, reason="kept long enough")
    assert not [f for f in folder.rglob("*") if f.is_file()]
    assert Document.objects.filter(shredded_at=NOW).count() == 2
    assert Entry.objects.filter(action="document.shredded").count() == 2
    again = keep(png(), "case:1", actor=police, at=NOW)
    assert read(again, Access(police, NOW, "why")) == png()


def test_a_file_that_was_changed_exchanged_or_lost_is_noticed(folder: Path) -> None:
    police = actor(Role.POLICE)
    kept = keep(png(), "case:1", actor=police, at=NOW)
    other = keep(jpeg(), "case:1", actor=police, at=NOW)
    file, another = (folder / d.content_id[:2] / d.content_id for d in (kept, other))
    whole = file.read_bytes()
    for changed in (whole[:-1] + bytes((whole[-1] ^ 1,)), another.read_bytes(), b""):
        file.write_bytes(changed)
        with pytest.raises(PersonalKeyError):
            read(kept, Access(police, NOW, "why"))
    file.unlink()
    with pytest.raises(DocumentMissingError, match="is gone"):
        read(kept, Access(police, NOW, "why"))


def test_sweeping_takes_what_a_stopped_process_left_and_nothing_else(folder: Path) -> None:
    kept = keep(png(), "case:1", actor=actor(Role.POLICE), at=NOW)
    place = folder / kept.content_id[:2]
    (place / f".{kept.content_id}.1-1").write_bytes(b"half")
    (place / ("0" * 64)).write_bytes(b"whose transaction failed")
    assert sweep(datetime.now(UTC) - timedelta(days=1)) == 0
    for file in place.iterdir():
        os.utime(file, (1, 1))
    assert sweep(datetime.now(UTC) - timedelta(days=1)) == 2
    assert [f.name for f in place.iterdir()] == [kept.content_id]


@pytest.mark.parametrize("subject", ["../../etc/passwd", "case:1/../../x", "'; DROP TABLE x; --"])
def test_no_text_from_outside_becomes_a_path(subject: str, folder: Path) -> None:
    kept = keep(png(), subject, actor=actor(Role.POLICE), at=NOW)
    assert [f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()] == [
        f"{kept.content_id[:2]}/{kept.content_id}"
    ]


@pytest.mark.django_db(transaction=True)
def test_handed_in_by_several_and_shredded_by_another_at_once_nothing_is_lost(folder: Path) -> None:
    need_postgresql()
    police = actor(Role.POLICE)
    for _ in range(5):
        old = keep(png(), "case:0", actor=police, at=NOW)
        came_to = at_once(
            lambda old=old: shred(old, actor=police, at=NOW, reason="kept long enough"),
            *(lambda n=n: keep(png(), f"case:{1 + n // 2}", actor=police, at=NOW) for n in range(4)),
        )
        assert [type(c) for c in came_to] == [type(None)] + [Document] * 4, came_to
        kept = Document.objects.filter(shredded_at__isnull=True)
        assert sorted(d.subject for d in kept) == ["case:1", "case:2"]
        for document in kept:
            assert read(document, Access(police, NOW, "why")) == png()
            shred(document, actor=police, at=NOW, reason="again")
        assert not [f for f in folder.rglob("*") if f.is_file()]
