"""Lists with personal data in clear that one part of the product makes for another."""

from datetime import datetime
from typing import Any

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import record
from ceir.registry.personal.fields import Sealed, keys


def begin_list(name: str, *, at: datetime) -> None:
    """Record that a list is made: one entry; one for each of millions of rows would hide all others."""
    record(SYSTEM, "personal.exported", f"export:{name}", at=at, basis="lists that the pipeline takes in")


def opened(value: Any) -> str:
    """A value of a row of such a list, in clear."""
    assert isinstance(value, Sealed)
    return keys().decrypt(value.label, value.stored)
