"""Stories that are told to the API call by call; each call is an example of the OpenAPI document.

A story is a function with `@story`; it gets a `Teller`. The calls are held against `ceir/api/examples`, where
the document takes them from; `CEIR_TELL_EXAMPLES=1` writes them there anew.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from calling import BASE, bearer, call
from desk import Phones
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Http

from ceir.api.urls import API
from ceir.registry.actors import Role

STORIES: dict[str, Callable[["Teller"], None]] = {}


def story(tell: Callable[["Teller"], None]) -> Callable[["Teller"], None]:
    """Enter a story."""
    assert tell.__name__ not in STORIES
    STORIES[tell.__name__] = tell
    return tell


def _places() -> dict[str, tuple[str, str]]:
    return {
        details["operationId"]: (method.upper(), path.removeprefix(f"{BASE}/"))
        for path, methods in API.get_openapi_schema()["paths"].items()
        for method, details in methods.items()
    }


PLACES = _places()


class Teller:
    """Makes calls, and keeps each with its answer.

    Args:
        phones: what was sent to phones.
        arrange: gives the register another country.
    """

    def __init__(self, phones: Phones, arrange: Callable[..., None]) -> None:
        self.phones, self.arrange = phones, arrange
        self.tag = ""
        """ETag of the last answer."""
        self.told: dict[str, list[dict[str, Any]]] = {}

    def __call__(
        self,
        operation: str,
        name: str,
        by: Role,
        body: Any = None,
        *,
        of: str = "",
        query: Mapping[str, Any] | None = None,
        file: tuple[str, bytes] | None = None,
        seen: str = "",
        status: int = 0,
        **path: object,
    ) -> Any:
        """One call; the answer as JSON, or None where it has none. `seen` is the ETag of what is changed."""
        method, template = PLACES[operation]
        where, token = template.format(**path), bearer(by, of=of)
        if file is None:
            answer = call(method, where, token, body, query, **({"If_Match": seen} if seen else {}))
        else:
            answer = Http(raise_request_exception=False).post(
                f"{BASE}/{where}" + (f"?{urlencode(query)}" if query else ""),
                {**(body or {}), "file": SimpleUploadedFile(*file)},
                headers={"Authorization": f"Bearer {token}"},
            )
            body = {**{k: str(v) for k, v in (body or {}).items()}, "file": _text(file[1])}
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code // 100 == 2 or answer.status_code == status, (operation, content)
        read = json.loads(content) if "json" in answer.headers.get("Content-Type", "") and content else None
        kept = {
            "name": name,
            "by": by.value,
            "path": {key: str(value) for key, value in path.items()},
            "query": {key: str(value) for key, value in (query or {}).items()},
            "headers": {"If-Match": seen} if seen else {},
            "body": body,
            "status": answer.status_code,
            "answer": read if read is not None or not content else _text(content),
        }
        self.tag = answer.headers.get("ETag", "")
        of_it = self.told.setdefault(operation, [])
        assert name not in {one["name"] for one in of_it}, f"{operation}: {name} is told twice"
        of_it.append(json.loads(json.dumps(kept)))
        return read


def _text(octets: bytes) -> str | None:
    """What is text; octets of a picture or a paper show nothing in a document."""
    try:
        found = octets.decode("ascii")
    except UnicodeDecodeError:
        return None
    return found if found.isprintable() or found.replace("\n", "").isprintable() else None


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBERED = re.compile(r"\b([a-z_]+):\d+\b")
_NAMED_BY_NUMBER = re.compile(r"\b(case|consignment|certificate|proposal|release|appeal|report|client) \d+\b")
_KEYS = frozenset(
    {
        "case", "proposal", "organisation", "importer", "station", "device", "registration", "certificate",
        "laboratory", "report", "shop", "pair_code", "consignment", "audit", "sample", "code", "id", "line",
        "licence", "holder_organisation", "replaces", "transfer", "trace", "alarm", "review", "order",
        "next", "submission", "responsible",
    }
)  # fmt: skip
_SHARES = frozenset({"devices", "released", "moved"})
"""Which half of the devices goes out first is drawn."""
_DRAWN = frozenset({"If-Match", "first_half", "secret", "identifier", "code", "cursor", "next"})


def same(found: Any, told: Any, where: str = "", key: str = "") -> str:  # noqa: PLR0911 - kinds of values
    """Where two calls differ, but for moments, keys of rows and what is drawn; empty: nowhere."""
    if isinstance(told, dict) and isinstance(found, dict):
        if set(found) != set(told):
            return f"{where}: {sorted(set(found) ^ set(told))}"
        return next((w for k in told if (w := same(found[k], told[k], f"{where}.{k}", k))), "")
    if isinstance(told, list) and isinstance(found, list):
        if len(found) != len(told):
            return f"{where}: {len(found)} for {len(told)}"
        pairs = enumerate(zip(found, told, strict=True))
        return next((w for n, (a, b) in pairs if (w := same(a, b, f"{where}[{n}]", key))), "")
    if type(found) is not type(told):
        return f"{where}: {found!r} for {told!r}"
    is_key = key in _KEYS or key.endswith("_id")
    if isinstance(told, int) and not isinstance(told, bool) and (is_key or key in _SHARES):
        return ""
    if isinstance(told, str):
        if key in _DRAWN or (is_key and told.isdecimal() and found.isdecimal()):
            return ""
        if _plain(found) == _plain(told):
            return ""
    elif found == told:
        return ""
    return f"{where}: {found!r} for {told!r}"


def _plain(text: str) -> str:
    for pattern, put in (
        (_MOMENT, "<moment>"),
        (_DAY, "<day>"),
        (_NUMBERED, r"\1:#"),
        (_NAMED_BY_NUMBER, r"\1 #"),
    ):
        text = pattern.sub(put, text)
    return text
