"""One line of JSON for each event, without anybody's identity in it."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_IDENTITY = re.compile(r"(?<![0-9])[0-9]{14,17}(?![0-9])")
"""IMEI, IMEISV and IMSI are so long; an MSISDN is hidden by the names below and by never being logged."""

_PERSONAL = frozenset({"imei", "imeisv", "imsi", "msisdn", "pei", "supi", "gpsi", "authorization", "token"})
_HIDDEN = "[hidden]"


def log_as_json(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Sends what the standard `logging` records, with its `extra` fields, to the stream as JSON lines.

    Args:
        stream: where to.
        level: the least severe level that is written.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_identities,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def hide_identities(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces values of personal fields, and digits in any text that may be an IMEI or IMSI."""
    for name, value in event.items():
        if name.lower() in _PERSONAL:
            event[name] = _HIDDEN
        elif not isinstance(value, bool | float) and name != "timestamp":
            text = str(value)
            if _IDENTITY.search(text):
                event[name] = _IDENTITY.sub(_HIDDEN, text)
    return event
