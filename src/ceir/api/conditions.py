"""Conditional requests: entity tags of answers, `If-None-Match` when reading, `If-Match` when changing."""

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from ceir.api.terms import Guard
from ceir.errors import CeirError


class PreconditionFailedError(CeirError):
    """What is to be changed is not what the caller saw."""

    code: ClassVar[str] = "precondition_failed"


class PreconditionRequiredError(CeirError):
    """The request must say what the caller saw, and does not."""

    code: ClassVar[str] = "precondition_required"


class PreconditionUnsupportedError(CeirError):
    """The request cannot be made to depend on what the caller saw."""

    code: ClassVar[str] = "precondition_unsupported"


def tag_of(response: HttpResponseBase) -> str | None:
    """The entity tag of a whole answer; None: it has none, because it is a refusal or is streamed."""
    if response.status_code != 200 or not isinstance(response, HttpResponse):
        return None
    given = response.headers.get("ETag")
    return given or f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'


def unless_known(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer with its tag, or 304 where the caller has it already."""
    tag = tag_of(response)
    if tag is None:
        return response
    known = request.headers.get("If-None-Match", "")
    if known and any(one in ("*", tag, f"W/{tag}") for one in parse_etags(known)):
        response = HttpResponse(status=304)
    response.headers["ETag"] = tag
    return response


def require_match(
    request: HttpRequest, guard: Guard | None, read: Callable[[], HttpResponseBase] | None, key: Any
) -> None:
    """Refuse a change of what the caller has not seen; within a transaction, which holds the row from now.

    Args:
        read: answers as the guard's endpoint does.

    Raises:
        PreconditionFailedError: it is another by now.
        PreconditionRequiredError: the request does not say what the caller saw, and must.
        PreconditionUnsupportedError: nothing can be compared here.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        if guard is not None and guard.required:
            raise PreconditionRequiredError(
                "The request does not say what the caller saw.",
                "Read it first, and send its ETag as If-Match.",
            )
        return
    if guard is None or read is None:
        raise PreconditionUnsupportedError("If-Match has no meaning here.", "Leave it out.")
    if str(key).isdecimal() and len(str(key)) < 20:  # what is no key has no row, and reading it is refused
        guard.model._default_manager.select_for_update().filter(pk=int(key)).first()
    tag = tag_of(read())
    if tag is None:
        return  # not there, or not for the caller: the endpoint says so itself
    if not any(one in ("*", tag) for one in parse_etags(wanted)):
        raise PreconditionFailedError(
            "It was changed since the caller read it.", "Read it again and decide anew."
        )
