"""Personal data: nothing without a key, nothing read without a reason."""

from pathlib import Path

import pytest
from django.db import transaction
from people import NOW, actor

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import record, verify
from ceir.registry.audit.models import Entry
from ceir.registry.personal.fields import Access, Sealed, keys
from ceir.registry.personal.keys import KeyRing, PersonalKeyError, make_keys
from ceir.registry.personal.reading import reading


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


@pytest.mark.django_db(transaction=True)
def test_what_a_person_read_stays_recorded_when_what_it_was_read_for_fails() -> None:
    sealed = Sealed("case.msisdn", keys().encrypt("case.msisdn", "22000000001"))
    police = actor(Role.POLICE)
    access = Access(police, NOW, "Penal Code 12")

    def deed() -> None:
        with reading():
            sealed.reveal(access, "case:1")
            sealed.reveal(access, "case:2")
            record(police, "case.changed", "case:2", at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed()
    told = [(entry.action, entry.subject, entry.basis) for entry in Entry.objects.all()]
    assert told == [("personal.read", f"case:{n}", "Penal Code 12") for n in (1, 2)]
    verify()


@pytest.mark.django_db(transaction=True)
def test_a_person_reads_in_no_transaction_whose_failure_would_take_the_entry_along() -> None:
    sealed = Sealed("case.msisdn", keys().encrypt("case.msisdn", "22000000001"))
    access = Access(actor(Role.POLICE), NOW, "Penal Code 12")
    with pytest.raises(RuntimeError), transaction.atomic():
        sealed.reveal(access, "case:1")
    with pytest.raises(RuntimeError), transaction.atomic(), reading():
        pass
    assert not Entry.objects.exists()
    with transaction.atomic():  # the register itself: its deed and its reading stand or fall together
        sealed.reveal(Access(SYSTEM, NOW, "a notice"), "case:1")
    with reading():
        sealed.reveal(access, "case:1")
    sealed.reveal(access, "case:1")
    assert Entry.objects.count() == 3
