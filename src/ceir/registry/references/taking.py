"""Taking reference lists over: the whole list in one transaction, or nothing."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from django.db import IntegrityError, connection, transaction

from ceir.errors import CeirError
from ceir.identifiers import Tac
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.devices.identifying import Model
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.runs import loading

_LONGEST_FIELD = 20_000
_COLUMNS = (
    "tac", "manufacturer", "model_name", "brand_name", "marketing_name", "device_type", "bands",
    "radio_interface", "operating_system", "sim_slots", "allocated_on", "further",
)  # fmt: skip
_CUT = {
    "manufacturer": 200,
    "model_name": 200,
    "brand_name": 200,
    "marketing_name": 200,
    "device_type": 100,
    "operating_system": 200,
}
_NEEDED = frozenset({"tac", "manufacturer", "model_name", "device_type"})


class ReferenceListError(CeirError):
    """A reference list cannot be taken over; the one before stays."""

    code: ClassVar[str] = "reference_list_refused"


def take_tacs(file: Path, *, actor: Actor, at: datetime) -> int:
    """Take GSMA's list over, in the form that the pipeline takes it in. Returns: its rows.

    Raises:
        PermissionDeniedError: the actor may not.
        ReferenceListError: it is no such list; with its line.
    """
    require(actor, Permission.RUN_APPLY)
    with transaction.atomic(), file.open(encoding="utf-8", newline="") as opened:
        TacRecord.objects.all().delete()
        try:
            with connection.wrap_database_errors:
                count = loading.load(TacRecord._meta.db_table, _COLUMNS, _tac_rows(opened))
        except IntegrityError as error:
            raise ReferenceListError("A TAC is on the list twice.", "Give the list as GSMA did.") from error
        except UnicodeDecodeError as error:
            raise ReferenceListError("The list is no UTF-8.", "Convert it.") from error
        if not count:
            raise ReferenceListError("The list is empty.", "Give the whole list.")
        loading.analyse(TacRecord._meta.db_table)
        record(actor, "reference.taken", "reference:tac", at=at, detail={"rows": count})
    return count


def take_observed(rows: Iterable[tuple[int, date, date]], *, actor: Actor, at: datetime) -> int:
    """Take over when networks saw equipment: key, first and last day. Returns: rows.

    Raises:
        PermissionDeniedError: the actor may not.
        ReferenceListError: equipment is named twice.
    """
    require(actor, Permission.RUN_APPLY)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {Observed._meta.db_table}")
        else:
            Observed.objects.all().delete()
        try:
            with connection.wrap_database_errors:
                count = loading.load(
                    Observed._meta.db_table,
                    ("imei", "first_seen", "last_seen"),
                    ((imei, first.isoformat(), last.isoformat()) for imei, first, last in rows),
                )
        except IntegrityError as error:
            raise ReferenceListError("Equipment is named twice.", "Give each identity once.") from error
        loading.analyse(Observed._meta.db_table)
        record(actor, "reference.taken", "reference:observed", at=at, detail={"rows": count})
    return count


def model_of(tac: Tac) -> Model | None:
    """The model that a TAC was given to: what registering asks for."""
    found = TacRecord.objects.filter(pk=int(tac.digits)).first()
    if found is None:
        return None
    return Model(
        found.manufacturer,
        found.model_name,
        found.brand_name,
        found.device_type,
        found.radio_interface,
        found.sim_slots,
    )


def allocated_tacs(tacs: Collection[str], _day: date) -> frozenset[str]:
    """Which of some TACs (8 digits) are on the list, whenever they came onto it."""
    numbers = [int(tac) for tac in tacs]
    found = TacRecord.objects.filter(pk__in=numbers).values_list("pk", flat=True)
    return frozenset(f"{number:08}" for number in found)


def seen_by(imeis: Sequence[int], day: date) -> frozenset[int]:
    """Which of some IMEIs (14 digits as numbers) a network saw on a day or before it."""
    found = Observed.objects.filter(pk__in=imeis, first_seen__lte=day).values_list("pk", flat=True)
    return frozenset(found)


def _tac_rows(lines: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    reader = csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE)
    header: list[str] = []
    try:
        for number, row in enumerate(reader, start=1):
            if not header:
                header = [name.strip().lower().replace(" ", "_") for name in row]
                missing = sorted(_NEEDED - set(header))
                if missing:
                    raise ReferenceListError(f"The list has no column {missing[0]}.", "See docs/formats.md.")
                continue
            if len(row) != len(header):
                raise ReferenceListError(
                    f"Line {number} has {len(row)} fields; the header has {len(header)}.", "Mend the list."
                )
            yield _tac_row(dict(zip(header, row, strict=True)), number)
    except csv.Error as error:
        raise ReferenceListError("A line of the list is not one.", "Give the list as GSMA did.") from error


def _tac_row(told: Mapping[str, str], number: int) -> tuple[Any, ...]:
    texts = {name: value.strip().replace("\x00", "") for name, value in told.items()}
    digits = texts.pop("tac")
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        raise ReferenceListError(f"Line {number} has no TAC of 8 digits.", "Mend the list.")
    if any(len(value) > _LONGEST_FIELD for value in texts.values()):
        raise ReferenceListError(f"Line {number} has a field that is too long.", "Mend the list.")
    slots = texts.pop("simslot", "") or texts.pop("sim_slots", "")
    day = _day(texts.pop("allocation_date", ""), number)
    known = {name: texts.pop(name, "")[: _CUT.get(name, _LONGEST_FIELD)] for name in _COLUMNS[1:9]}
    return (
        int(digits),
        *known.values(),
        int(slots) if slots.isdecimal() and len(slots) < 4 else 0,
        day,
        json.dumps(texts, ensure_ascii=False),
    )


def _day(text: str, number: int) -> str | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%d-%b-%Y").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError as error:
        raise ReferenceListError(f"Line {number} has no day like 05-Mar-2019.", "Mend the list.") from error
