"""How long editions count back, and what is said of one that cannot be had."""

from datetime import timedelta
from typing import ClassVar

from ceir.errors import CeirError

KEPT = timedelta(days=90)
"""How long what changed since an edition can be had."""


class NoEditionError(CeirError):
    """There is no such edition of the lists."""

    code: ClassVar[str] = "edition_unknown"


class EditionGoneError(CeirError):
    """What changed since an edition is not kept any more, or that edition never was."""

    code: ClassVar[str] = "edition_gone"
