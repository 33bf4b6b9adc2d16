import io
import json
import logging
from collections.abc import Iterator

import pytest

from ceir.interfaces.serving.logs import log_as_json


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    log_as_json(stream)
    yield stream
    root.handlers, level = before
    root.setLevel(level)


def test_an_event_is_one_line_of_json_with_its_fields(lines: io.StringIO) -> None:
    logging.getLogger("ceir.interfaces.n17").warning("nrf_failed", extra={"retry_seconds": 1.5, "worker": 3})
    document = json.loads(lines.getvalue())
    assert document["event"] == "nrf_failed"
    assert (document["retry_seconds"], document["worker"]) == (1.5, 3)
    assert document["level"] == "warning"
    assert document["timestamp"].endswith("Z")


def test_no_identity_reaches_the_log_not_even_in_an_exception(lines: io.StringIO) -> None:
    log = logging.getLogger("ceir")
    log.error(
        "pei=imei-352099001761481 of 001010123456789", extra={"msisdn": "4917012345678", "number": 10**14}
    )
    try:
        raise ValueError("352099001761481")
    except ValueError:
        log.exception("failed")
    text = lines.getvalue()
    assert text.count("\n") == 2
    for secret in ("352099001761481", "001010123456789", "4917012345678", str(10**14)):
        assert secret not in text
