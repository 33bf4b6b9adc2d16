"""Personal data: nothing without a key, nothing read without a reason."""

from pathlib import Path

import pytest
from people import NOW, actor

from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.personal.fields import Access, Sealed, keys
from ceir.registry.personal.keys import KeyRing, PersonalKeyError, make_keys


def test_a_value_comes_back_only_for_the_field_it_was_stored_in(tmp_path: Path) -> None:
    make_keys(tmp_path)
    ring = KeyRing.load(tmp_path)
    stored = ring.encrypt("case.msisdn", "22000000001")
    assert b"22000000001" not in stored
    assert ring.encrypt("case.msisdn", "22000000001") != stored
    assert ring.decrypt("case.msisdn", stored) == "22000000001"
    for label, octets in (("case.imsi", stored), ("case.msisdn", stored[:-1] + bytes((stored[-1] ^ 1,)))):
        with pytest.raises(PersonalKeyError, match="changed or belongs elsewhere"):
            ring.decrypt(label, octets)


def test_a_newer_key_encrypts_and_the_older_still_opens(tmp_path: Path) -> None:
    make_keys(tmp_path)
    old = KeyRing.load(tmp_path)
    stored = old.encrypt("a", "x")
    make_keys(tmp_path, "00000002")
    new = KeyRing.load(tmp_path)
    assert new.current == "00000002"
    assert new.decrypt("a", stored) == "x"
    assert new.keyed("a", "x") == old.keyed("a", "x") != new.keyed("b", "x")
    with pytest.raises(PersonalKeyError, match="needs the key"):
        old.decrypt("a", new.encrypt("a", "x"))


def test_keys_that_others_can_read_or_that_are_missing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PersonalKeyError):
        KeyRing.load(tmp_path)
    make_keys(tmp_path)
    with pytest.raises(PersonalKeyError, match="exists"):
        make_keys(tmp_path)
    (tmp_path / "index.key").chmod(0o640)
    with pytest.raises(PersonalKeyError, match="can be read by others"):
        KeyRing.load(tmp_path)


def test_to_reveal_takes_a_legal_basis_and_leaves_an_entry() -> None:
    sealed = Sealed("case.msisdn", keys().encrypt("case.msisdn", "22000000001"))
    assert "22000000001" not in f"{sealed} {sealed!s}"
    police = actor(Role.POLICE)
    assert sealed.reveal(Access(police, NOW, "Penal Code 12"), "case:1") == "22000000001"
    entry = Entry.objects.get()
    assert (entry.action, entry.subject, entry.basis) == ("personal.read", "case:1", "Penal Code 12")
    assert "22000000001" not in entry.detail
    with pytest.raises(ValueError, match="legal basis"):
        Access(police, NOW, " ")
