"""Nothing is changed that the caller did not see: If-Match at the desk, beside keys of repeated calls."""

from typing import Any

import pytest
from at_once import at_once, need_postgresql
from calling import bearer, call, program
from lost import reported
from ninja.operation import Operation
from stories_trade import WORDING

from ceir.api.terms import terms_of
from ceir.api.urls import API
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.models import Case
from ceir.registry.type_approvals.models import Certificate

OFFICER = Role.OFFICER


def drafted() -> tuple[int, str, str]:
    """A draft: its key, its ETag, and an officer's token."""
    token = bearer(OFFICER)
    made = call("POST", "approvals", token, {"number": "TA-1", "wording": WORDING}).json()["id"]
    return made, call("GET", f"approvals/{made}", token).headers["ETag"], token


def redraft(key: int, token: str, holder: str, **headers: str) -> Any:
    return call("PUT", f"approvals/{key}", token, {**WORDING, "holder": holder}, **headers)


def test_what_takes_the_place_of_what_is_there_says_what_it_saw() -> None:
    key, tag, token = drafted()
    blind = redraft(key, token, "Oppo B")
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    assert redraft(key, token, "Oppo B", If_Match=tag).status_code == 200
    late = redraft(key, token, "Oppo C", If_Match=tag)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert Certificate.objects.get(pk=key).holder == "Oppo B"
    assert redraft(key, token, "Oppo C", If_Match="*").status_code == 200, "whatever it is by now"


def test_a_weak_tag_and_what_is_no_tag_match_nothing() -> None:
    key, tag, token = drafted()
    for wanted in (f"W/{tag}", "x", tag.strip('"'), '"x", "y"', ""):
        refused = redraft(key, token, "Oppo B", If_Match=wanted)
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed"), wanted
    assert redraft(key, token, "Oppo B", If_Match=f'"x", {tag}').status_code == 200


def test_what_is_not_there_is_not_found_with_and_without_a_tag() -> None:
    token = bearer(OFFICER)
    assert redraft(987654321, token, "Oppo B", If_Match='"x"').status_code == 404


def test_every_change_of_one_thing_that_can_be_read_may_depend_on_what_was_seen() -> None:
    token = bearer(Role.POLICE, of="station-1")
    case = reported().pk
    tag = call("GET", f"cases/{case}", token).headers["ETag"]
    Case.objects.filter(pk=case).update(place="New Market")
    body = {"reason": "the bill fits"}
    refused = call("POST", f"cases/{case}/verification", token, body, If_Match=tag)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert Case.objects.get(pk=case).state == "reported"
    fresh = call("GET", f"cases/{case}", token).headers["ETag"]
    assert call("POST", f"cases/{case}/verification", token, body, If_Match=fresh).status_code == 200


def test_a_repeated_call_gets_its_first_answer_although_the_tag_is_old_by_then() -> None:
    key, tag, token = drafted()
    first = redraft(key, token, "Oppo B", If_Match=tag, Idempotency_Key="once")
    again = redraft(key, token, "Oppo B", If_Match=tag, Idempotency_Key="once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = redraft(key, token, "Oppo B", If_Match='"another"', Idempotency_Key="once")
    assert other.json()["code"] == "idempotency_key_reused", "another condition is another call"
    refused = redraft(key, token, "Oppo C", If_Match=tag, Idempotency_Key="twice")
    assert refused.status_code == 412
    assert redraft(key, token, "Oppo C", If_Match=tag, Idempotency_Key="twice").status_code == 412


def test_a_condition_where_there_is_nothing_to_hold_it_against_is_refused_and_nothing_done() -> None:
    token = bearer(Role.POLICE, of="station-1")
    case = reported().pk
    before = Entry.objects.count()
    for headers in ({}, {"Idempotency_Key": "k"}):
        refused = call("POST", f"cases/{case}/person", token, {"basis": "law"}, If_Match='"x"', **headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "precondition_unsupported"), headers
    assert Entry.objects.filter(action="personal.read").count() == 0
    assert Entry.objects.count() == before


def test_what_puts_something_in_the_place_of_something_needs_a_condition() -> None:
    def required(operation: Operation) -> bool:
        guard = terms_of(operation.view_func).guard
        return guard is not None and guard.required

    for operation in API.operations:
        assert required(operation) == ("PUT" in operation.methods), operation.operation_id


@pytest.mark.django_db(transaction=True)
def test_of_four_who_change_the_same_draft_at_once_one_does() -> None:
    need_postgresql()
    key, tag, token = drafted()
    names = [f"Oppo {n}" for n in range(4)]
    answers: list[Any] = at_once(
        *[lambda name=name: redraft(key, token, name, If_Match=tag) for name in names]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    won = next(name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200)
    assert Certificate.objects.get(pk=key).holder == won
    assert Certificate.objects.get(pk=key).revision == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_on_a_case_at_once_the_second_is_told_that_it_changed() -> None:
    need_postgresql()
    program(Role.POLICE, of="station-1")
    token, case = bearer(Role.POLICE, of="station-1"), reported().pk
    tag = call("GET", f"cases/{case}", token).headers["ETag"]

    def verify() -> object:
        return call("POST", f"cases/{case}/verification", token, {"reason": "x"}, If_Match=tag)

    def reject() -> object:
        return call("POST", f"cases/{case}/rejection", token, {"reason": "x"}, If_Match=tag)

    answers: list[Any] = at_once(verify, reject)
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert Case.objects.get(pk=case).state in ("verified", "rejected")
