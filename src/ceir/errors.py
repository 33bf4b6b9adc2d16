"""What can go wrong, as types: each has a stable code, a detail safe to show and a hint what to do.

Packages declare their own subclasses beside the code that raises them; the edges (command line, API)
translate once, by `exit_code` or by `code`. `all_error_types` is how the reference and its test find them.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar


class CeirError(Exception):
    """Base of every error that a user is meant to see.

    Args:
        detail: one sentence with the measured or offending values; never personal data or secrets.
        hint: one sentence that says what to do or type next.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    """1: refused by data or state, 2: wrong use, 3: unknown equipment."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint

    @property
    def data(self) -> Mapping[str, object]:
        """What machines are told beside the words, as JSON values; nothing, unless a type says otherwise."""
        return {}

    def __str__(self) -> str:
        return f"{self.detail} [{self.code}]" + (f" {self.hint}" if self.hint else "")


class UsageError(CeirError):
    """The command or its arguments do not fit: nothing was tried."""

    code = "usage"
    exit_code = 2


class UnknownEquipmentError(CeirError):
    """The identifier is valid but nothing is known about it."""

    code = "unknown_equipment"
    exit_code = 3


def all_error_types(base: type[CeirError] = CeirError) -> Iterator[type[CeirError]]:
    """Every imported error type, the base first, in declaration order."""
    yield base
    for sub in base.__subclasses__():
        yield from all_error_types(sub)
