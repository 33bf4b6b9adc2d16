"""Hostile input over the API: refused with a code and a hint, and nothing is lost or kept of it."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import bearer, call
from desk import Phones, blocked_case, country, registered
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Http
from test_desk import licensed, lost, upload
from test_documents import PDF
from world import imei

from ceir.api.urls import API
from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify
from ceir.registry.cases.models import Case
from ceir.registry.documents.models import Document
from ceir.registry.imports.models import Consignment
from ceir.registry.registrations.models import Registration

SQL = "'; DROP TABLE cases_case; --"
HTML = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _country(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.CEIR_DOCUMENTS = tmp_path / "documents"
    settings.CEIR_COUNTRY = country(Phones())
    settings.CEIR_API_PER_MINUTE = 1_000_000
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    verify()


def refused(answer: Any, *statuses: int) -> str:
    """The code of a refusal that says what is wrong and what to do."""
    assert answer.status_code in (statuses or (400, 413, 422)), answer.content[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    assert problem["hint"]
    return str(problem["code"])


@pytest.mark.parametrize("text", ["a\0b", "x" * 1_000_000, "\u202eevil", "\ud800", "a\x1b[31mb"])
@pytest.mark.parametrize("field", ["place", "description", "owner_name", "police_reference"])
def test_texts_that_cannot_be_kept_are_refused_whole(field: str, text: str) -> None:
    answer = call("POST", "cases", bearer(Role.POLICE), lost(imeis=[imei(1).printed], **{field: text}))
    assert refused(answer) in ("request_invalid", "text_refused", "request_malformed")
    assert text[:200] not in answer.content.decode(), "what was sent is not sent back"
    assert Case.objects.count() == 0


@pytest.mark.parametrize("text", [SQL, HTML, "=cmd|'/c calc'!A0", "../../etc/passwd"])
def test_sql_markup_and_formulas_are_words_like_others(text: str) -> None:
    told = lost(imeis=[imei(1).printed], place=text, description=text, owner_name=text)
    police = bearer(Role.POLICE)
    made = call("POST", "cases", police, told)
    assert made.status_code == 201, made.content
    assert made.headers["Content-Type"].startswith("application/json")
    assert call("GET", f"cases/{made.json()['id']}", police).json()["place"] == text
    person = call("POST", f"cases/{made.json()['id']}/person", police, {"basis": "law 7"}).json()
    assert person["description"] == text


@pytest.mark.parametrize(
    "given",
    ["", "0", "35675904000001", "356759040000018", "3567590400000170", "３５６７５９０４０００００１７", "-1",
     "1e15", "35675904\x00000017", "' OR 1=1", "9" * 39, "imei"],
)  # fmt: skip
def test_an_identifier_is_right_or_refused(given: str) -> None:
    answer = call("POST", "cases", bearer(Role.POLICE), lost(imeis=[given]))
    if answer.status_code == 201:
        shown = [one["imei"][:14] for one in answer.json()["identities"]]
        assert shown == ["".join(c for c in given if c in "0123456789")[:14]], "it is the one that was sent"
    else:
        assert refused(answer) == "invalid_identifier"
        assert Case.objects.count() == 0


@pytest.mark.parametrize(
    "given", ["", "+", "123", "+1234567890123456", "+22000000001x", "\0", "+" + "9" * 39]
)
def test_a_number_is_right_or_refused(given: str) -> None:
    wanted = {"purpose": "devices", "msisdn": given}
    assert refused(call("POST", "codes", bearer(Role.CONSUMER), wanted)) == "invalid_identifier"


@pytest.mark.parametrize("key", ["0", "-1", "9223372036854775808", "1" * 300, "1%00", "x", "1.5", "%2e%2e"])
def test_a_key_that_is_none_is_refused_before_anything_is_looked_for(key: str) -> None:
    answer = call("GET", f"cases/{key}", bearer(Role.OFFICER))
    assert refused(answer, 400, 404, 422) in ("request_invalid", "request_malformed", "not_found")


@pytest.mark.parametrize(
    "query",
    ["state=%00", "cursor=%00", "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ", "imei=%00", "imei=%F0%28%8C",
     "changed_since=9999-99-99", "changed_since=0001-01-01T00:00:00%2B14:00", "state=" + "x" * 5000,
     "cursor=" + "A" * 5000],
)  # fmt: skip
def test_hostile_queries_are_refused(query: str) -> None:
    refused(call("GET", f"cases?{query}", bearer(Role.OFFICER)), 400, 422)


def test_no_list_of_the_document_fails_on_control_characters_in_its_query() -> None:
    """PostgreSQL takes no NUL in a text."""
    tokens = {role: bearer(role) for role in Role if role is not Role.SYSTEM}
    for path, methods in API.get_openapi_schema()["paths"].items():
        details = methods.get("get")
        if details is None or "{" in path:
            continue
        named = [p["name"] for p in details.get("parameters", []) if p["in"] == "query"]
        for name in named:
            for token in tokens.values():
                answer = call("GET", f"{path.removeprefix('/api/v1/')}?{name}=%00", token)
                assert answer.status_code < 500, f"{path} {name}"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b"\xff\xfe{\x00}\x00", b'{"loss": "stolen"', b"{" * 5000, b"[" * 50_000,
     b'{"loss": NaN}', b'{"loss":"stolen","loss":"lost"}', b"\x00" * 100, "ä".encode("latin-1")],
)  # fmt: skip
def test_a_body_that_is_no_such_json_is_refused(body: bytes) -> None:
    answer = Http(raise_request_exception=False).generic(
        "POST", "/api/v1/cases", body, content_type="application/json",
        headers={"Authorization": f"Bearer {bearer(Role.POLICE)}"},
    )  # fmt: skip
    refused(answer)
    assert Case.objects.count() == 0


def test_what_is_not_declared_is_refused_and_not_repeated() -> None:
    answer = call(
        "POST",
        "cases",
        bearer(Role.POLICE),
        lost(imeis=[imei(1).printed], state="restored", **{"p" * 900: 1}),
    )
    assert refused(answer) == "request_invalid"
    assert "p" * 100 not in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "cases"), ("POST", "imports"), ("POST", "cases/1/documents")]
)
def test_ten_gigabytes_are_refused_by_their_claim_alone(method: str, path: str) -> None:
    role = Role.IMPORTER if path == "imports" else Role.POLICE
    answer = Http(raise_request_exception=False).generic(
        method, f"/api/v1/{path}", b"x", content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {bearer(role)}"}, CONTENT_LENGTH="10737418240",
    )  # fmt: skip
    assert refused(answer, 413) == "request_too_large"


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\n", b"\0" * 50, b"--x\r\n" * 2000]
)
def test_a_form_that_is_none_is_refused(body: bytes) -> None:
    for path, role in (("imports", Role.IMPORTER), ("registrations/file", Role.IMPORTER)):
        for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain"):
            answer = Http(raise_request_exception=False).generic(
                "POST", f"/api/v1/{path}", body, content_type=kind,
                headers={"Authorization": f"Bearer {bearer(role)}"},
            )  # fmt: skip
            refused(answer)


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", b"0" * 20_000_000)
    return packed.getvalue()


FILES = {
    "a zip bomb": bomb(),
    "gzip": gzip.compress(b"356759040000017\n" * 10),
    "UTF-16": "imei\n356759040000017\n".encode("utf-16"),
    "Latin-1": "imei\nä\n".encode("latin-1"),
    "NULs": b"imei\n" + b"\0" * 1000,
    "one long line": b"imei\n" + b"3" * 2_000_000,
    "other columns": b"imei,price\n356759040000017,3\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_list_is_refused_and_nothing_of_it_is_kept(what: str) -> None:
    licensed()
    mine = bearer(Role.IMPORTER)
    answer = upload("registrations/file", mine, "f.csv", FILES[what], kind="fleet", reason="x")
    assert refused(answer) == "device_file_refused"
    assert Registration.objects.count() == 0
    sent = upload("imports", mine, "f.csv", FILES[what], number="C-1", declared="3", port="Port")
    assert refused(sent) == "import_file_refused"
    assert not Consignment.objects.exclude(state="unreadable").exists()
    good = f"imei\n{imei(1).printed}\n".encode()
    again = upload("imports", mine, "f.csv", good, number="C-1", declared="1", port="Port")
    assert again.status_code == 201, "the number can be used again"


@pytest.mark.parametrize("name", ["../../../etc/cron.d/x", "C:\\boot.ini", "a\0b.pdf", "x" * 5000, "", "CON"])
def test_the_name_of_a_file_goes_nowhere(name: str, tmp_path: Path) -> None:
    case = blocked_case("station-1")
    answer = Http(raise_request_exception=False).post(
        f"/api/v1/cases/{case}/documents",
        {"file": SimpleUploadedFile("x", PDF)},
        headers={"Authorization": f"Bearer {bearer(Role.POLICE, of='station-1')}"},
    )
    assert answer.status_code == 201
    boundary = "x"
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        + PDF
        + f"\r\n--{boundary}--\r\n".encode()
    )
    raw = Http(raise_request_exception=False).generic(
        "POST", f"/api/v1/cases/{case}/documents", body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Authorization": f"Bearer {bearer(Role.POLICE, of='station-1')}"},
    )  # fmt: skip
    assert raw.status_code in (201, 400, 422), raw.content
    assert Document.objects.count() == 1, "the same octets are one document"
    kept = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert all(len(one) == 64 for one in kept if "keys" not in one), kept


def test_a_picture_of_too_many_pixels_and_a_page_of_markup_are_no_documents() -> None:
    from test_documents import png

    case = blocked_case("station-1")
    police = bearer(Role.POLICE, of="station-1")
    for octets in (png(60_000, 60_000), HTML.encode(), b"%PDF-", b"\x89PNG\r\n\x1a\n", b""):
        refused(upload(f"cases/{case}/documents", police, "x.png", octets))
    assert Document.objects.count() == 0


def test_a_proof_of_somebody_else_or_for_something_else_proves_nothing() -> None:
    from desk import proof, speaks_for

    from ceir.registry.codes.models import Purpose

    registered(1)
    stranger = speaks_for(Role.CONSUMER, "elsewhere")
    for known in (
        proof(Purpose.DEVICES, stranger),
        proof(Purpose.TRANSFER, speaks_for(Role.CONSUMER)),
        {**proof(Purpose.DEVICES, speaks_for(Role.CONSUMER)), "msisdn": "+220000000002"},
        {"code": 9223372036854775807, "msisdn": "+220000000001"},
    ):
        answer = call("POST", "devices/mine", bearer(Role.CONSUMER), {"proof": known})
        assert refused(answer, 409) == "code_refused"


@pytest.mark.parametrize("key", ["x", "-1", "9" * 30, "%BC%A0"])
def test_a_condition_on_what_has_no_such_key_is_refused(key: str) -> None:
    said = {"accept": True, "reason": "x"}
    answer = call("POST", f"proposals/{key}/decision", bearer(Role.REVIEWER), said, If_Match='"x"')
    refused(answer, 404, 409, 412, 422)
