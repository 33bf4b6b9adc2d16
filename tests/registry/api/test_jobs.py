"""Questions of many identifiers, answered by a real worker's function."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from at_once import at_once
from calling import bearer, call, program
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from lost import ONE, blocked

from ceir.api.bulk_task import answer_bulk
from ceir.api.identities import identity_of
from ceir.registry.accounts.models import Client
from ceir.registry.actors import Role
from ceir.registry.bulk.asking import MOST_WAITING, carry_out, forget
from ceir.registry.bulk.models import Part, Question
from ceir.registry.calls import allowing

IMEIS = [f"{ONE.number + n:014}" for n in range(2500)]


@pytest.fixture(autouse=True)
def _leases() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def made(imeis: list[str] = IMEIS, role: Role = Role.OPERATOR) -> tuple[str, str]:
    token = bearer(role)
    answer = call("POST", "jobs", token, {"imeis": imeis})
    assert answer.status_code == 202, answer.content
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json()['id']}"
    return answer.json()["id"], token


def lines(job: str, token: str) -> list[dict[str, object]]:
    answer = call("GET", f"jobs/{job}/result", token)
    assert answer.status_code == 200, answer.content
    return [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]


def test_a_job_is_queued_answered_and_fetched_in_the_order_of_the_questions() -> None:
    blocked()
    job, token = made([*IMEIS, "356741080000019"])
    assert DBTaskResult.objects.count() == 1
    waiting = call("GET", f"jobs/{job}", token).json()
    assert (waiting["state"], waiting["total"], waiting["done"]) == ("queued", 2501, 0)
    early = call("GET", f"jobs/{job}/result", token)
    assert (early.status_code, early.json()["code"]) == (409, "bulk_refused")
    assert answer_bulk.call(job) == "done"
    done = call("GET", f"jobs/{job}", token).json()
    assert (done["state"], done["done"], done["refused"]) == ("done", 2501, 1)
    found = lines(job, token)
    assert [line["asked"] for line in found] == [*IMEIS, "356741080000019"]
    batch = call("POST", "status/batch", token, {"imeis": IMEIS[:1000]}).json()["results"]
    assert found[:1000] == batch, "a job says what the same question asked at once does"


def test_a_worker_that_is_killed_loses_one_part_and_nothing_is_answered_twice() -> None:
    job, token = made()
    died = []

    class KilledError(BaseException):
        pass

    def dies(text: str) -> object:
        if text == IMEIS[1500]:
            died.append(text)
            raise KilledError
        return identity_of(text)

    with pytest.raises(KilledError):
        carry_out(UUID(job), dies, timezone.now)  # type: ignore[arg-type]
    assert call("GET", f"jobs/{job}", token).json()["done"] == 1000
    assert carry_out(UUID(job), identity_of, timezone.now) == "done"
    assert carry_out(UUID(job), identity_of, timezone.now) == "done"
    assert call("GET", f"jobs/{job}", token).json()["done"] == 2500
    assert len(lines(job, token)) == 2500


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_answer_each_part_once() -> None:
    job, token = made()
    assert at_once(*[lambda: carry_out(UUID(job), identity_of, timezone.now)] * 2) == ["done", "done"]
    assert call("GET", f"jobs/{job}", token).json()["done"] == 2500
    assert Part.objects.count() == 3


def test_nobody_sees_another_organisations_jobs() -> None:
    job, _ = made()
    other = bearer(Role.OPERATOR, of="operator9")
    for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
        refused = call(method, f"jobs/{job}{path}", other)
        assert (refused.status_code, refused.json()["code"]) == (404, "bulk_unknown")
    assert call("GET", "jobs", other).json() == {"items": []}
    assert call("GET", f"jobs/{uuid4()}", other).status_code == 404


def test_a_job_of_who_may_not_ask_any_more_is_not_answered() -> None:
    job, _ = made()
    Client.objects.filter(pk=program(Role.OPERATOR).pk).update(active=False)
    assert carry_out(UUID(job), identity_of, timezone.now) == "failed"
    assert Part.objects.count() == 0


def test_a_cancelled_job_is_answered_no_more_and_its_answers_are_gone() -> None:
    job, token = made()
    assert call("DELETE", f"jobs/{job}", token).status_code == 204
    assert carry_out(UUID(job), identity_of, timezone.now) == "cancelled"
    assert Part.objects.count() == 0
    assert call("GET", f"jobs/{job}", token).json()["state"] == "cancelled"


def test_answers_are_forgotten_after_a_week() -> None:
    made()
    asked_at = Question.objects.get().asked_at
    assert forget(asked_at + timedelta(days=6)) == 0
    assert forget(asked_at + timedelta(days=7)) == 1


def test_too_many_identifiers_or_jobs_are_refused() -> None:
    token = bearer(Role.OPERATOR)
    assert call("POST", "jobs", token, {"imeis": ["1"] * 100_001}).status_code == 422
    assert call("POST", "jobs", token, {"imeis": []}).status_code == 422
    for _ in range(MOST_WAITING):
        assert call("POST", "jobs", token, {"imeis": ["35674108000001"]}).status_code == 202
    refused = call("POST", "jobs", token, {"imeis": ["35674108000001"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "bulk_refused")


def test_a_repeated_call_makes_one_job() -> None:
    token = bearer(Role.OPERATOR)
    asked = {"imeis": ["35674108000001"]}
    first = call("POST", "jobs", token, asked, Idempotency_Key="one")
    again = call("POST", "jobs", token, asked, Idempotency_Key="one")
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Location"] == first.headers["Location"]
    assert Question.objects.count() == DBTaskResult.objects.count() == 1
