"""Entering devices, giving them other identifiers, taking them out; all within the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.devices.identifying import Identifiers, IdentifiersRefusedError, Model
from ceir.registry.devices.models import Device, Identifier, IdentifierKind

_ATTEMPTS = 5
"""Each next one is needed only if somebody enters one of the same devices in the same moment."""

_Columns = dict[str, Any]


class IdentifierTakenError(CeirError):
    """An identifier is a living device's already."""

    code: ClassVar[str] = "identifier_taken"


class NoDeviceError(CeirError):
    """No living device has this IMEI."""

    code: ClassVar[str] = "no_device"


def enter(identifiers: Identifiers, model: Model | None, *, because: str, at: datetime) -> Device:
    """A new device; the identifiers were checked to be one device's.

    Whoever asks has been let through by what the device is entered for, and that is what is recorded.

    Args:
        because: what it is entered for, as the record names it: `submission:3`.

    Raises:
        IdentifierTakenError: another living device has one of them; nothing is kept.
    """
    try:
        with transaction.atomic():
            device = Device.objects.create(entered_at=at, **_texts(model))
            for columns in identifiers.columns(_maker(model)):
                Identifier.objects.create(device=device, bound_at=at, bound_because=because, **columns)
    except IntegrityError as error:
        raise _taken() from error
    return device


def enter_many(
    wanted: Sequence[tuple[Identifiers, Model | None]], *, because: str, at: datetime
) -> list[Device | None]:
    """New devices by the thousand, in the order given; None stands for one whose identifiers are taken: by a
    living device, or by one before it among these."""
    rows_of = [list(identifiers.columns(_maker(model))) for identifiers, model in wanted]
    fresh = _first_of_each(rows_of)
    for attempt in range(_ATTEMPTS):
        taken = _taken_among([rows_of[place] for place in fresh])
        fresh = [place for place in fresh if not any(_key(columns) in taken for columns in rows_of[place])]
        try:
            with transaction.atomic():
                devices = Device.objects.bulk_create(
                    [Device(entered_at=at, **_texts(wanted[place][1])) for place in fresh]
                )
                Identifier.objects.bulk_create(
                    sorted(
                        (
                            Identifier(device=device, bound_at=at, bound_because=because, **columns)
                            for place, device in zip(fresh, devices, strict=True)
                            for columns in rows_of[place]
                        ),
                        key=_in_one_order,
                    )
                )
        except IntegrityError:  # somebody entered one of them at the same time
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    entered = dict(zip(fresh, devices, strict=True))
    return [entered.get(place) for place in range(len(wanted))]


def replace_identifiers(
    device: Device, retired: Collection[Imei], bound: Identifiers | None, *, because: str, at: datetime
) -> None:
    """Take identifiers from a locked device and give it others, as its board is changed.

    The new IMEIs take the slots that became free, in order. An EID or serial number that comes with them
    takes the place of the old one.

    Raises:
        IdentifiersRefusedError: it has not what is retired, would have none left, or more than four.
        IdentifierTakenError: another living device has one of the new ones.
    """
    living = list(living_identifiers(device))
    gone = {imei.number for imei in retired}
    if not gone <= {row.imei for row in living}:
        raise IdentifiersRefusedError(
            "An IMEI to be retired is not this device's.", "Look at the device's identifiers again."
        )
    left = [row for row in living if row.imei is not None and row.imei not in gone]
    new = bound.imeis if bound else ()
    if not 1 <= len(left) + len(new) <= 4:
        raise IdentifiersRefusedError(
            f"The device would have {len(left) + len(new)} IMEIs.", "It has 1 to 4 after a repair."
        )
    taken = {row.slot for row in left}
    free = [slot for slot in range(1, 5) if slot not in taken]
    ended = [row.pk for row in living if row.imei in gone]
    rows: list[_Columns] = []
    if bound is not None:
        rows = bound.columns(device.manufacturer)
        slot_of = dict(zip((imei.number for imei in bound.imeis), free, strict=False))
        for columns in rows:
            if columns["kind"] == IdentifierKind.IMEI.value:
                columns["slot"] = slot_of[columns["imei"]]
        replaced = {columns["kind"] for columns in rows} - {IdentifierKind.IMEI.value}
        ended += [row.pk for row in living if row.kind in replaced]
    try:
        with transaction.atomic():
            Identifier.objects.filter(pk__in=ended).update(ended_at=at, ended_because=because)
            for columns in rows:
                Identifier.objects.create(device=device, bound_at=at, bound_because=because, **columns)
    except IntegrityError as error:
        raise _taken() from error


