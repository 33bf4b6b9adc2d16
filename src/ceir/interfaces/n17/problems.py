"""What an N17 answer says when it does not carry a status: ProblemDetails and its causes."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

PROBLEM_TYPE = "application/problem+json"
SUPPORTED_FEATURES = "0"
"""This producer offers no optional feature: TS 29.511 defines only redirection, and it never redirects."""


class Cause(StrEnum):
    """Reasons as the wire names them.

    Source: 3GPP TS 29.500 table 5.2.7.2-1; TS 29.511 clause 6.1.7.3 (the first).
    """

    EQUIPMENT_UNKNOWN = "ERROR_EQUIPMENT_UNKNOWN"
    INVALID_API = "INVALID_API"
    INVALID_QUERY_PARAM = "INVALID_QUERY_PARAM"
    MANDATORY_QUERY_PARAM_INCORRECT = "MANDATORY_QUERY_PARAM_INCORRECT"
    MANDATORY_QUERY_PARAM_MISSING = "MANDATORY_QUERY_PARAM_MISSING"
    OPTIONAL_QUERY_PARAM_INCORRECT = "OPTIONAL_QUERY_PARAM_INCORRECT"
    RESOURCE_URI_STRUCTURE_NOT_FOUND = "RESOURCE_URI_STRUCTURE_NOT_FOUND"
    NF_CONGESTION = "NF_CONGESTION"
    NF_CONGESTION_RISK = "NF_CONGESTION_RISK"
    SYSTEM_FAILURE = "SYSTEM_FAILURE"


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    414: "URI Too Long",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Response(NamedTuple):
    """One HTTP answer, as the server library takes it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal.

    Args:
        status: HTTP status code, 400 to 599.
        cause: None where TS 29.500 defines none for the status.
        detail: one sentence; never an identity, whatever the request held.
        parameter: the query parameter at fault, without the `query ` that the wire puts before it.
        headers: more header fields, names in lower case.

    Source: 3GPP TS 29.571 clause 5.2.4.1 (ProblemDetails); IETF RFC 9457.
    """

    status: int
    cause: Cause | None
    detail: str
    parameter: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The JSON document."""
        document: dict[str, object] = {
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        if self.cause is not None:
            document["cause"] = self.cause.value
        if self.parameter is not None:
            document["invalidParams"] = [{"param": f"query {self.parameter}", "reason": self.detail}]
        if self.cause is Cause.INVALID_QUERY_PARAM:
            # Lets a newer consumer learn which features, hence which parameters, it can count on.
            document["supportedFeatures"] = SUPPORTED_FEATURES
        return json.dumps(document, separators=(",", ":")).encode("ascii")

    def response(self, common: tuple[tuple[str, str], ...] = ()) -> Response:
        """The whole answer; `common` are header fields that every refusal of this server carries."""
        fields = [("content-type", PROBLEM_TYPE), ("cache-control", "no-store"), *common, *self.headers]
        return Response(self.status, fields, self.body)


EQUIPMENT_UNKNOWN = Problem(
    404,
    Cause.EQUIPMENT_UNKNOWN,
    "No status is known for the equipment, and none applies to unknown equipment.",
)
API_UNKNOWN = Problem(400, Cause.INVALID_API, "This API name or version is not offered here.")
RESOURCE_UNKNOWN = Problem(404, Cause.RESOURCE_URI_STRUCTURE_NOT_FOUND, "The API has no such resource.")
METHOD_REFUSED = Problem(
    405, None, "The resource takes GET and no other method.", headers=(("allow", "GET"),)
)
URI_TOO_LONG = Problem(414, None, "The request URI is longer than this server takes.")
FAILED = Problem(500, Cause.SYSTEM_FAILURE, "The equipment could not be checked.")


def overloaded(retry_after: int) -> Problem:
    """Refusal of one consumer's share of too much traffic; retry after that many seconds, at least 1.

    Source: 3GPP TS 29.500 clause 6.4 (overload control), table 5.2.7.2-1.
    """
    return Problem(
        429,
        Cause.NF_CONGESTION_RISK,
        "More requests come than this server is allowed to answer.",
        headers=(("retry-after", str(retry_after)),),
    )


def unavailable(retry_after: int, detail: str = "The server cannot answer at present.") -> Problem:
    """Refusal of everything for a while; retry after that many seconds, at least 1.

    Source: 3GPP TS 29.500 clause 6.4, table 5.2.7.2-1.
    """
    return Problem(503, Cause.NF_CONGESTION, detail, headers=(("retry-after", str(retry_after)),))
