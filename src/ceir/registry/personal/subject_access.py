"""What is kept about a person, for that person."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from ceir.identifiers import Imsi, Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.audit.chain import record
from ceir.registry.documents.models import Document
from ceir.registry.personal.fields import Access, Sealed
from ceir.registry.personal.finding import rows_about
from ceir.registry.personal.reading import reading
from ceir.registry.personal.retention import retention_of


@dataclass(frozen=True)
class Kept:
    """One row about a person.

    Args:
        model: name of its table's model, like `cases.Case`.
        subject: what it belongs to: `case:12`.
        values: every column by name, as text, sealed ones in clear; what is empty is left out.
    """

    model: str
    subject: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Everything:
    """What is kept about a person.

    Args:
        rows: what the person is told.
        withheld: subjects of rows that must not be told before they end, like an open trace. Whoever answers
            sees that there are some; the person does not.
    """

    rows: tuple[Kept, ...]
    withheld: tuple[str, ...]


def everything_about(who: Msisdn | Imsi, *, access: Access) -> Everything:
    """Every row that belongs to a number or a subscription, in clear; each value that is read is recorded.

    Args:
        access: who answers, and on which request: its basis names the letter or the form.

    Raises:
        PermissionDeniedError: the actor may not answer such requests.
        RuntimeError: within another transaction, whose failure would take the record of reading with it.
    """
    require(access.actor, Permission.SUBJECT_ACCESS)
    rows: list[Kept] = []
    withheld: list[str] = []
    with reading():
        for row in rows_about(who):
            retention = retention_of(type(row))
            if retention and retention.withheld_while_open and retention.ended_at(row) is None:
                withheld.append(retention.subject(row))
                continue
            subject = retention.subject(row) if retention else f"{row._meta.model_name}:{row.pk}"
            rows.append(Kept(row._meta.label, subject, _values(row, access, subject)))
        rows += _documents(sorted({row.subject for row in rows}))
        record(
            access.actor, "personal.told", "register:1", at=access.at, basis=access.basis,
            detail={"rows": len(rows), "withheld": len(withheld)},
        )  # fmt: skip
    return Everything(tuple(rows), tuple(withheld))


def _documents(subjects: list[str]) -> list[Kept]:
    """The documents of what belongs to the person; they are handed out one by one, by who may read them."""
    return [
        Kept(
            Document._meta.label,
            document.subject,
            {
                "id": str(document.pk),
                "media_type": document.content.media_type,
                "size": str(document.content.size),
                "kept_at": str(document.kept_at),
            },
        )
        for document in Document.objects.filter(subject__in=subjects, shredded_at__isnull=True)
        .select_related("content")
        .order_by("pk")
    ]


def _values(row: models.Model, access: Access, subject: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, Sealed):
            found[field.name] = value.reveal(access, subject)
        elif value not in (None, "") and not isinstance(value, bytes | memoryview):
            found[field.name] = str(value)
    return found
