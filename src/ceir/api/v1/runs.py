"""Runs that were taken over, and how they changed what holds for equipment."""

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Path, Router, Schema

from ceir.api.identities import identity_of
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.runs.models import Change, Run

ROUTER = Router()
_LARGEST = 2**62


class FileOut(Schema):
    """A file that was verified against the run's manifest."""

    file: str
    rows: int
    sha256: str


class RunOut(Schema):
    """A run as it was taken over."""

    number: int
    as_of: date
    base: int | None
    country: str
    policy: str
    policy_sha256: str
    manifest_sha256: str
    whole: bool
    files: list[FileOut]
    counts: dict[str, int]
    applied_at: datetime


class ChangeOut(Schema):
    """How a run changed what holds for an identity."""

    run: int
    as_of: date
    before: str
    after: str
    told: str
    block_on: date | None
    conditions: list[str]
    reasons: list[str]


class History(Schema):
    """Changes, the oldest first."""

    imei: str
    changes: list[ChangeOut]


_RUN = {
    "number": 1,
    "as_of": "2026-11-02",
    "base": None,
    "country": "Examplia",
    "policy": "examplia 1",
    "policy_sha256": "0" * 64,
    "manifest_sha256": "0" * 64,
    "whole": True,
    "files": [],
    "counts": {"blocked": 1},
    "applied_at": "2026-11-22T09:00:00Z",
}
_VARIES = frozenset({"manifest_sha256", "files", "counts", "applied_at"})


@ROUTER.get("", response=Page[RunOut], summary="Runs, the newest first")
@terms(
    Permission.RUN_READ,
    refuses=(CursorError,),
    examples=(
        Example(
            "One run",
            "a run was taken over",
            Role.OPERATOR,
            answer={"items": [_RUN], "next": None},
            varies=_VARIES,
        ),
    ),
)
def list_runs(request: Request, cursor: str = "") -> dict[str, object]:
    """Page by page."""
    return page_of(Run.objects.all(), cursor)


@ROUTER.get("/history/{imei}", response=History, summary="How an identity came to where it stands")
@terms(
    Permission.RUN_READ,
    refuses=(InvalidIdentifierError,),
    examples=(
        Example(
            "Blocked once",
            "a run was taken over",
            Role.OFFICER,
            path={"imei": "35000000000000"},
            answer={
                "imei": "35000000000000",
                "changes": [
                    {
                        "run": 1,
                        "as_of": "2026-11-02",
                        "before": "",
                        "after": "blocked",
                        "told": "became blocked",
                        "block_on": "2026-11-01",
                        "conditions": ["unallocated"],
                        "reasons": ["Never allocated"],
                    }
                ],
            },
        ),
    ),
)
def run_history(request: Request, imei: str) -> dict[str, Any]:
    """Every change of its decision, with the run that made it."""
    stored = StoredIdentity.of(identity_of(imei))
    changes = Change.objects.filter(imei=stored.key).select_related("run", "grounds").order_by("run_id")
    return {
        "imei": stored.text,
        "changes": [
            {
                "run": change.run_id,
                "as_of": change.run.as_of,
                "before": change.before,
                "after": change.after,
                "told": change.told,
                "block_on": change.block_on,
                "conditions": change.grounds.conditions.split("|") if change.grounds else [],
                "reasons": change.grounds.reasons.split("|") if change.grounds else [],
            }
            for change in changes
        ],
    }


@ROUTER.get("/{number}", response=RunOut, summary="One run")
@terms(
    Permission.RUN_READ,
    refuses=(NotFoundError,),
    examples=(
        Example(
            "The first",
            "a run was taken over",
            Role.AUDITOR,
            path={"number": 1},
            answer=_RUN,
            varies=_VARIES,
        ),
    ),
)
def one_run(request: Request, number: Annotated[int, Path(ge=1, lt=_LARGEST)]) -> Run:
    """With the SHA-256 of its manifest and of every file."""
    found = Run.objects.filter(pk=number).first()
    if found is None:
        raise NotFoundError("There is no such run.", "List those that were taken over.")
    return found
