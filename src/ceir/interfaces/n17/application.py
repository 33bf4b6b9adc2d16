"""The N17 service as an RSGI application: from request to answer without waiting in between."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from ceir.equipment_check import Answer, Checker, EquipmentStatus, Question, Values
from ceir.interfaces.n17 import problems
from ceir.interfaces.n17.authorization import Authorizer
from ceir.interfaces.n17.codec import (
    METHOD,
    PATH,
    STATUS_WORDS,
    QueryRefusedError,
    common_values,
    parse_query,
)
from ceir.interfaces.n17.problems import Problem, Response

Observe = Callable[[Answer, float, Values], None]
"""Told every answer with its seconds and the values of its question; must not wait, must not raise."""

Gate = Callable[[], Problem | None]
"""Asked before every request: None lets it pass; see `ceir.interfaces.n17.overload`."""

MAX_URI_BYTES = 2048
"""Five times the longest request that the grammar of today can need."""

_log = logging.getLogger(__name__)

_JSON_FIELDS = [("content-type", "application/json"), ("cache-control", "no-store")]


class Headers(Protocol):
    """Header fields of a request, names in lower case."""

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value of the field, or the default."""


class Scope(Protocol):
    """What the server library tells of a request; the part used here."""

    @property
    def method(self) -> str:
        """As sent."""

    @property
    def path(self) -> str:
        """Percent-decoded."""

    @property
    def query_string(self) -> str:
        """As sent, without the question mark."""

    @property
    def headers(self) -> Headers:
        """All of them."""


class Transport(Protocol):
    """Where the answer goes; the part used here."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Sends the whole answer."""


class N17Application:
    """Answers N5g-eir_EquipmentIdentityCheck.

    Every answer exists before the first request comes; a request only selects one.

    Args:
        checker: who knows; asked in the event loop, so it must not wait.
        observe: told each status given (no refusals).
        refused: told the HTTP status code of each refusal.
        stopwatch: seconds of a monotonic clock, for `observe`.
        gate: overload and readiness; None lets everything pass.
        authorizer: who checks access tokens; None: no token needed.
        instance: NF instance identity; error answers name it as their origin.
        api_prefix: deployment-specific part of the path before the API name, like `/eir`; may be empty.
        max_uri_bytes: longest path and query together.

    Source: 3GPP TS 29.511 clause 6.1; server header: TS 29.500 clause 5.2.2.2.
    """

    def __init__(
        self,
        checker: Checker,
        *,
        observe: Observe | None = None,
        refused: Callable[[int], None] | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
        gate: Gate | None = None,
        authorizer: Authorizer | None = None,
        instance: str | None = None,
        api_prefix: str = "",
        max_uri_bytes: int = MAX_URI_BYTES,
    ) -> None:
        self._checker = checker
        self._observe = observe
        self._refused = refused
        self._stopwatch = stopwatch
        self._gate = gate
        self._authorizer = authorizer
        self._path = api_prefix + PATH
        self._api = self._path.rsplit("/", 1)[0]
        self._max_uri = max_uri_bytes
        self._origin = (("server", f"5G_EIR-{instance}"),) if instance else ()
        self._open = gate is None and authorizer is None
        # By identity of the status: an enumeration's hash is computed in Python, at the cost of a look-up.
        self._responses = {id(status): _status_response(status) for status in STATUS_WORDS}
        self._unknown = problems.EQUIPMENT_UNKNOWN.response(self._origin)

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """One request."""
        observe = self._observe
        started = 0.0 if observe is None else self._stopwatch()
        try:
            # The straight way, for the query that nearly every AMF sends; all else goes the careful way.
            if self._open and scope.method == METHOD and scope.path == self._path:
                values = common_values(scope.query_string)
                if values is not None:
                    answer = self._checker.verdict(*values)
                    response = self._responses.get(id(answer.status)) or self._unknown
                    if observe is not None:
                        observe(answer, self._stopwatch() - started, values)
                    transport.response_bytes(*response)
                    return
            response = self._carefully(scope, started)
        except Exception as error:  # noqa: BLE001 - no request, however odd, may end a worker
            # The type alone: the text of an unforeseen error may hold an identity.
            _log.error("n17_request_failed", extra={"error": type(error).__name__})
            response = self._refuse(problems.FAILED)
        transport.response_bytes(*response)

    def _carefully(self, scope: Scope, started: float) -> Response:
        query = scope.query_string
        problem = self._refusal(scope, query)
        if problem is not None:
            return self._refuse(problem)
        values = common_values(query)
        try:
            question = parse_query(query).question if values is None else Question(*values)
        except QueryRefusedError as refused:
            return self._refuse(refused.problem)
        return self._answer(question, started)

    def _refuse(self, problem: Problem) -> Response:
        if self._refused is not None:
            self._refused(problem.status)
        return problem.response(self._origin)

    def _refusal(self, scope: Scope, query: str) -> Problem | None:
        path = scope.path
        if len(path) + len(query) > self._max_uri:
            return problems.URI_TOO_LONG
        if path != self._path:
            return self._misplaced(path)
        if scope.method != METHOD:
            return problems.METHOD_REFUSED
        if self._gate is not None:
            problem = self._gate()
            if problem is not None:
                return problem
        if self._authorizer is not None:
            return self._authorizer.refusal(scope.headers.get("authorization"))
        return None

    def _misplaced(self, path: str) -> Problem:
        # Name and version of an API are two segments; with fewer there is no API to be wrong about.
        other_api = path.count("/") >= 2 and not (path + "/").startswith(self._api + "/")
        return problems.API_UNKNOWN if other_api else problems.RESOURCE_UNKNOWN

    def _answer(self, question: Question, started: float) -> Response:
        answer = self._checker.verdict(*question)
        if self._observe is not None:
            self._observe(answer, self._stopwatch() - started, question)
        return self._responses.get(id(answer.status)) or self._unknown


def _status_response(status: EquipmentStatus) -> Response:
    return Response(200, _JSON_FIELDS, b'{"status":"%s"}' % STATUS_WORDS[status].encode("ascii"))
