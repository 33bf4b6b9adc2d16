"""Who sees which cases, and what proves them."""

import pytest
from django.db import transaction
from lost import CONTACT, NUMBER, ONE, fresh, police, reported, reviewer, verified
from people import NOW, actor
from test_documents import PDF, jpeg, png

from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import withdraw
from ceir.registry.cases.moving import UnknownCaseError
from ceir.registry.cases.reading import (
    Person,
    add_document,
    case_for,
    cases_for,
    cases_of,
    documents_of,
    person_of,
    read_document,
)
from ceir.registry.cases.states import CaseError
from ceir.registry.documents.keeping import MOST_OCTETS, DocumentMissingError
from ceir.registry.documents.media_types import DocumentRefusedError
from ceir.registry.documents.models import Document
from ceir.registry.personal.fields import Access, LegalBasisError

LAW = "Telecommunications Act 44"


def test_everybody_sees_the_cases_that_are_his() -> None:
    consumer, other = actor(Role.CONSUMER, "c1"), actor(Role.CONSUMER, "c2")
    operator, rival = actor(Role.OPERATOR, "o1", "operator1"), actor(Role.OPERATOR, "o2", "operator2")
    one, two, three = reported(by=consumer), reported(by=operator), reported(by=police())
    seen = {
        consumer: {one},
        other: set(),
        operator: {two},
        rival: set(),
        police("p2"): {three},
        police("p9", "station-9"): set(),
        reviewer(): {one, two, three},
        actor(Role.OFFICER): {one, two, three},
        actor(Role.AUDITOR): {one, two, three},
    }
    for who, expected in seen.items():
        assert set(cases_for(who)) == expected
        assert set(cases_of(ONE, actor=who)) == expected
        for case in {one, two, three} - expected:
            with pytest.raises(UnknownCaseError):
                case_for(who, case.pk)
    for role in (Role.CUSTOMS, Role.IMPORTER, Role.DEALER, Role.LAB):
        with pytest.raises(PermissionDeniedError):
            cases_for(actor(role))


def test_an_owner_is_read_on_a_legal_basis_by_those_whose_case_it_is() -> None:
    case = reported(by=actor(Role.OPERATOR, "o1", "operator1"), station=police().organisation)
    person = Person("Amina Yusuf", NUMBER.digits, CONTACT.digits, "Black, a crack in the glass.")
    for reader in (police("p2"), actor(Role.OPERATOR, "o3", "operator1"), reviewer(), actor(Role.OFFICER)):
        assert person_of(case.pk, access=Access(reader, NOW, LAW)) == person
        assert Entry.objects.filter(action="personal.read", actor=reader.id, basis=LAW).count() == 4
    assert "Amina" not in repr(person)
    strangers = [police("p9", "station-9"), actor(Role.OPERATOR, "o2", "operator2"), SYSTEM]
    strangers += [actor(role) for role in (Role.CONSUMER, Role.AUDITOR, Role.ADMINISTRATOR, Role.CUSTOMS)]
    for stranger in strangers:
        with pytest.raises(PermissionDeniedError):
            person_of(case.pk, access=Access(stranger, NOW, LAW))
    with pytest.raises(UnknownCaseError):
        person_of(4711, access=Access(reviewer(), NOW, LAW))


@pytest.mark.parametrize("basis", ["", "  ", "x" * 301, "a\nb", "a\0b"])
def test_a_basis_that_cannot_be_kept_is_none(basis: str) -> None:
    with pytest.raises(LegalBasisError):
        Access(police(), NOW, basis)


@pytest.mark.parametrize("octets", [png(), jpeg(), PDF], ids=["PNG", "JPEG", "PDF"])
def test_a_document_of_a_case_comes_back_with_its_type(octets: bytes) -> None:
    case = reported()
    kept = add_document(case.pk, octets, actor=police(), at=NOW)
    media_type, found = read_document(case.pk, kept.pk, access=Access(reviewer(), NOW, LAW))
    assert found == octets
    assert media_type == kept.content.media_type
    with pytest.raises(PermissionDeniedError):
        read_document(case.pk, kept.pk, access=Access(police("p9", "station-9"), NOW, LAW))


def test_a_document_is_read_as_one_of_its_own_case() -> None:
    mine, other = reported(), reported(by=police("p9", "station-9"))
    kept = add_document(other.pk, png(), actor=police("p9", "station-9"), at=NOW)
    with pytest.raises(DocumentMissingError):
        read_document(mine.pk, kept.pk, access=Access(police(), NOW, LAW))


def test_what_is_no_document_is_refused_and_the_case_is_as_before() -> None:
    case = reported()
    for octets in (b"", b"PK\3\4", b"<html>", b"GIF89a", bytes(MOST_OCTETS + 1), png()[:-1]):
        with pytest.raises(DocumentRefusedError):
            add_document(case.pk, octets, actor=police(), at=NOW)
    assert not documents_of(case).exists()


def test_a_case_has_ten_documents_at_most_and_none_more_once_it_ended() -> None:
    case = verified()
    for n in range(10):
        add_document(case.pk, png(text=b"%d" % n), actor=police(), at=NOW)
    with pytest.raises(CaseError, match="10 documents"), transaction.atomic():
        add_document(case.pk, png(text=b"11"), actor=police(), at=NOW)
    assert documents_of(case).count() == Document.objects.count() == 10
    withdraw(case.pk, reason="x", actor=police(), at=NOW)
    with pytest.raises(CaseError, match="withdrawn"):
        add_document(case.pk, png(), actor=police(), at=NOW)


def test_nobody_adds_to_a_strangers_case() -> None:
    case = reported(by=actor(Role.CONSUMER, "c1"))
    for stranger in (actor(Role.CONSUMER, "c2"), actor(Role.OPERATOR), police(), actor(Role.AUDITOR)):
        with pytest.raises(PermissionDeniedError):
            add_document(case.pk, png(), actor=stranger, at=NOW)
    add_document(case.pk, png(), actor=actor(Role.CONSUMER, "c1"), at=NOW)
    assert documents_of(fresh(case)).count() == 1
