"""Reports of deliveries that a service calls in: kept if they are the service's, refused if not."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from ceir.registry.gateways.http import signature
from ceir.registry.notices.models import Report

SECRET = "a secret that nobody else has, of 32 characters"
FILE = """
name = "Office"
short_code = "*123#"
quiet = { begin = 21:00:00, end = 08:00:00, zone = "Africa/Nairobi" }

[[gateways]]
name = "aggregator"
kind = "http"
operators = ["operator1"]

[gateways.options]
url = "https://sms.example/"
secret_file = "secret"

[[gateways]]
name = "trial"
kind = "console"
"""
GOOD = {
    "receipts": [{"id": "m1", "state": "delivered"}, {"id": "m2", "state": "refused", "detail": "barred"}]
}


@pytest.fixture(autouse=True)
def _set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "notices.toml").write_text(FILE, encoding="utf-8")
    monkeypatch.setattr(settings, "CEIR_NOTICES", tmp_path / "notices.toml")


def call(
    body: Any,
    *,
    to: str = "aggregator",
    signed_by: str = SECRET,
    age: int = 0,
    sent: bytes | None = None,
    **more: str,
) -> HttpResponse:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    moment = int(time.time()) - age
    headers = {
        "webhook-id": "call-1",
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(signed_by, "call-1", moment, octets),
        **more,
    }
    found = Client(SERVER_NAME="localhost", enforce_csrf_checks=True).post(
        f"/hooks/messages/{to}", octets if sent is None else sent, "application/json", headers=headers
    )
    assert isinstance(found, HttpResponse)
    return found


def test_a_call_of_the_service_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(GOOD).status_code == 204
    kept = Report.objects.values_list("gateway", "identifier", "state", "detail")
    assert list(kept) == [("aggregator", "m1", "delivered", ""), ("aggregator", "m2", "refused", "barred")]
    monkeypatch.setattr(settings, "CEIR_NOTICES", None)
    assert call(GOOD).status_code == 404


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"signed_by": "x" * 32}, 401), ({"age": 301}, 401), ({"age": -400}, 401), ({"sent": b"{}"}, 401),
        ({"webhook-signature": "v1,"}, 401), ({"webhook-timestamp": "soon"}, 401), ({"to": "trial"}, 404),
        ({"webhook-id": "another"}, 401), ({"to": "nobody"}, 404), ({"to": "AGGREGATOR"}, 404),
    ],
)  # fmt: skip
def test_a_call_that_is_not_the_services_is_refused(more: dict[str, Any], status: int) -> None:
    refused = call(GOOD, **more)
    assert refused.status_code == status
    assert json.loads(refused.content)["code"] == "gateway"
    assert Report.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, {"receipts": 5}, {"receipts": [{"id": "m1"}]},
        {"receipts": [{"id": "", "state": "delivered"}]}, {"receipts": [{"id": "m", "state": "eaten"}]},
        {"receipts": [{"id": ["m"], "state": "delivered"}]}, {"receipts": [GOOD["receipts"][0], {}]},
        b" " * 1_000_001,
    ],
)  # fmt: skip
def test_a_signed_call_that_is_no_report_is_refused_whole(body: Any) -> None:
    assert 400 <= call(body).status_code < 500
    assert Report.objects.count() == 0


def test_what_looks_like_sql_or_markup_is_a_name_like_others() -> None:
    hostile = ["'; DROP TABLE notices_report; --", "<script>", "\u202e", "%s"]
    assert (
        call({"receipts": [{"id": h, "state": "delivered", "detail": h} for h in hostile]}).status_code == 204
    )
    assert list(Report.objects.values_list("identifier", flat=True)) == hostile


def test_nothing_but_a_post_is_answered() -> None:
    assert Client(SERVER_NAME="localhost").get("/hooks/messages/aggregator").status_code == 405
