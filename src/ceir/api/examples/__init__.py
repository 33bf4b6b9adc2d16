"""Calls with their answers, as they were made to the real application; one file for each part of the API.

The OpenAPI document shows them; tests make each call again and hold it against what stands here. They are
written by those tests, not by hand.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ceir.api.terms import Example
from ceir.registry.actors import Role

FOLDER = Path(__file__).parent


@cache
def _told() -> Mapping[str, Sequence[Example]]:
    return {
        operation: [_example(one) for one in examples]
        for file in sorted(FOLDER.glob("*.json"))
        for operation, examples in json.loads(file.read_text(encoding="utf-8")).items()
    }


def told_of(operation: str) -> Sequence[Example]:
    """The examples of an operation."""
    return _told().get(operation, ())


def _example(told: Mapping[str, Any]) -> Example:
    return Example(
        told["name"],
        "told",
        Role(told["by"]),
        path=told["path"],
        query=told["query"],
        headers=told["headers"],
        body=told["body"],
        status=told["status"],
        answer=told["answer"],
    )
