"""What people type comes back as typed, does nothing on the way, and cannot be read without a key."""

import pytest
from django.db import connection
from django.template import engines
from lost import NUMBER, ONE, accept, fresh, police, reported, reviewer, sighting
from people import NOW

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import reject
from ceir.registry.cases.models import Case, Trace
from ceir.registry.cases.reading import person_of
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.cases.verifying import verify
from ceir.registry.personal.fields import Access
from ceir.registry.personal.subject_access import everything_about
from ceir.registry.proposals.models import Proposal

HOSTILE = [
    "'; DROP TABLE cases_case; --",
    "' OR '1'='1",
    '"); DELETE FROM audit_entry; --',
    "<script>alert(document.cookie)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "%s %(x)s {0} ${x} `id` $(id)",
    '=HYPERLINK("http://example.invalid","x")',
    "../../../../etc/passwd",
    "\\'; \\x00 \\u0000",
    "خروج من الحساب ١٢٣",
    "𝕏 🧨 é",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_of_a_case_comes_back_as_typed(text: str) -> None:
    case = reported(place=text, description=f"{text}\n{text}", owner_name=text, police_reference=text)
    found = person_of(case.pk, access=Access(police(), NOW, text))
    assert (found.owner_name, found.description) == (text, f"{text}\n{text}")
    assert (case.place, case.police_reference) == (text, text)
    assert Case.objects.filter(place=text, police_reference=text).get() == case
    proposal = verify(case.pk, reason=text, police_reference=f"{text}!", actor=police(), at=NOW)
    assert proposal
    assert Proposal.objects.get(pk=proposal.pk).reason == text
    assert fresh(case).police_reference == f"{text}!"
    reject(case.pk, reason=text, actor=reviewer(), at=NOW)
    assert fresh(case).reason == text
    assert Entry.objects.filter(basis=text).count() > 4
    told = everything_about(NUMBER, access=Access(SYSTEM, NOW, text))
    assert told.rows[0].values["owner_name"] == text
    verify_record()


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_of_a_sighting_comes_back_as_told(text: str) -> None:
    accept(reported())
    take_sightings([sighting(cell=text, operator=text[:32].strip())], actor=SYSTEM, at=NOW)
    trace = Trace.objects.get()
    assert trace.operator == text[:32].strip()
    assert trace.reveal(Access(police(), NOW, text)).cell == text


@pytest.mark.parametrize("text", [t for t in HOSTILE if "<" in t])
def test_a_page_shows_markup_as_words(text: str) -> None:
    case = reported(place=text)
    page = engines["django"].from_string("<p>{{ case.place }}</p>").render({"case": case})
    assert "<script" not in page
    assert "<img" not in page


def test_what_is_personal_lies_in_no_table_in_clear() -> None:
    secrets = ["Secretname Secretson", "a secret told", NUMBER.digits, "220000000088"]
    case = reported(owner_name=secrets[0], description=secrets[1])
    verify(case.pk, reason="x", actor=police(), at=NOW)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = repr([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor])
            for secret in secrets:
                assert secret not in rows, table
    assert "Secretname" not in f"{fresh(case)} {fresh(case).owner_name} {fresh(case).__dict__}"
    assert ONE.number in case.identities.values_list("imei", flat=True)
