"""The lists that go out: whole, or what changed since an edition that the caller has."""

import base64
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema

from ceir.api.list_signatures import header_of, signature_of
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.equipment_check.keys import KeyRefusedError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.editions.issuing import (
    CHANGES_HEADER,
    HEADER,
    changes,
    current,
    operator_for,
    whole,
)
from ceir.registry.editions.models import Edition
from ceir.registry.editions.numbering import EditionGoneError, NoEditionError

ROUTER = Router()

_CODE = r"^[a-z0-9_-]{0,16}$"
_LARGEST = 2**31 - 1
Operator = Annotated[str, Query(pattern=_CODE)]


class EditionOut(Schema):
    """An edition of an operator's lists; `sha256` is of the whole list as it is sent.

    `exceptions` is the edition of the operator's exceptions that is to be loaded first (0: there are none):
    with an older one lines would be cut that go on.

    `signature` is Ed25519 in base64 over five lines: `ceir-list-1`, operator, sequence, as_of, sha256.
    """

    operator: str
    sequence: int
    run: int
    as_of: date
    made_at: datetime
    rows: int
    blocked: int
    exceptions: int
    sha256: str
    signed_by: str | None
    signature: str | None

    @staticmethod
    def resolve_signed_by(edition: Edition) -> str | None:
        """Id of the key, as snapshots name it."""
        made = signature_of(edition)
        return made[0] if made else None

    @staticmethod
    def resolve_signature(edition: Edition) -> str | None:
        """Null: the installer has no key."""
        made = signature_of(edition)
        return made[1] if made else None


_EDITION = {
    "operator": "",
    "sequence": 1,
    "run": 1,
    "as_of": "2026-11-02",
    "made_at": "2026-11-22T09:00:00Z",
    "rows": 1,
    "blocked": 0,
    "exceptions": 0,
    "sha256": "0" * 64,
    "signed_by": None,
    "signature": None,
}


@ROUTER.get("", response=EditionOut, summary="The newest edition of the lists")
@terms(
    Permission.RUN_READ,
    refuses=(NoEditionError, KeyRefusedError),
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
    refuses=(NoEditionError, KeyRefusedError),
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
    """Streamed; `Ceir-Sequence` is the edition's number, `Repr-Digest` the SHA-256 of the whole, and
    `Ceir-List-Signature` what the register's key signed of both."""
    edition = current(operator_for(request.auth.actor, operator))
    digest = base64.b64encode(bytes.fromhex(edition.sha256)).decode()
    return _sent(edition, whole(edition), {"Repr-Digest": f"sha-256=:{digest}:"})


@ROUTER.get("/changes", response=None, summary="What changed since an edition, as CSV")
@terms(
    Permission.RUN_READ,
    refuses=(NoEditionError, EditionGoneError, KeyRefusedError),
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

    Done to the list of edition `since` they give the edition of `Ceir-Sequence`, byte for byte once sorted:
    its SHA-256 is then `Ceir-List-Digest`, which `Ceir-List-Signature` signs.
    """
    edition = current(operator_for(request.auth.actor, operator))
    return _sent(edition, changes(edition, since), {"Ceir-List-Digest": edition.sha256})


def _sent(edition: Edition, text: Iterator[bytes], more: Mapping[str, str]) -> HttpResponseBase:
    headers = {
        "Ceir-Sequence": str(edition.sequence),
        "Ceir-Exceptions-Sequence": str(edition.exceptions),
        **more,
        **header_of(edition),
    }
    return StreamingHttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
