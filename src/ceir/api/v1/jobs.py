"""Questions of up to 100,000 identifiers, answered in the background."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from ceir.api.bulk_task import answer_bulk
from ceir.api.identities import LONGEST
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.bulk.asking import MOST, BulkError, BulkUnknownError, answers_of, ask, cancel, question_of
from ceir.registry.bulk.models import Question

ROUTER = Router()

LISTED = 100


class JobOut(Schema):
    """A job; `result` is its address once it is done."""

    id: UUID
    kind: str = "status"
    state: str
    total: int
    done: int
    refused: int
    why: str
    asked_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    result: str | None

    @staticmethod
    def resolve_result(question: Question) -> str | None:
        """Only when all answers are there."""
        return f"/api/v1/jobs/{question.pk}/result" if question.state == "done" else None


class JobsOut(Schema):
    """Jobs of the organisation, the newest first; at most 100."""

    items: list[JobOut]


class Bulk(Schema):
    """What is asked."""

    kind: Annotated[str, Field(pattern="^status$")] = "status"
    imeis: Annotated[list[Annotated[str, Field(max_length=LONGEST)]], Field(min_length=1, max_length=MOST)]


_ID = "0b6f6a1c-6d0e-4a9b-9f53-3a1c7a1f9f10"
_JOB = {
    "id": _ID,
    "kind": "status",
    "state": "queued",
    "total": 2,
    "done": 0,
    "refused": 0,
    "why": "",
    "asked_at": "2026-11-22T09:00:00Z",
    "ended_at": None,
    "expires_at": "2026-11-29T09:00:00Z",
    "result": None,
}
_VARIES = frozenset({"id", "asked_at", "expires_at", "ended_at", "result", "since"})


@ROUTER.post("", response={202: JobOut}, summary="Ask how up to 100,000 pieces of equipment stand")
@terms(
    Permission.STATUS_READ,
    refuses=(BulkError,),
    cost=100,
    most_octets=4_000_000,
    examples=(
        Example(
            "Two",
            "nothing",
            Role.OPERATOR,
            body={"kind": "status", "imeis": ["35674108000001", "356741080000019"]},
            status=202,
            answer=_JOB,
            varies=_VARIES,
        ),
    ),
)
def make_job(request: Request, bulk: Bulk, response: HttpResponse) -> Status[Question]:
    """It is put into the queue; ask for it from time to time, or have a webhook tell when it is done."""
    with transaction.atomic():
        made = ask(bulk.imeis, actor=request.auth.actor, at=timezone.now())
        answer_bulk.enqueue(str(made.pk))
    response.headers["Location"] = f"/api/v1/jobs/{made.pk}"
    return Status(HTTPStatus.ACCEPTED, made)


@ROUTER.get("", response=JobsOut, summary="Jobs of the organisation")
@terms(
    Permission.STATUS_READ,
    examples=(
        Example(
            "One done",
            "a job is done",
            Role.OPERATOR,
            answer={"items": [{**_JOB, "state": "done", "done": 2, "refused": 1}]},
            varies=_VARIES,
        ),
    ),
)
def list_jobs(request: Request) -> dict[str, Any]:
    """Those of the same organisation and role."""
    actor = request.auth.actor
    found = Question.objects.filter(organisation=actor.organisation, role=actor.role).defer("asked")
    return {"items": list(found[:LISTED])}


@ROUTER.get("/{job}", response=JobOut, summary="How far a job is")
@terms(
    Permission.STATUS_READ,
    refuses=(BulkUnknownError,),
    examples=(
        Example(
            "Done",
            "a job is done",
            Role.OPERATOR,
            path={"job": _ID},
            answer={**_JOB, "state": "done", "done": 2, "refused": 1},
            varies=_VARIES,
        ),
    ),
)
def one_job(request: Request, job: UUID) -> Question:
    """`done` of `total` are answered."""
    return question_of(job, actor=request.auth.actor)


@ROUTER.get("/{job}/result", response=None, summary="The answers, a JSON value in each line")
@terms(
    Permission.STATUS_READ,
    refuses=(BulkUnknownError, BulkError),
    cost=20,
    examples=(Example("Of two, one of which is none", "a job is done", Role.OPERATOR, path={"job": _ID}),),
)
def job_result(request: Request, job: UUID) -> HttpResponseBase:
    """In the order of the questions; each line as a row of `POST /status/batch`. Streamed."""
    answers = answers_of(question_of(job, actor=request.auth.actor))
    return StreamingHttpResponse(answers, content_type="application/x-ndjson")


@ROUTER.delete("/{job}", response={204: None}, summary="Cancel a job, or remove its answers")
@terms(
    Permission.STATUS_READ,
    refuses=(BulkUnknownError,),
    examples=(Example("Done", "a job is done", Role.OPERATOR, path={"job": _ID}, status=204),),
)
def cancel_job(request: Request, job: UUID) -> Status[None]:
    """What was answered is removed."""
    cancel(job, actor=request.auth.actor, at=timezone.now())
    return Status(HTTPStatus.NO_CONTENT, None)
