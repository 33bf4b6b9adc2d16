"""What an importer can download about his list: rows that were not taken, and what checks found."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge

from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.models import Consignment
from ceir.registry.imports.reasons import MEANINGS, Of, Reason
from ceir.registry.imports.receiving import subject
from ceir.registry.imports.states import ConsignmentUnknownError

HEADER = ("line", "value", "rows", "reason", "meaning", "what_to_do")
"""Columns of the report."""

_EVALUATED = ("=", "+", "-", "@", "\t", "\r")


def report(consignment_id: int, *, actor: Actor, at: datetime) -> Iterator[tuple[str, ...]]:
    """The rows of the report, by line.

    Only for the importer: it names IMEIs of his list, which he knows, and nobody else should. Reasons that he
    is not told are not in it: he hears of them from customs.

    Raises:
        PermissionDeniedError: the actor may not, or it is another importer's.
        ConsignmentUnknownError: there is none.
    """
    consignment = Consignment.objects.filter(pk=consignment_id).first()
    if consignment is None:
        raise ConsignmentUnknownError(
            f"There is no consignment {consignment_id}.", "List those that there are."
        )
    require(actor, Permission.IMPORT_SUBMIT, owner=consignment.importer_id)
    record(actor, "import.report_read", subject(consignment), at=at)
    return _rows(consignment)


def _rows(consignment: Consignment) -> Iterator[tuple[str, ...]]:
    rejected = (
        (row.line, _harmless(row.text), 1, row.reason) for row in sealed_lists.rejected_rows(consignment.pk)
    )
    found = (
        (f.line, _value(f.reason, f.subject), f.rows, f.reason)
        for f in findings.told(consignment.pk, consignment.checked_round)
    )
    for line, value, rows, reason in merge(rejected, found, key=lambda row: row[0]):
        yield (str(line), value, str(rows), *_said(reason))


def _said(reason: Reason) -> tuple[str, str, str]:
    return (reason.value, MEANINGS[reason].doc, MEANINGS[reason].do)


def _value(reason: Reason, number: int) -> str:
    return f"{number:08}" if MEANINGS[reason].of is Of.TAC else Imei.from_number(number).printed


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_EVALUATED) else text
