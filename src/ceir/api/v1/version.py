"""Versions, for whoever has to tell which software answered."""

from django.db import connection
from django.http import HttpRequest
from ninja import Router, Schema

import ceir
from ceir.api.terms import Example, terms

ROUTER = Router()


class VersionOut(Schema):
    """Versions of the software, of this API, and the kind of database."""

    software: str
    api: int
    database: str


@ROUTER.get("", response=VersionOut, auth=None, summary="Versions")
@terms(
    None,
    examples=(
        Example(
            "Any register",
            "nothing",
            None,
            answer={"software": "0.1.0", "api": 1, "database": "postgresql"},
            varies=frozenset({"software", "database"}),
        ),
    ),
)
def version(request: HttpRequest) -> VersionOut:
    """No token is needed."""
    return VersionOut(software=ceir.__version__, api=1, database=connection.vendor)
