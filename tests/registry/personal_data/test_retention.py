"""How long personal data is kept, what stops its shredding, and what a person is told."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, transaction
from lost import (
    CONTACT,
    NUMBER,
    THIEF,
    THIEF_IMSI,
    blocked,
    fresh,
    police,
    reported,
    reviewer,
    seen,
    sighting,
    verified,
)
from people import NOW, actor
from test_documents import png

from ceir.identifiers import Imsi, Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import recover, restore, withdraw
from ceir.registry.cases.models import Case, Trace
from ceir.registry.cases.reading import add_document, documents_of, person_of
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.documents.models import Document
from ceir.registry.personal import shredding
from ceir.registry.personal.catalogue import holdings, page
from ceir.registry.personal.fields import Access, Purpose
from ceir.registry.personal.finding import encrypted_fields, keyed_fields, models_with_personal_data
from ceir.registry.personal.holding import HoldError, end_hold, hold
from ceir.registry.personal.retention import retention_of
from ceir.registry.personal.shredding import erase_about, shred
from ceir.registry.personal.subject_access import everything_about
from ceir.registry.subscribers.models import Person

DAY = timedelta(days=1)
LETTER = "letter of 3 November, article 15"
CASE_FIELDS = {"owner_name", "msisdn", "contact", "description"}
TRACE_FIELDS = {"imsi", "msisdn", "cell"}


def told(access_by=SYSTEM) -> Access:  # type: ignore[no-untyped-def]
    return Access(access_by, NOW, LETTER)


def ended() -> Case:
    """A case that was blocked, seen, recovered and restored at NOW, with a document."""
    case = seen(blocked())
    add_document(case.pk, png(text=b"bill"), actor=police(), at=NOW)
    recover(case.pk, reason="raid", actor=police(), at=NOW)
    restore(case.pk, reason="handed over", actor=police(), at=NOW)
    return fresh(case)


def files() -> int:
    return len([f for f in Path(settings.CEIR_DOCUMENTS).rglob("*") if f.is_file()])


# What holds for every model


@pytest.mark.parametrize("model", list(models_with_personal_data()), ids=lambda model: model._meta.label)
def test_a_model_with_personal_data_says_how_long_it_is_kept_and_can_be_shredded(model) -> None:  # type: ignore[no-untyped-def]
    retention = retention_of(model)
    assert retention, (
        f"{model._meta.label} needs: PERSONAL: ClassVar[Retention] = Retention(ended=..., kind=...)"
    )
    found = model
    *path, last = retention.ended.split("__")
    for step in path:
        found = found._meta.get_field(step).related_model
    assert found._meta.get_field(last).get_internal_type() == "DateTimeField"
    for field in [*encrypted_fields(model), *keyed_fields(model)]:
        assert field.null, f"{field} must be able to be null: that is how it is shredded"
    for field in encrypted_fields(model):
        assert isinstance(field.purpose, Purpose), f"{field} is kept for nothing"
        assert 0 < field.kept_days <= 3650
        assert field.label


def test_no_two_fields_share_a_label() -> None:
    labels = [field.label for model in models_with_personal_data() for field in encrypted_fields(model)]
    assert len(labels) == len(set(labels))


def test_a_field_whose_name_speaks_of_people_is_an_encrypted_one() -> None:
    """Of the models of cases: numbers and subscriptions are never columns in clear."""
    for model in apps.get_app_config("cases").get_models():
        for name in ("msisdn", "imsi", "owner_name", "contact", "description", "cell"):
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                continue
            assert field in encrypted_fields(model)


def test_the_page_lists_every_field_with_purpose_and_days() -> None:
    written = page()
    for model in models_with_personal_data():
        for field in encrypted_fields(model):
            assert field.purpose
            line = f"| `{model._meta.label}` | `{field.name}` | {field.purpose.value} | {field.kept_days} |"
            assert line in written
    for purpose in Purpose:
        assert f"- **{purpose.value}**: " in written
    assert len(holdings()) == sum(len(encrypted_fields(m)) for m in models_with_personal_data())
    assert "cases.Trace" in {holding.model for holding in holdings()}


# Shredding


def test_what_is_over_its_days_is_overwritten_with_its_hashes_and_recorded() -> None:
    case = ended()
    assert shred(NOW + 180 * DAY) == {}
    trace_days = shred(NOW + 180 * DAY + timedelta(seconds=1))
    assert trace_days == {f"cases.Trace.{name}": 1 for name in TRACE_FIELDS}
    row = Trace.objects.get()
    assert (row.imsi, row.msisdn, row.cell, row.imsi_key, row.msisdn_key) == (None,) * 5
    assert person_of(case.pk, access=told(reviewer())).owner_name == "Amina Yusuf"
    counts = shred(NOW + 366 * DAY)
    assert counts == {f"cases.Case.{name}": 1 for name in CASE_FIELDS} | {"documents.Document": 1}
    kept = fresh(case)
    assert [getattr(kept, name) for name in [*CASE_FIELDS, "msisdn_key", "contact_key"]] == [None] * 6
    assert kept.place == "Old Market"  # nobody's any more
    assert person_of(case.pk, access=told(reviewer())).msisdn == ""
    assert row.reveal(told(police())).msisdn == ""
    entries = Entry.objects.filter(action="personal.shredded", basis="retention", subject=f"case:{case.pk}")
    assert entries.count() == 2
    assert shred(NOW + 366 * DAY) == {}
    verify_record()


def test_nothing_of_what_was_shredded_is_left_in_the_table() -> None:
    ended()
    before = _octets("cases_case", "owner_name")
    assert before
    shred(NOW + 366 * DAY)
    assert _octets("cases_case", "owner_name") is None


def _octets(table: str, column: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM "{table}"')
        return cursor.fetchone()[0]


@pytest.mark.parametrize("state", ["reported", "verified", "blocked", "seen", "recovered"])
def test_what_goes_on_is_never_shredded_however_old(state: str) -> None:
    case = {"reported": reported, "verified": verified}.get(state, blocked)()
    if state == "seen":
        seen(case)
    if state == "recovered":
        recover(case.pk, reason="raid", actor=police(), at=NOW)
    assert fresh(case).state == state
    assert shred(NOW + 10_000 * DAY) == {}


def test_a_case_that_held_nothing_personal_loses_its_documents_in_time() -> None:
    case = reported(owner_name="", description="", msisdn=None, contact=None)
    add_document(case.pk, png(), actor=police(), at=NOW)
    withdraw(case.pk, reason="found", actor=police(), at=NOW)
    assert shred(NOW + 365 * DAY) == {}
    assert shred(NOW + 366 * DAY) == {"documents.Document": 1}
    assert not documents_of(case).exists()


@pytest.mark.django_db(transaction=True)
def test_the_file_of_a_shredded_document_is_gone() -> None:
    before = files()
    case = reported()
    add_document(case.pk, png(text=b"only here"), actor=police(), at=NOW)
    assert files() == before + 1
    withdraw(case.pk, reason="found", actor=police(), at=NOW)
    shred(NOW + 366 * DAY)
    assert files() == before


def test_a_legal_hold_stops_it_and_its_end_lets_it_go_on() -> None:
    case, other = ended(), reported(by=police("p2"))
    withdraw(other.pk, reason="found", actor=police("p2"), at=NOW)
    subject = f"case:{case.pk}"
    hold(subject, reason="court 7, order 12", actor=actor(Role.OFFICER), at=NOW)
    late = NOW + 366 * DAY
    assert shred(late) == {f"cases.Case.{name}": 1 for name in CASE_FIELDS}  # the other's
    assert fresh(case).owner_name is not None
    assert Trace.objects.get().imsi is not None
    assert not Document.objects.get().shredded_at
    assert not Entry.objects.filter(action="personal.shredded", subject=subject).exists()
    assert erase_about(NUMBER, access=told()).held == (subject,)
    end_hold(subject, reason="acquitted", actor=actor(Role.OFFICER), at=late)
    assert sum(shred(late).values()) == 4 + 3 + 1
    assert fresh(case).owner_name is None
    verify_record()


@pytest.mark.parametrize(
    "subject", ["case:4711", "case:", "case:1 ", "case", "", "trace:1", "case:-1", "case:１x"]
)
def test_a_hold_on_what_is_not_there_is_refused(subject: str) -> None:
    with pytest.raises(HoldError):
        hold(subject, reason="court 7", actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(HoldError):
        end_hold(subject, reason="court 7", actor=actor(Role.OFFICER), at=NOW)


@pytest.mark.parametrize("number", ["0{0}", "00{0}", "{0}\n", " {0}", "+{0}"])
def test_a_hold_that_is_spelt_otherwise_than_the_record_spells_it_is_refused_for_it_would_keep_nothing(
    number: str,
) -> None:
    subject = f"case:{number.format(reported().pk)}"
    with pytest.raises(HoldError):
        hold(subject, reason="court 7", actor=actor(Role.OFFICER), at=NOW)


def test_a_hold_in_other_digits_is_refused_for_it_would_keep_nothing() -> None:
    arabic = str(reported().pk).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    with pytest.raises(HoldError):
        hold(f"case:{arabic}", reason="court 7", actor=actor(Role.OFFICER), at=NOW)


def test_what_goes_on_again_between_looking_and_shredding_is_not_shredded() -> None:
    person = Person.objects.create(name="Binta Ceesay", entered_at=NOW, ended_at=NOW)
    late = NOW + 181 * DAY
    retention = retention_of(Person)
    assert retention is not None
    due = partial(shredding._are_due, ["name"], retention, late)
    Person.objects.filter(pk=person.pk).update(ended_at=None)  # she registered a phone meanwhile
    assert not shredding._overwrite(person, retention, ["name"], SYSTEM, late, "retention", due)
    assert Person.objects.get(pk=person.pk).name is not None
    Person.objects.filter(pk=person.pk).update(ended_at=NOW)
    assert shredding._overwrite(person, retention, ["name"], SYSTEM, late, "retention", due)
    assert Person.objects.get(pk=person.pk).name is None


def test_one_hold_is_in_force_at_a_time() -> None:
    subject = f"case:{reported().pk}"
    hold(subject, reason="court 7", actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(HoldError, match="held already"), transaction.atomic():
        hold(subject, reason="court 8", actor=actor(Role.OFFICER), at=NOW)
    end_hold(subject, reason="over", actor=actor(Role.OFFICER), at=NOW)
    hold(subject, reason="court 8", actor=actor(Role.OFFICER), at=NOW)


# What a person is told, and what he can have erased


def test_a_person_is_told_everything_that_belongs_to_his_number_in_clear() -> None:
    case = reported()
    reported(by=police("p2"), msisdn=Msisdn("220000000003"), contact=None, owner_name="Somebody Else")
    add_document(case.pk, png(), actor=police(), at=NOW)
    for number in (NUMBER, CONTACT):
        answer = everything_about(number, access=told())
        assert [row.subject for row in answer.rows] == [f"case:{case.pk}"] * 2
        values = answer.rows[0].values
        assert {name: values[name] for name in CASE_FIELDS} == {
            "owner_name": "Amina Yusuf",
            "msisdn": NUMBER.digits,
            "contact": CONTACT.digits,
            "description": "Black, a crack in the glass.",
        }
        assert (values["state"], values["place"]) == ("reported", "Old Market")
        assert answer.rows[1].values["media_type"] == "image/png"
        assert "Somebody" not in repr(answer)
    reads = Entry.objects.filter(action="personal.read", basis=LETTER)
    assert reads.count() == 2 * 4
    assert Entry.objects.filter(action="personal.told").count() == 2
    assert everything_about(Msisdn("220000000009"), access=told()).rows == ()


def test_who_is_traced_is_not_told_before_the_case_ends() -> None:
    case = seen(blocked())
    for who in (THIEF, THIEF_IMSI):
        answer = everything_about(who, access=told())
        assert answer.rows == ()
        assert answer.withheld == (f"case:{case.pk}",)
    # The register itself reads where to tell the owner about his case.
    assert not Entry.objects.filter(action="personal.read").exclude(actor="system").exists()
    withdraw(case.pk, reason="found", actor=police(), at=NOW)
    answer = everything_about(THIEF, access=told())
    assert answer.withheld == ()
    assert answer.rows[0].values["imsi"] == THIEF_IMSI.digits
    assert "Amina" not in repr(answer)  # the owner is somebody else


def test_a_number_is_found_by_the_kind_of_number_it_is() -> None:
    same = "220000000000666"
    blocked()
    take_sightings([sighting(imsi=Imsi(same), msisdn=None)], actor=SYSTEM, at=NOW)
    assert everything_about(Imsi(same), access=told()).withheld
    assert not everything_about(Msisdn(same), access=told()).withheld


def test_erasure_takes_what_ended_and_leaves_what_goes_on() -> None:
    case = ended()
    going_on = reported()
    answer = erase_about(NUMBER, access=told())
    assert answer.shredded == (f"case:{case.pk}",)
    assert answer.open == (f"case:{going_on.pk}",)
    assert fresh(case).owner_name is None
    assert documents_of(case).count() == 0
    assert fresh(going_on).owner_name is not None
    assert Trace.objects.get().imsi is not None  # the thief's, not the owner's
    assert Entry.objects.get(action="personal.shredded").basis == LETTER
    assert erase_about(NUMBER, access=told()).shredded == ()
    assert [row.subject for row in everything_about(NUMBER, access=told()).rows] == [f"case:{going_on.pk}"]


def test_only_those_who_answer_such_requests_may() -> None:
    case = reported()
    for role in set(Role) - {Role.OFFICER, Role.ADMINISTRATOR, Role.SYSTEM}:
        who = actor(role)
        with pytest.raises(PermissionDeniedError):
            everything_about(NUMBER, access=Access(who, NOW, LETTER))
        with pytest.raises(PermissionDeniedError):
            erase_about(NUMBER, access=Access(who, NOW, LETTER))
        with pytest.raises(PermissionDeniedError):
            hold(f"case:{case.pk}", reason="x", actor=who, at=NOW)
        with pytest.raises(PermissionDeniedError):
            end_hold(f"case:{case.pk}", reason="x", actor=who, at=NOW)
    for role in set(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}:
        with pytest.raises(PermissionDeniedError):
            shred(NOW, actor=actor(role))


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_not_recorded_is_not_given() -> None:
    reported()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        everything_about(NUMBER, access=told())
