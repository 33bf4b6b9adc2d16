"""What happens around every endpoint."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from at_once import at_once
from calling import bearer, call, program
from lost import police, reported
from ninja import Schema
from people import NOW
from without_examples import WITHOUT

from ceir.api.examples import told_of
from ceir.api.terms import SMALL, terms_of
from ceir.api.urls import API
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.calls import allowing, remembering
from ceir.registry.calls.allowing import TooManyRequestsError, take
from ceir.registry.calls.models import ClientRate, Remembered
from ceir.registry.cases.verifying import verify
from ceir.registry.proposals.models import Proposal

KEY = "0b6f6a1c-6d0e-4a9b-9f53-3a1c7a1f9f10"
DECISION = {"accept": True, "reason": "seen"}


@pytest.fixture(autouse=True)
def _leases() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def waiting() -> Proposal:
    made = verify(reported().pk, reason="the bill fits", actor=police(), at=NOW)
    assert made is not None
    return made


def decide(proposal: Proposal, token: str, body: Any = None, **headers: str) -> Any:
    return call("POST", f"proposals/{proposal.pk}/decision", token, body or DECISION, **headers)


def test_a_repeated_call_gets_the_first_answer_and_changes_nothing() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    first = decide(proposal, token, Idempotency_Key=KEY)
    deeds = Entry.objects.count()
    again = decide(proposal, token, Idempotency_Key=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.content, again.headers["Content-Type"]) == (first.content, first.headers["Content-Type"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Entry.objects.count() == deeds
    assert decide(proposal, token).json()["code"] == "proposal_refused", "without the key it is another call"


def test_a_refusal_is_repeated_too() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    decide(proposal, token)
    first = decide(proposal, token, Idempotency_Key=KEY)
    again = decide(proposal, token, Idempotency_Key=KEY)
    assert first.status_code == again.status_code == 409
    assert again.content == first.content
    assert again.headers["Content-Type"] == "application/problem+json"


def test_a_key_is_for_one_request_and_one_caller() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    decide(proposal, token, Idempotency_Key=KEY)
    other = decide(proposal, token, {"accept": False, "reason": "seen"}, Idempotency_Key=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = call("POST", f"proposals/{proposal.pk + 1}/decision", token, DECISION, Idempotency_Key=KEY)
    assert elsewhere.json()["code"] == "idempotency_key_reused"
    somebody = bearer(Role.REVIEWER, identifier="another-reviewer")
    assert decide(proposal, somebody, Idempotency_Key=KEY).json()["code"] == "proposal_refused"


@pytest.mark.parametrize("key", ["", " ", "ü", "a b", "x" * 256, "\x00"])
def test_what_is_no_idempotency_key_is_refused(key: str) -> None:
    refused = decide(waiting(), bearer(Role.REVIEWER), Idempotency_Key=key)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid")


def test_first_answers_are_kept_encrypted_for_a_day() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    decide(proposal, token, Idempotency_Key=KEY)
    kept = Remembered.objects.get()
    assert b"decided_at" not in bytes(kept.answer or b"")
    assert remembering.forget(kept.begun_at + timedelta(hours=23)) == 0
    assert remembering.forget(kept.begun_at + timedelta(hours=24)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_the_same_call_made_four_times_at_once_one_counts() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    answers = at_once(*[lambda: decide(proposal, token, Idempotency_Key=KEY)] * 4)
    assert {answer.status_code for answer in answers} == {200}  # type: ignore[attr-defined]
    assert len({answer.content for answer in answers}) == 1  # type: ignore[attr-defined]
    accepted = Entry.objects.filter(action="proposal.accepted", subject=f"proposal:{proposal.pk}")
    assert accepted.count() == 1
    replayed = [a for a in answers if "Idempotency-Replayed" in a.headers]  # type: ignore[attr-defined]
    assert len(replayed) == 3


def test_what_a_caller_has_is_not_sent_again() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    first = call("GET", f"proposals/{proposal.pk}", token)
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = call("GET", f"proposals/{proposal.pk}", token, If_None_Match=known)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    decide(proposal, token)
    changed = call("GET", f"proposals/{proposal.pk}", token, If_None_Match=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_nothing_is_changed_that_the_caller_has_not_seen() -> None:
    proposal, token = waiting(), bearer(Role.REVIEWER)
    stale = call("GET", f"proposals/{proposal.pk}", token).headers["ETag"]
    Proposal.objects.filter(pk=proposal.pk).update(reason="another bill")
    refused = decide(proposal, token, If_Match=stale)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    proposal.refresh_from_db()
    assert proposal.state == "open"
    fresh = call("GET", f"proposals/{proposal.pk}", token).headers["ETag"]
    assert decide(proposal, token, If_Match=fresh).status_code == 200


def test_a_condition_on_what_is_not_there_does_not_hide_that() -> None:
    token = bearer(Role.REVIEWER)
    missing = call("POST", "proposals/987654/decision", token, DECISION, If_Match='"x"')
    assert missing.status_code in (404, 409)


def test_an_allowance_ends_and_says_when_to_go_on() -> None:
    token = bearer(Role.AUDITOR)
    ClientRate.objects.create(client=program(Role.AUDITOR), per_minute=3)
    answers = [call("GET", "record", token) for _ in range(8)]
    # The minute may turn in between: then there are three more.
    served = [answer for answer in answers if answer.status_code == 200]
    assert 3 <= len(served) <= 6
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    for answer in refused:
        assert answer.json()["code"] == "too_many_requests"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["RateLimit"].startswith('"calls";r=0;t=')
    assert served[0].headers["RateLimit-Policy"] == '"calls";q=3;w=60'
    assert served[0].headers["RateLimit"].startswith('"calls";r=2;t=')


def test_processes_share_an_allowance_and_never_exceed_it() -> None:
    let_through = 0
    for _ in range(12):  # each time as another process: without the leases of the others
        allowing.forget_leases()
        try:
            for _ in range(7):
                take("client:77", 1, at=NOW, limit=60)
                let_through += 1
        except TooManyRequestsError:
            pass
    assert 40 <= let_through <= 60
    assert take("client:77", 1, at=NOW + timedelta(minutes=1), limit=60).limit == 60


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_do_not_exceed_an_allowance() -> None:
    def many() -> int:
        passed = 0
        for _ in range(40):
            try:
                take("client:78", 1, at=NOW, limit=100)
                passed += 1
            except TooManyRequestsError:
                break
        return passed

    assert sum(int(str(passed)) for passed in at_once(*[many] * 4)) == 100


def test_a_large_request_is_refused_before_it_is_read() -> None:
    token = bearer(Role.REVIEWER)
    for claimed in (str(SMALL + 1), str(10 * 2**30), "9" * 40, "-1", "x"):
        refused = decide_claiming(token, claimed)
        assert (refused.status_code, refused.json()["code"]) == (413, "request_too_large"), claimed


def decide_claiming(token: str, length: str) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().post(
        "/api/v1/proposals/1/decision",
        data=b"{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    request.META["CONTENT_LENGTH"] = length

    class Unreadable:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    request.META["wsgi.input"] = Unreadable()
    from django.urls import resolve

    match = resolve("/api/v1/proposals/1/decision")
    return JsonAnswer(match.func(request, **match.kwargs))


class JsonAnswer:
    def __init__(self, response: Any) -> None:
        self.status_code, self._content = response.status_code, response.content

    def json(self) -> Any:
        return json.loads(self._content)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nowhere", 404, "not_found"),
        ("DELETE", "record", 405, "method_not_allowed"),
        ("GET", "record", 401, "token_missing"),
        ("GET", "", 404, "not_found"),
        ("GET", "../admin%2f", 404, "not_found"),
    ],
)
def test_every_refusal_below_the_api_is_a_problem(method: str, path: str, status: int, code: str) -> None:
    refused = call(method, path)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert call("GET", refused.json()["type"].removeprefix("/api/v1/")).json()["code"] == code


def test_a_body_that_is_no_json_is_told_so() -> None:
    token = bearer(Role.REVIEWER)
    from django.test import Client as Http

    for body in (b"{", b"\xff\xfe", b"[1,", b""):
        refused = Http().post(
            "/api/v1/proposals/1/decision",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert refused.status_code in (400, 422), body
        assert refused.json()["code"] in ("request_malformed", "request_invalid")


def test_answers_are_kept_by_nobody_between() -> None:
    answer = call("GET", "record", bearer(Role.AUDITOR))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Vary" not in answer.headers


def test_every_endpoint_declares_its_terms() -> None:
    for operation in API.operations:
        declared = terms_of(operation.view_func)
        assert (declared.permission is None) == (not operation.auth_callbacks)


def test_every_endpoint_has_an_example_but_those_with_a_reason() -> None:
    without = {
        name
        for o in API.operations
        if not terms_of(o.view_func).examples and not told_of(name := str(o.operation_id))
    }
    assert without == WITHOUT


def test_no_two_schemas_have_one_name() -> None:
    # The document knows schemas by their names only: one would silently stand for the other.
    def below(kind: type[Schema]) -> Iterator[type[Schema]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    places: dict[str, set[str]] = {}
    for one in below(Schema):
        if one.__module__.startswith("ceir.api."):
            places.setdefault(one.__name__, set()).add(one.__module__)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_the_document_is_as_it_is_sent_whatever_somebody_did_to_a_copy_of_it() -> None:
    first = API.get_openapi_schema()
    before = json.dumps(first)
    first["paths"].clear()
    assert json.dumps(API.get_openapi_schema()) == before
    assert json.dumps(call("GET", "openapi.json").json()) == before
    for path in API.get_openapi_schema()["paths"].values():
        for details in path.values():
            assert all(isinstance(status, str) for status in details["responses"])
