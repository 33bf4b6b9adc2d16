"""The record of deeds: nothing is changed or taken away unseen."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from people import NOW

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import AuditBrokenError, Mark, record, verify
from ceir.registry.audit.models import Entry, Head


def fill(count: int = 5) -> None:
    for n in range(count):
        record(SYSTEM, "case.made", f"case:{n}", at=NOW + timedelta(seconds=n), detail={"n": n, "text": "é"})


def forge(statement: str) -> None:
    """What somebody with the database's own rights could do: switch the guard off, and change it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_entry_no_update")
            cursor.execute("DROP TRIGGER audit_entry_no_delete")
        cursor.execute(statement)


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert verify() == Mark(0, bytes(32))
    fill()
    end = verify()
    assert end.sequence == 5
    fill()
    assert verify((end,)).sequence == 10


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET basis = 'x' WHERE sequence = 2", "DELETE FROM audit_entry"]
)
def test_the_database_refuses_to_change_or_delete_an_entry(statement: str) -> None:
    fill()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.filter(sequence=3).delete()
    assert verify().sequence == 5


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE audit_entry SET actor = 'account:9' WHERE sequence = 3",
            "Entry 3 of the record was changed",
        ),
        ("UPDATE audit_entry SET at = '2020-01-01 00:00:00' WHERE sequence = 1", "Entry 1"),
        ("DELETE FROM audit_entry WHERE sequence = 2", "Entry 2 of the record is missing"),
        ("DELETE FROM audit_entry WHERE sequence = 5", "Entry 5 of the record is missing"),
        ("DELETE FROM audit_entry WHERE sequence = 1", "Entry 1 of the record is missing"),
    ],
)
def test_whoever_gets_round_the_guard_is_seen(statement: str, told: str) -> None:
    fill()
    forge(statement)
    with pytest.raises(AuditBrokenError) as broken:
        verify()
    assert told in broken.value.detail


def test_a_record_rewritten_from_the_beginning_is_seen_by_who_kept_a_mark() -> None:
    fill()
    mark = verify()
    forge("DELETE FROM audit_entry")
    Head.objects.update(sequence=0, digest=bytes(32))
    fill(6)
    Entry.objects.first()
    assert verify().sequence == 6  # whole in itself: only other details would differ
    Head.objects.update(sequence=6, digest=bytes(Entry.objects.get(sequence=6).digest))
    record(SYSTEM, "case.made", "case:7", at=NOW)
    assert verify((mark,)).sequence == 7  # the same history again is the same chain
    with pytest.raises(AuditBrokenError, match="not the one that was marked"):
        verify((Mark(5, b"\1" * 32),))
    with pytest.raises(AuditBrokenError, match="was marked and is missing"):
        verify((Mark(99, bytes(32)),))
