"""A register that burned down comes back from what was kept; what does not come back is told."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from offices import Office, ceir, environment, own_database, ready_country, wait_for

from ceir.registry.backups.contents import BackupDamagedError, sha256_of, verify

pytestmark = pytest.mark.slow

NUMBER = "220000012345"
LIVE = f"""
import sys
from pathlib import Path
from ceir.cli._register import open_register
from ceir.cli._session import Session
session = Session(as_json=True, debug=True)
open_register(session)
from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import record
from ceir.registry.documents import keeping
from ceir.registry.organisations.models import Organisation
from ceir.registry.subscribers.models import Line, Person
from test_documents import png
Organisation.objects.create(code="police", kind="police", name="Police", created_at=session.now)
person = Person.objects.create(entered_at=session.now)
Line.objects.create(person=person, number="{NUMBER}", number_key="{NUMBER}", since=session.now)
for n in range(3):
    record(SYSTEM, "test.done", f"test:{{n}}", at=session.now)
    keeping.keep(png(text=bytes([n])), subject=f"case:{{n}}", actor=SYSTEM, at=session.now)
"""


@dataclass
class Country:
    folder: Path
    settings: dict[str, str]
    backup: Path
    keys: Path


def run(program: str, folder: Path, settings: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=folder, env=environment(settings), text=True,
        capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    folder = tmp_path_factory.mktemp("country")
    with ready_country("ceir_burned", folder) as settings:
        here = folder / "here"
        run(LIVE, here, settings)
        ceir("backup", str(folder / "kept"), "--keys", str(folder / "safe"), settings=settings, folder=here)
        yield Country(here, settings, folder / "kept", folder / "safe")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A new machine: an empty workspace, an empty database."""
    with own_database("ceir_elsewhere") as settings:
        ceir("init", "there", settings=settings, folder=tmp_path)
        yield tmp_path / "there", settings


def restored(
    place: tuple[Path, dict[str, str]], backup: Path, *more: str, code: int = 0
) -> dict[str, object]:
    done = ceir("restore", str(backup), *more, "--json", settings=place[1], folder=place[0], code=code)
    return json.loads(done.stdout) if done.stdout else {"refused": done.stderr}


def test_everything_comes_back_and_the_record_is_whole(
    country: Country, elsewhere: tuple[Path, dict[str, str]]
) -> None:
    told = restored(elsewhere, country.backup, "--keys", str(country.keys))
    assert told["whole"] is True
    assert (told["entries"], told["documents"]) == (7, 3)
    folder, settings = elsewhere
    whole = ceir("audit", "verify", "--mark", str(told["mark"]), settings=settings, folder=folder)
    assert "7 entries" in whole.stdout
    kept = ceir(
        "personal", "access", "--basis", "article 15", "--json", settings=settings, folder=folder, told=NUMBER
    )
    assert json.loads(kept.stdout)["rows"][0]["values"]["number"] == NUMBER
    # It goes on: what is done from now on is bound to what was done before.
    ceir("jobs", "run", "audit-verify", settings=settings, folder=folder)
    # And what is there is not overwritten.
    assert "restore_refused" in str(restored(elsewhere, country.backup, code=1))


def test_a_register_that_came_back_is_served_and_its_jobs_go_on(
    country: Country, elsewhere: tuple[Path, dict[str, str]]
) -> None:
    restored(elsewhere, country.backup, "--keys", str(country.keys))
    office = Office(*elsewhere)
    try:
        assert office.get("/account/login/").status_code == 200
        wait_for(lambda: office.events("job_done"), "a job ended")
        assert not office.events("job_failed")
        assert not office.events("process_ended")
    finally:
        office.end()


def test_without_the_keys_nothing_is_restored_unless_they_are_lost_and_then_it_is_told(
    country: Country, elsewhere: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    assert "keys" in str(restored(elsewhere, country.backup, code=2))
    wrong = tmp_path / "wrong"
    shutil.copytree(country.keys, wrong)
    (wrong / "00000001.key").write_text("00" * 32 + "\n")
    assert "00000001" in str(restored(elsewhere, country.backup, "--keys", str(wrong), code=1))
    shutil.rmtree(elsewhere[0] / "keys")
    told = restored(elsewhere, country.backup, "--keys-lost", code=1)
    assert told["whole"] is False
    assert "subscribers.Line.number" in str(told["unreadable"])
    assert told["entries"] == 7


def test_a_document_whose_file_is_gone_is_named(
    country: Country, elsewhere: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    documents = sorted(p for p in (country.folder / "documents").rglob("*") if p.is_file())
    gone, away = documents[0], tmp_path / "away"
    gone.rename(away)
    try:
        kept = tmp_path / "poorer"
        made = ceir("backup", str(kept), "--json", settings=country.settings, folder=country.folder)
        assert json.loads(made.stdout)["missing"] == [gone.name]
    finally:
        away.rename(gone)
    told = restored(elsewhere, kept, "--keys", str(country.keys), code=1)
    assert told["missing_documents"] == [gone.name]
    place = elsewhere[0] / "documents" / gone.name[:2]
    place.mkdir(exist_ok=True)
    shutil.copy(gone, place / gone.name)
    assert restored(elsewhere, kept, "--examine")["whole"] is True


@pytest.mark.parametrize("what", ["database", "document", "list", "manifest", "path"])
def test_a_back_up_that_was_changed_is_refused_before_anything_is_done(
    country: Country, tmp_path: Path, what: str
) -> None:
    kept = tmp_path / "changed"
    shutil.copytree(country.backup, kept)
    assert verify(kept).documents == 3
    told = json.loads((kept / "manifest.json").read_text())
    names = kept / "documents.txt"
    if what == "database":
        file = next(kept.glob("register.*"))
        octets = bytearray(file.read_bytes())
        octets[len(octets) // 2] ^= 1
        file.write_bytes(octets)
    elif what == "document":
        next(p for p in (kept / "documents").rglob("*") if p.is_file()).unlink()
    elif what == "list":
        names.write_text("".join(names.read_text().splitlines(keepends=True)[1:]))
        told["documents_sha256"] = sha256_of(names)
    elif what == "manifest":
        told["mark"] = "somewhere"
    else:
        names.write_text(f"{'0' * 64}  documents/../../../../etc/passwd\n")
        told["documents_sha256"] = sha256_of(names)
    (kept / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(BackupDamagedError):
        verify(kept)


def test_a_back_up_is_for_its_owner_only_and_overwrites_nothing(country: Country, tmp_path: Path) -> None:
    for file in (country.backup, *country.backup.rglob("*"), country.keys, *country.keys.rglob("*")):
        assert not file.stat().st_mode & 0o077, file
    refused = ceir("backup", str(country.backup), settings=country.settings, folder=country.folder, code=1)
    assert "backup_refused" in refused.stderr
    inside = ceir(
        "backup", str(tmp_path / "x"), "--keys", str(tmp_path / "x" / "keys"), settings=country.settings,
        folder=country.folder, code=2,
    )  # fmt: skip
    assert "usage" in inside.stderr
    text = next(country.backup.glob("register.*")).read_bytes()
    assert NUMBER.encode() not in text
