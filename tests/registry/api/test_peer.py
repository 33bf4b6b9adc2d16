"""Everything that the peer's API answers is answered by ours: the table in docs/api.md is true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ceir.api.urls import API

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
ROW = re.compile(r"^\| v[12].* \| `(GET|POST) (/[^#`]+)#([a-z0-9_.]+)` \|$")


def rows() -> list[tuple[str, str, str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [(m[1].lower(), m[2], m[3]) for line in lines if (m := ROW.match(line))]


def test_the_table_has_a_row_for_each_of_the_peers_fields() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| v")]
    assert len(rows()) == len(lines) >= 35
    peers = " ".join(lines)
    for name in (
        "imei_norm", "classification_state", "invalid_imei", "gsma_not_found", "in_registration_list",
        "ever_observed_on_network", "is_paired", "seen_with", "paired_with", "block_date", "first_seen",
        "blocking_conditions", "informative_conditions", "is_exempted_device", "registration_status",
        "stolen_status", "imei-batch", "subscribers", "pairings", "associated_imeis", "tac", "msisdn",
        "catalog", "job_metadata", "version", "last_seen",
    ):  # fmt: skip
        assert name in peers, name


@pytest.mark.parametrize(("method", "path", "field"), rows(), ids=str)
def test_our_field_for_the_peers_is_there(method: str, path: str, field: str) -> None:
    document = json.loads(json.dumps(API.get_openapi_schema()))
    details = document["paths"][f"/api/v1{path}"][method]
    schema = details["responses"]["200"]["content"]["application/json"]["schema"]
    for name in field.split("."):
        schema = properties(schema, document)[name]


def properties(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object, of the rows of a list, or of what may be null."""
    if "$ref" in schema:
        return properties(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], document)
    for one in schema.get("anyOf", []):
        if one.get("type") != "null":
            return properties(one, document)
    if schema.get("type") == "array":
        return properties(schema["items"], document)
    found: dict[str, Any] = schema["properties"]
    return found
