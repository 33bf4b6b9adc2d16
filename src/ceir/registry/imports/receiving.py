"""Taking in a consignment with its list: batch by batch, each in a transaction of its own, so that a long one
holds up nobody; the list counts only when all of it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, ClassVar

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.imports import findings, licences, sealed_lists
from ceir.registry.imports.imei_files import Batch, ImeiFile, ImportFileRefusedError, Limits, Rejected
from ceir.registry.imports.models import LIVE, Consignment, Licence, State
from ceir.registry.imports.reasons import MEANINGS, Reason
from ceir.registry.imports.states import ConsignmentStateError, locked, move
from ceir.registry.organisations.models import Organisation

LIMITS = Limits()

GIVEN_UP_AFTER = timedelta(hours=1)
"""A list whose sending began so long ago can be sent again under the same number."""


class SameFileError(CeirError):
    """The file was submitted already, with another consignment."""

    code: ClassVar[str] = "consignment_same_file"


class QuotaError(CeirError):
    """More IMEIs than the licence allows."""

    code: ClassVar[str] = "import_quota"


@dataclass(frozen=True)
class Declaration:
    """What an importer says of a consignment.

    Args:
        number: his own, unique among his consignments.
        declared: IMEIs on the list; another number on it is looked into by two people.
        port: where it enters the country.
    """

    importer: Organisation
    number: str
    declared: int
    port: str
    customs_reference: str = ""


def submit(
    declaration: Declaration, source: BinaryIO, *, actor: Actor, at: datetime, limits: Limits = LIMITS
) -> Consignment:
    """Submit a consignment with its list. The same file under the same number again changes nothing.

    Args:
        source: plain text or CSV; read once, no further than `limits` says.

    Raises:
        PermissionDeniedError: the actor may not, or not for this importer.
        LicenceError: the importer has no licence in force.
        ConsignmentStateError: the number is in use.
        ImportFileRefusedError: no list of IMEIs; the number can be used again.
        SameFileError, QuotaError: likewise.
    """
    require(actor, Permission.IMPORT_SUBMIT, owner=declaration.importer.pk)
    licence = licences.in_force(declaration.importer, localdate(at))
    if not 0 < declaration.declared <= limits.rows:
        raise QuotaError(
            f"{declaration.declared:,} IMEIs are declared.", f"A list has 1 to {limits.rows:,}: send several."
        )
    file = ImeiFile(source, limits)
    consignment = _begin(declaration, licence, actor, at)
    if consignment.state != State.RECEIVING.value:
        return _again(consignment, file)
    with _refusing(consignment, actor, at):
        counted = _receive(consignment, file, licences.left(licence, at), limits)
        _finish(consignment, file, counted, actor, at)
    return consignment


def withdraw(consignment_id: int, *, actor: Actor, reason: str, at: datetime) -> Consignment:
    """Take back a consignment that is not released; its list is destroyed.

    Raises:
        PermissionDeniedError: the actor may not, or it is another importer's.
        ConsignmentStateError: it is released, refused or withdrawn.
    """
    why = free_text(reason, "A reason", 500, needed=True)
    with transaction.atomic():
        consignment = locked(consignment_id)
        require(actor, Permission.IMPORT_SUBMIT, owner=consignment.importer_id)
        move(consignment, State.WITHDRAWN)
        consignment.reason = why
        consignment.save()
        sealed_lists.clear(consignment.pk)
        findings.forget(consignment.pk)
        record(actor, "import.withdrawn", subject(consignment), at=at, basis=why)
    return consignment


def subject(consignment: Consignment) -> str:
    """As the record and proposals name it."""
    return f"consignment:{consignment.pk}"


def _begin(declaration: Declaration, licence: Licence, actor: Actor, at: datetime) -> Consignment:
    said: dict[str, Any] = {
        "licence": licence,
        "declared": declaration.declared,
        "port": free_text(declaration.port, "A port", 100, needed=True),
        "customs_reference": free_text(declaration.customs_reference, "A reference", 64),
        "receiving_since": at,
        "submitted_by": actor.id,
    }
    number = free_text(declaration.number, "A consignment's number", 60, needed=True)
    with transaction.atomic():
        consignment, made = Consignment.objects.get_or_create(
            importer=declaration.importer, number=number, defaults=said
        )
        if made:
            return consignment
        consignment = locked(consignment.pk)
        if consignment.state == State.RECEIVING.value:
            if at - consignment.receiving_since < GIVEN_UP_AFTER:
                raise ConsignmentStateError(
                    f"The list of consignment {number} is being received.",
                    "Wait for its end, or withdraw it.",
                )
        elif consignment.state == State.UNREADABLE.value:
            move(consignment, State.RECEIVING)
        else:
            return consignment
        # Another attempt: whoever still sends the one before finds that it is over.
        consignment.attempt += 1
        for name, value in said.items():
            setattr(consignment, name, value)
        consignment.rejected = {}
        consignment.save()
        sealed_lists.clear(consignment.pk)
    return consignment


def _again(consignment: Consignment, file: ImeiFile) -> Consignment:
    file.drain()
    if consignment.state not in LIVE or consignment.sha256 != file.sha256:
        raise ConsignmentStateError(
            f"Consignment {consignment.number} is {consignment.state}; this is not its list.",
            "Give a further consignment a number of its own.",
        )
    return consignment


@contextmanager
def _refusing(consignment: Consignment, actor: Actor, at: datetime) -> Iterator[None]:
    """What refuses a list takes back all of it that is there, and is recorded."""
    try:
        yield
    except (ImportFileRefusedError, SameFileError, QuotaError) as error:
        with transaction.atomic():
            own = _own(consignment)
            sealed_lists.clear(own.pk)
            move(own, State.UNREADABLE)
            own.rejected = {}
            own.save()
            record(actor, "import.unreadable", subject(own), at=at,
                   detail={"code": error.code, "line": getattr(error, "line", None)})  # fmt: skip
        raise


def _own(consignment: Consignment) -> Consignment:
    """The consignment, locked, if this attempt is still the one that counts."""
    found = locked(consignment.pk)
    if found.state != State.RECEIVING.value or found.attempt != consignment.attempt:
        raise ConsignmentStateError(
            f"Receiving the list of {consignment.number} was given up.", "Send it again if it is not there."
        )
    return found


def _receive(consignment: Consignment, file: ImeiFile, quota: int, limits: Limits) -> dict[str, int]:
    rejected: dict[str, int] = {}
    tacs: set[int] = set()
    first: Rejected | None = None
    rows = twice = 0
    for batch in file.batches():
        tacs.update({imei // sealed_lists.SERIALS for imei in batch.lines})
        if len(tacs) > limits.tacs:
            raise ImportFileRefusedError(
                f"More than {limits.tacs:,} different TACs.",
                "A consignment holds some models: send a list of what is in it.",
                next(iter(batch.lines.values())),
            )
        with transaction.atomic():
            _own(consignment)
            repeated = _keep(consignment, batch)
        twice += len(repeated)
        if file.rejected + twice > limits.rejected:
            raise ImportFileRefusedError(
                f"More than {limits.rejected:,} rows cannot be taken, as this one (twice).",
                "Send each IMEI once.",
                repeated[0].line if repeated else 1,
            )
        for row in [*batch.rejected, *repeated]:
            first = first or row
            rejected[row.reason.value] = rejected.get(row.reason.value, 0) + 1
        rows += len(batch.lines) - len(repeated)
        if rows > quota:
            raise _quota(quota)
    if rows == 0 and first is not None:
        raise ImportFileRefusedError(
            f"No row can be taken, as this one ({first.reason.value}).", MEANINGS[first.reason].do, first.line
        )
    consignment.rows = rows
    return dict(sorted(rejected.items()))


def _keep(consignment: Consignment, batch: Batch) -> list[Rejected]:
    there = sealed_lists.put(consignment.pk, batch.lines)
    repeated = [Rejected(line, Reason.TWICE, Imei.from_number(imei).printed) for imei, line in there.items()]
    sealed_lists.reject(consignment.pk, [*batch.rejected, *repeated])
    return repeated


def _finish(
    consignment: Consignment, file: ImeiFile, rejected: dict[str, int], actor: Actor, at: datetime
) -> None:
    try:
        with transaction.atomic():
            # One list of an importer after another, so that two at once cannot each fit into what is left.
            licence = Licence.objects.select_for_update().get(pk=consignment.licence_id)
            _own(consignment)
            if consignment.rows > licences.left(licence, at):
                raise _quota(licences.left(licence, at))
            move(consignment, State.SUBMITTED)
            consignment.submitted_at = at
            consignment.sha256, consignment.octets = file.sha256, file.octets
            consignment.rejected = rejected
            consignment.save()
            record(
                actor, "import.submitted", subject(consignment), at=at,
                detail={"number": consignment.number, "rows": consignment.rows, "rejected": rejected,
                        "sha256": file.sha256},
            )  # fmt: skip
    except IntegrityError as error:
        consignment.state = State.RECEIVING.value
        raise SameFileError(
            "This file was submitted already, with another consignment.", "Send the list of this one."
        ) from error


def _quota(left: int) -> QuotaError:
    return QuotaError(
        f"The licence leaves {left:,} IMEIs.", "Ask the regulator for a larger one, or list fewer."
    )
