"""Every example of the OpenAPI document is true: it is carried out."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from calling import bearer, call
from django.test import Client as Http
from ninja.operation import Operation
from situations import SITUATIONS

from ceir.api.terms import Example, terms_of
from ceir.api.urls import API

for _file in sorted(Path(__file__).parent.glob("situations_*.py")):
    importlib.import_module(_file.stem)  # each of the API's builders brings situations of his own

_EXAMPLES = [
    pytest.param(operation, example, id=f"{operation.operation_id}: {example.name}")
    for operation in API.operations
    for example in terms_of(operation.view_func).examples
]


def path_of(operation: Operation) -> str:
    """The path of an endpoint below `/api/v1/`, with its parameters."""
    for path, methods in API.get_openapi_schema()["paths"].items():
        if any(details["operationId"] == operation.operation_id for details in methods.values()):
            return str(path).removeprefix("/api/v1/")
    raise AssertionError(operation.operation_id)


@pytest.mark.parametrize(("operation", "example"), _EXAMPLES)
def test_an_example_is_true(operation: Operation, example: Example) -> None:
    values = SITUATIONS[example.given]()
    assert not set(values) - {"path", "query", "body", "headers"}
    path = path_of(operation).format(**{**example.path, **values.get("path", {})})
    query = {**example.query, **values.get("query", {})}
    body = example.body
    if isinstance(body, dict):
        body = {**body, **values.get("body", {})}
    if example.form:
        answer: Any = Http().post(f"/api/v1/{path}", body)
    else:
        token = bearer(example.by) if example.by else ""
        headers = {**example.headers, **values.get("headers", {})}
        answer = call(operation.methods[0], path, token, body, query, **headers)
    assert answer.status_code == example.status, answer.content
    if example.answer is None:
        return
    compare(read(answer), example.answer, example.varies, "answer")


def read(answer: Any) -> Any:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode()
    return answer.json() if "json" in answer.headers["Content-Type"] else answer.content.decode()


def compare(found: Any, told: Any, varies: frozenset[str], where: str) -> None:
    """The same, but that values of keys that vary only need to be of the same kind."""
    if isinstance(told, dict):
        assert isinstance(found, dict), where
        assert set(found) == set(told), where
        for key, value in told.items():
            if key in varies:
                same_kind = type(found[key]) is type(value) or found[key] is None or value is None
                assert same_kind, f"{where}.{key}: {json.dumps(found[key])}"
            else:
                compare(found[key], value, varies, f"{where}.{key}")
    elif isinstance(told, list):
        assert isinstance(found, list), where
        assert len(found) == len(told), where
        for place, (one, other) in enumerate(zip(found, told, strict=True)):
            compare(one, other, varies, f"{where}[{place}]")
    else:
        assert found == told, where
