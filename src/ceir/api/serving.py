"""What happens to every call around its endpoint: size, token, allowance, permission, repetition."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from ninja.operation import Operation

from ceir.api import conditions
from ceir.api.terms import Terms, terms_of
from ceir.api.tokens import Caller
from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.calls import allowing, remembering
from ceir.registry.calls.allowing import Left, TooManyRequestsError
from ceir.registry.calls.models import Remembered

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ADDRESS_A_MINUTE = 60
"""Calls without a token from one address."""

_KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_READ = Callable[..., HttpResponseBase]


class RequestTooLargeError(CeirError):
    """The request has more octets than the endpoint takes."""

    code: ClassVar[str] = "request_too_large"


class LengthRequiredError(CeirError):
    """The request does not say how long it is."""

    code: ClassVar[str] = "length_required"


@dataclass(frozen=True)
class Served:
    """An endpoint with everything around it; takes the place of ninja's `run`."""

    api: NinjaAPI
    operation: Operation
    terms: Terms
    inner: _READ
    guarded: _READ | None

    def __call__(self, request: HttpRequest, **path: Any) -> HttpResponseBase:
        """The answer; never an exception."""
        left: Left | None = None
        try:
            self._check_size(request)
            left = self._admit(request)
            response = self._answer(request, path)
        except TooManyRequestsError as error:
            left = error.left
            response = self.api.on_exception(request, error)
            response.headers["Retry-After"] = str(left.seconds)
        except Exception as error:  # noqa: BLE001 - refusals and faults become problems in one place
            response = self.api.on_exception(request, error)
        if left is not None:
            response.headers["RateLimit-Policy"] = f'"calls";q={left.limit};w={allowing.WINDOW}'
            response.headers["RateLimit"] = f'"calls";r={left.calls};t={left.seconds}'
        return response

    def _check_size(self, request: HttpRequest) -> None:
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path_info:
            raise BadRequest  # no text of ours holds a NUL, and PostgreSQL takes none
        claimed = request.headers.get("Content-Length", "")
        if not claimed:
            if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
                raise LengthRequiredError("The request does not say its length.", "Send Content-Length.")
            return
        if not claimed.isdecimal() or len(claimed) > 18 or int(claimed) > self.terms.most_octets:
            raise RequestTooLargeError(
                f"At most {self.terms.most_octets} octets are taken here.", "Send less at a time."
            )

    def _admit(self, request: HttpRequest) -> Left:
        now = timezone.now()
        if not self.operation.auth_callbacks:
            address = str(request.META.get("REMOTE_ADDR", ""))[:45]
            return allowing.take(f"address:{address}", self.terms.cost, at=now, limit=ADDRESS_A_MINUTE)
        caller = next((found for ask in self.operation.auth_callbacks if (found := ask(request))), None)
        if not isinstance(caller, Caller):
            raise AuthenticationError
        request.auth = caller  # type: ignore[attr-defined]  # where ninja puts it
        left = allowing.take(caller.actor.id, self.terms.cost, at=now)
        _require_one(caller, self.terms.any_of)
        return left

    def _answer(self, request: HttpRequest, path: dict[str, Any]) -> HttpResponseBase:
        if request.method in SAFE:
            return conditions.unless_known(request, self.inner(request, **path))
        key = request.headers.get("Idempotency-Key")
        if key is None or not self.operation.auth_callbacks:
            if "If-Match" not in request.headers and not (self.terms.guard and self.terms.guard.required):
                return self.inner(request, **path)
            with transaction.atomic():
                self._require_match(request, path)
                return self.inner(request, **path)
        if self.terms.own_transactions:
            return self._once_by_itself(request, path, key)
        with transaction.atomic():
            begun = self._begin(request, key)
            if isinstance(begun, HttpResponse):
                return begun
            self._require_match(request, path)
            response = self.inner(request, **path)
            if response.status_code >= 500:
                transaction.set_rollback(True)  # nothing was done: the call may be made again
            else:
                _keep(begun, response)
        return response

    def _once_by_itself(self, request: HttpRequest, path: dict[str, Any], key: str) -> HttpResponseBase:
        if self.terms.guard is None:
            self._require_match(request, path)  # it has none: a condition is refused, not passed over
        begun = self._begin(request, key)
        if isinstance(begun, HttpResponse):
            return begun
        try:
            response = self.inner(request, **path)
        except BaseException:
            remembering.give_up(begun)
            raise
        if response.status_code >= 500:
            remembering.give_up(begun)
        else:
            _keep(begun, response)
        return response

    def _begin(self, request: HttpRequest, key: str) -> Remembered | HttpResponse:
        caller: Caller = request.auth  # type: ignore[attr-defined]
        begun = remembering.begin(caller.actor.id, key, self._asked(request), at=timezone.now())
        if isinstance(begun, Remembered):
            return begun
        again = HttpResponse(begun.body, status=begun.status)
        for name, value in begun.headers.items():
            again.headers[name] = value
        again.headers["Idempotency-Replayed"] = "true"
        return again

    def _asked(self, request: HttpRequest) -> str:
        """Everything that makes it the same request."""
        if self.terms.uploads:
            told = [request.headers.get(name, "") for name in ("Content-Length", "Content-Digest")]
            body = " ".join(told).encode()
        else:
            body = request.body
        parts = (
            str(request.method),
            request.get_full_path(),
            request.headers.get("If-Match", ""),
            hashlib.sha256(body).hexdigest(),
        )
        return "\0".join(parts)

    def _require_match(self, request: HttpRequest, path: dict[str, Any]) -> None:
        guard, guarded = self.terms.guard, self.guarded
        read = None if guarded is None else lambda: guarded(request, **path)
        conditions.require_match(request, guard, read, path.get(guard.key) if guard else None)


def install(api: NinjaAPI) -> list[Operation]:
    """Put everything around every endpoint; call it when all routers are there. Returns: the endpoints.

    Raises:
        TypeError: an endpoint declares no terms, or other ones than fit.
    """
    operations = [
        operation
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
    ]
    runs = {operation.view_func: operation.run for operation in operations}
    for operation in operations:
        declared = terms_of(operation.view_func)
        if (declared.permission is None) == bool(operation.auth_callbacks):
            raise TypeError(f"{operation.view_func.__qualname__}: a permission, or auth=None")
        guarded = runs[declared.guard.reads] if declared.guard else None
        operation.run = Served(  # type: ignore[method-assign]
            api, operation, declared, runs[operation.view_func], guarded
        )
    return operations


def _require_one(caller: Caller, any_of: tuple[Permission, ...]) -> None:
    """Let a caller go on whose token and role give one of some permissions."""
    refusal: PermissionDeniedError | None = None
    for permission in any_of:
        try:
            require(caller.require(permission), permission)
        except PermissionDeniedError as refused:
            refusal = refusal or refused
        else:
            return
    if refusal is not None:
        raise refusal


def _keep(begun: Remembered, response: HttpResponseBase) -> None:
    assert isinstance(response, HttpResponse), "an answer to a change is not streamed"
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    remembering.keep(begun, remembering.Answer(response.status_code, headers, response.content))