def retire(devices: Collection[int], *, because: str, at: datetime) -> None:
    """Let go of devices: their identifiers may be another's from now on. What they were stays known."""
    Identifier.objects.filter(device__in=devices, ended_at=None).update(ended_at=at, ended_because=because)
    Device.objects.filter(pk__in=devices, retired_at=None).update(retired_at=at)


def device_of(imei: Imei, *, lock: bool = False) -> Device:
    """The living device with an IMEI.

    Raises:
        NoDeviceError: there is none.
    """
    living = Identifier.objects.filter(imei=imei.number, ended_at=None)
    devices = Device.objects.select_for_update() if lock else Device.objects.all()
    device = devices.filter(pk__in=living.values("device")).first()
    # Whoever waited for the lock may find that the IMEI has gone to another device meanwhile.
    if device is None or not living.filter(device=device).exists():
        raise NoDeviceError("No registered device has this IMEI.", "Compare the digits; dial *#06#.")
    return device


def living_identifiers(device: Device) -> QuerySet[Identifier]:
    """What identifies a device now."""
    return Identifier.objects.filter(device=device, ended_at=None).order_by("kind", "slot")


def imeis_of(device: Device) -> tuple[Imei, ...]:
    """Its IMEIs now, by slot."""
    return tuple(Imei.from_number(row.imei) for row in living_identifiers(device) if row.imei is not None)


def history(device: Device) -> list[Identifier]:
    """Everything that ever identified it, the oldest first."""
    return list(Identifier.objects.filter(device=device).order_by("bound_at", "pk"))


def bearers(imei: Imei) -> list[Device]:
    """Every device that an IMEI ever was of, the newest last."""
    rows = Identifier.objects.filter(imei=imei.number).select_related("device").order_by("bound_at", "pk")
    return [row.device for row in rows]


def _texts(model: Model | None) -> dict[str, str]:
    """What the TAC list says, cut to what columns hold: it is not ours to refuse."""
    if model is None:
        return {}
    return {
        "manufacturer": _printable(model.manufacturer, 200),
        "model": _printable(model.name, 200),
        "brand": _printable(model.brand, 200),
        "device_type": _printable(model.device_type, 100),
        "radio_interface": _printable(model.radio_interface, 1000),
    }


def _printable(text: str, most: int) -> str:
    return "".join(character for character in text if character.isprintable())[:most]


def _maker(model: Model | None) -> str:
    return _printable(model.manufacturer, 200) if model else ""


_RANKS = {IdentifierKind.IMEI.value: 0, IdentifierKind.EID.value: 1, IdentifierKind.SERIAL.value: 2}


def _in_one_order(row: Identifier) -> tuple[int, int, str, str]:
    """Whoever binds several at once does it in this order, so that no two wait for each other."""
    return (_RANKS[row.kind], row.imei or 0, row.maker, row.value)


def _key(columns: _Columns) -> tuple[str, object, str]:
    return (columns["kind"], columns.get("imei") or columns.get("value"), columns.get("maker", ""))


def _first_of_each(rows_of: list[list[_Columns]]) -> list[int]:
    seen: set[tuple[str, object, str]] = set()
    first = []
    for place, rows in enumerate(rows_of):
        mine = {_key(columns) for columns in rows}
        if not mine & seen:
            first.append(place)
            seen |= mine
    return first


def _taken_among(rows_of: list[list[_Columns]]) -> set[tuple[str, object, str]]:
    """Which of these identifiers living devices have."""
    imeis = [columns["imei"] for rows in rows_of for columns in rows if "imei" in columns]
    values = [columns["value"] for rows in rows_of for columns in rows if "value" in columns]
    living = Identifier.objects.filter(ended_at=None)
    found = (
        living.filter(imei__in=imeis) | living.filter(value__in=values)
        if values
        else (living.filter(imei__in=imeis))
    )
    return {
        (kind, number if number is not None else value, maker)
        for kind, number, value, maker in found.values_list("kind", "imei", "value", "maker")
    }


def _taken() -> IdentifierTakenError:
    return IdentifierTakenError(
        "One of these identifiers is a registered device's already.",
        "If it is your device, ask its holder to transfer it to you; else say so, and it is looked into.",
    )


def living_bearers(identifiers: Identifiers, model: Model | None) -> list[Device]:
    """Living devices that have one of these identifiers, locked, in one order."""
    imeis = [imei.number for imei in identifiers.imeis]
    living = Identifier.objects.filter(ended_at=None)
    found = set(living.filter(imei__in=imeis).values_list("device", flat=True))
    for columns in identifiers.columns(_maker(model)):
        if "value" in columns:
            found |= set(living.filter(**columns).values_list("device", flat=True))
    return list(Device.objects.select_for_update().filter(pk__in=found, retired_at=None).order_by("pk"))
