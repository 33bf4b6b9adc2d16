"""The lists that go out: whole, or what changed since an edition that the caller has."""

import base64
from datetime import date, datetime
from typing import Annotated

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema

from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.editions.issuing import (
    CHANGES_HEADER,
    HEADER,
    EditionGoneError,
    NoEditionError,
    changes,
    current,
    operator_for,
    whole,
)
from ceir.registry.editions.models import Edition

ROUTER = Router()

_CODE = r"^[a-z0-9_-]{0,16}$"
_LARGEST = 2**31 - 1
Operator = Annotated[str, Query(pattern=_CODE)]


class EditionOut(Schema):
    """An edition of an operator's lists; `sha256` is of the whole list as it is sent."""

    operator: str
    sequence: int
    run: int
    as_of: date
    made_at: datetime
    rows: int
    blocked: int
    sha256: str


_EDITION = {
    "operator": "",
    "sequence": 1,
    "run": 1,
    "as_of": "2026-11-02",
    "made_at": "2026-11-22T09:00:00Z",
    "rows": 1,
    "blocked": 0,
    "sha256": "0" * 64,
}


@ROUTER.get("", response=EditionOut, summary="The newest edition of the lists")
@terms(
    Permission.RUN_READ,
    refuses=(NoEditionError,),
    examples=(
        Example(
            "The first",
            "lists were issued",
            Role.OFFICER,
            answer=_EDITION,
            varies=frozenset({"sha256", "made_at"}),
        ),
        Example("None yet", "nothing", Role.OFFICER, status=404),
    ),
)
def current_lists(request: Request, operator: Operator = "") -> Edition:
    """An operator is told of its own; the regulator of `operator`'s, or of what holds at all of them."""
    return current(operator_for(request.auth.actor, operator))


@ROUTER.get("/whole", response=None, summary="The whole list, as CSV")
@terms(
    Permission.RUN_READ,
    refuses=(NoEditionError,),
    cost=50,
    examples=(
        Example(
            "One held back, so it is watched",
            "lists were issued",
            Role.OFFICER,
            answer=f"{HEADER}35000000000000,tracked,2026-09-01,2026-11-01,Never allocated\n",
        ),
    ),
)
def whole_list(request: Request, operator: Operator = "") -> HttpResponseBase:
    """Streamed; `Ceir-Sequence` is the edition's number, `Repr-Digest` the SHA-256 of the whole."""
    edition = current(operator_for(request.auth.actor, operator))
    response = StreamingHttpResponse(whole(edition), content_type="text/csv; charset=utf-8")
    response.headers["Ceir-Sequence"] = str(edition.sequence)
    digest = base64.b64encode(bytes.fromhex(edition.sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    return response


@ROUTER.get("/changes", response=None, summary="What changed since an edition, as CSV")
@terms(
    Permission.RUN_READ,
    refuses=(NoEditionError, EditionGoneError),
    cost=10,
    examples=(
        Example(
            "Since nothing: all are added",
            "lists were issued",
            Role.OFFICER,
            query={"since": 0},
            answer=f"{CHANGES_HEADER}added,35000000000000,tracked,2026-09-01,2026-11-01,Never allocated\n",
        ),
        Example(
            "Since one that is not there", "lists were issued", Role.OFFICER, query={"since": 9}, status=409
        ),
    ),
)
def list_changes(
    request: Request, since: Annotated[int, Query(ge=0, le=_LARGEST)], operator: Operator = ""
) -> HttpResponseBase:
    """One line for each identity: `added`, `changed` (to what stands now) or `removed` (what stood).

    Done to the list of edition `since` they give the edition of `Ceir-Sequence`, byte for byte once sorted.
    """
    edition = current(operator_for(request.auth.actor, operator))
    response = StreamingHttpResponse(changes(edition, since), content_type="text/csv; charset=utf-8")
    response.headers["Ceir-Sequence"] = str(edition.sequence)
    return response
