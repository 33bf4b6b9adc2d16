"""How long personal data is kept: declared by each model that holds some."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models


@dataclass(frozen=True)
class Retention:
    """What a model says of its personal data, in its class attribute `PERSONAL`.

    Each `EncryptedField` has its own days; they count from the end of what the row belongs to. The keyed
    hashes of a row go with the last of them. All of them must be able to be null.

    Args:
        ended: look-up of the moment at which it ended, like `case__ended_at`; null: it goes on.
        kind, number: what it belongs to as the record names it, `case:12`: the kind, and the attribute with
            the number.
        documents_kept_days: so many days after the end the documents of `kind:number` are shredded; None: it
            has none, or another model says so.
        withheld_while_open: who asks what is kept about him is not told of it before the end.
    """

    ended: str
    kind: str
    number: str = "pk"
    documents_kept_days: int | None = None
    withheld_while_open: bool = False

    def subject(self, row: models.Model) -> str:
        """What a row belongs to."""
        return f"{self.kind}:{getattr(row, self.number)}"

    def ended_at(self, row: models.Model) -> datetime | None:
        """When that ended."""
        found: Any = row
        for name in self.ended.split("__"):
            found = getattr(found, name)
        return found if isinstance(found, datetime) else None


def retention_of(model: type[models.Model]) -> Retention | None:
    """What a model declares."""
    found = getattr(model, "PERSONAL", None)
    return found if isinstance(found, Retention) else None
