"""Lists page by page: a cursor says where the next page begins, whatever came in between."""

import base64
from typing import ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Schema

from ceir.errors import CeirError

ROWS = 100
_GREATEST_KEY = 2**63 - 1

M = TypeVar("M", bound=Model)
T = TypeVar("T", bound=Schema)


class CursorError(CeirError):
    """The cursor is not one that was given out."""

    code: ClassVar[str] = "cursor_invalid"


class Page(Schema, Generic[T]):
    """Some rows of a list, and how to ask for more."""

    items: list[T]
    next: str | None = None


def page_of(rows: QuerySet[M], cursor: str, size: int = ROWS) -> dict[str, object]:
    """A page, the newest rows first by their key; the `Page[...]` of the endpoint gives them their shape.

    Raises:
        CursorError: not a cursor.
    """
    ordered = rows.order_by("-pk")
    if cursor:
        ordered = ordered.filter(pk__lt=_key(cursor))
    found = list(ordered[: size + 1])
    more = len(found) > size
    return {"items": found[:size], "next": _cursor(found[size - 1].pk) if more else None}


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _key(cursor: str) -> int:
    try:
        key = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise _no_cursor() from error
    if not 0 < key <= _GREATEST_KEY:
        raise _no_cursor()
    return key


def _no_cursor() -> CursorError:
    return CursorError("The cursor is not one that was given out.", "Begin without one.")
