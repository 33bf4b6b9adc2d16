"""Operators report who holds which number with which SIM; what hangs on a number follows it to a new SIM."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.identifiers import Imsi, Msisdn, Plmn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.personal.fields import keys
from ceir.registry.subscribers.finding import (
    canonical,
    known_as,
    line_of,
    name_person,
    person_of_document,
    unknown,
)
from ceir.registry.subscribers.models import Line, Person, Sim

_NAME_LENGTH = 150
_DOCUMENT = re.compile(r"[0-9A-Z]{4,32}")


class ReportRefusedError(CeirError):
    """What an operator reports cannot be true, or is not his to report."""

    code: ClassVar[str] = "report_refused"


@dataclass(frozen=True)
class Holder:
    """Whom SIM registration names.

    Args:
        document: number of the identity document, or a company's; 4 to 32 letters and digits after dropping
            what else stands in it.
        name: as in the document; may be empty.

    Raises:
        ReportRefusedError: the document's number has another form.
        TextRefusedError: the name does.
    """

    document: str
    name: str = ""

    def __post_init__(self) -> None:
        if not _DOCUMENT.fullmatch(self.document):
            raise ReportRefusedError(
                "A document's number has 4 to 32 letters and digits.", "Give it as it is printed."
            )
        free_text(self.name, "A name", _NAME_LENGTH)

    @classmethod
    def read(cls, document: str, name: str = "") -> "Holder":
        """From what somebody typed."""
        if len(document) > 100:
            raise ReportRefusedError("A document's number is too long.", "Give it as it is printed.")
        kept = "".join(c for c in document.upper() if c not in " -./")
        return cls(kept, free_text(name, "A name", _NAME_LENGTH))

    def __repr__(self) -> str:
        return "Holder()"


def report_line(
    number: Msisdn,
    imsi: Imsi,
    *,
    holder: Holder | None = None,
    active_since: datetime | None = None,
    plmns: Collection[Plmn],
    actor: Actor,
    at: datetime,
) -> Line:
    """A number is used with a SIM: new, swapped, or ported here from another operator.

    While the holder stays the same the line does, and with it pairings and what else hangs on it. When the
    holder changed, or the number was given out anew, the old line ends and nothing of it goes to the new one.

    Args:
        holder: None: whoever it was so far.
        active_since: since when this holder has the number.
        plmns: the reporting operator's networks; the IMSI must be of one of them.

    Raises:
        ReportRefusedError: the IMSI is not the operator's, the number is nobody's, or is used only later.
    """
    require(actor, Permission.SUBSCRIBER_REPORT, owner=actor.organisation)
    if imsi.plmn_in(plmns) is None:
        raise ReportRefusedError("The IMSI is not of this operator's networks.", "Report your own SIMs only.")
    operator = actor.organisation
    if not number.is_countable or operator is None:
        raise ReportRefusedError("The number is nobody's.", "Give it with its country code.")
    if active_since is not None and (active_since.tzinfo is None or active_since > at):
        # Otherwise whoever has it then would be taken for the one who has it now: for him, with his devices.
        raise ReportRefusedError(
            "Since when the number is used lies ahead, or says no time zone.", "Report it once it is used."
        )
    try:
        with transaction.atomic():
            return _reported(number, imsi, holder, active_since, operator, actor, at)
    except IntegrityError as error:
        raise ReportRefusedError(
            "The same number or SIM was reported in the same moment.", "Report it again."
        ) from error


def report_end(number: Msisdn, *, actor: Actor, at: datetime) -> None:
    """A number was given back: its line ends, and what hangs on it ends with it.

    Raises:
        ReportRefusedError: the number is no line of this operator.
    """
    require(actor, Permission.SUBSCRIBER_REPORT, owner=actor.organisation)
    with transaction.atomic():
        line = line_of(number, lock=True)
        if line is None or not _living_sims(line).filter(operator=actor.organisation).exists():
            raise ReportRefusedError("The number is no line of yours.", "It may have been ported.")
        _end(line, at)
        record(actor, "line.ended", f"line:{line.pk}", at=at)


def _reported(
    number: Msisdn,
    imsi: Imsi,
    holder: Holder | None,
    since: datetime | None,
    operator: int,
    actor: Actor,
    at: datetime,
) -> Line:
    line = line_of(number, lock=True)
    known = person_of_document(holder.document) if holder is not None else None
    if line is not None and _is_another(line, holder, known, since):
        _end(line, at)
        line = None
    if line is None:
        person = known_as(holder.document, holder.name, at=at) if holder else unknown(at=at)
        line = Line.objects.create(
            person=person, number=number.digits, number_key=number.digits, since=since or at
        )
        what = "line.begun"
    else:
        if holder is not None:
            name_person(line, holder.document, holder.name)
        what = "line.reported"
    was = _living_sims(line).select_for_update().first()
    if was is None or bytes(was.imsi_key or b"") != _key(imsi):
        # The IMSI may still stand with a number that was given back unreported: a SIM has one number.
        Sim.objects.filter(imsi_key=imsi.digits, ended_at=None).update(ended_at=at)
        _living_sims(line).update(ended_at=at)
        Sim.objects.create(line=line, operator_id=operator, imsi=imsi.digits, imsi_key=imsi.digits, since=at)
        if was is not None:
            what = "line.swapped" if was.operator_id == operator else "line.ported"
    record(actor, what, f"line:{line.pk}", at=at)
    return line


def _is_another(line: Line, holder: Holder | None, known: Person | None, since: datetime | None) -> bool:
    """Whether the number is in other hands than the register thought."""
    person = canonical(line.person)
    if person.document_key is not None:
        return holder is not None and (known is None or known.pk != person.pk)
    return since is not None and since > line.since


def _end(line: Line, at: datetime) -> None:
    _living_sims(line).update(ended_at=at)
    line.ended_at = at
    line.save()


def _living_sims(line: Line) -> QuerySet[Sim]:
    return Sim.objects.filter(line=line, ended_at=None)


def _key(imsi: Imsi) -> bytes:
    return keys().keyed("imsi", imsi.digits)
