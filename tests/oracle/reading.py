"""From raw files to a World. Invalid rows are left out and counted by source in `World.rejected`."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from .world import (
    GENERATION_OF_RAT,
    Approval,
    Cell,
    Equipment,
    Fingerprint,
    Model,
    Sighting,
    UndefinedError,
    World,
    capabilities_of,
    is_allowed_imei,
    is_well_formed,
    md5_of,
    normalised,
    trimmed,
)

_DIGITS = re.compile(r"[0-9]{1,15}")
_TAC = re.compile(r"[0-9]{8}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_VERSION = re.compile(r"[0-9]{2}")
_WIDEST_RANGE = 1_000_000
_DAY = re.compile(r"[0-9]{8}")
_ALLOCATED = re.compile(r"([0-9]{2})-([a-z]{3})-([0-9]{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

Row = dict[str, str]
Place = str | Path


class InvalidRowError(ValueError):
    """One row that says something its columns do not allow."""


@dataclass(frozen=True)
class Inputs:
    """Which files to read.

    `observations`: (operator id, file) in any order. `lists`: source name -> full-list file; a source that is
    absent or None was never ingested.
    """

    observations: list[tuple[str, Place]]
    tac: Place | None = None
    lists: dict[str, Place | None] = field(default_factory=dict)
    sightings: list[tuple[str, Place]] | None = None
    fingerprints: list[tuple[str, Place]] | None = None


def load(inputs: Inputs, until: date | None = None) -> World:
    """The world the files describe; with `until`, as if no observation after that day had been delivered."""
    unknown = set(inputs.lists) - set(_LIST_READERS)
    if unknown:
        raise UndefinedError(f"no such list source: {sorted(unknown)}")
    world = World()
    for operator, path in inputs.observations:
        _read_observations(world, operator, path, until)
    if inputs.tac is not None:
        _read_tac(world, inputs.tac)
    for source, place in inputs.lists.items():
        if place is not None:
            _LIST_READERS[source](world, place)
    if inputs.sightings is not None:
        world.sightings = {}
        for operator, path in inputs.sightings:
            _read_sightings(world, world.sightings, operator, path)
    if inputs.fingerprints is not None:
        world.fingerprints = {}
        for operator, path in inputs.fingerprints:
            _read_fingerprints(world, world.fingerprints, operator, path)
    return world


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise InvalidRowError(text)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise InvalidRowError(text) from None


def _day_or_none(text: str) -> date | None:
    return _day(text) if text else None


def _imei(text: str) -> str:
    imei = normalised(text)
    if imei is None or not is_allowed_imei(trimmed(text)):
        raise InvalidRowError(text)
    return imei


def _number_or_empty(text: str) -> str:
    if text and not _DIGITS.fullmatch(text):
        raise InvalidRowError(text)
    return text


def _number(text: str) -> str:
    if not _DIGITS.fullmatch(text):
        raise InvalidRowError(text)
    return text


def _tac(text: str) -> str:
    if not _TAC.fullmatch(text):
        raise InvalidRowError(text)
    return text


def _present(text: str) -> str:
    if not text:
        raise InvalidRowError(text)
    return text


def _generations(text: str) -> int:
    mask = 0
    if text:
        for code in text.split("|"):
            if code not in GENERATION_OF_RAT:
                raise InvalidRowError(text)
            mask |= GENERATION_OF_RAT[code]
    return mask


def _columns(header: list[str], path: Place, needed: tuple[str, ...]) -> list[str]:
    names = [trimmed(name).lower() for name in header]
    missing = [name for name in needed if name not in names]
    if missing:
        raise UndefinedError(f"{path}: no column {missing}")
    return names


def _read_observations(world: World, operator: str, path: Place, until: date | None) -> None:
    """The one hot loop: fields are examined once per distinct combination, a row costs two look-ups."""
    bits: dict[str, int] = {}
    uses: dict[tuple[str, str, str, str], tuple[list[int], list[int]] | None] = {}
    invalid = 0
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        names = _columns(next(reader, []), path, ("date", "imei", "imsi", "msisdn"))
        width = len(names)
        at_date, at_imei, at_imsi, at_msisdn = (
            names.index(name) for name in ("date", "imei", "imsi", "msisdn")
        )
        at_rat = names.index("rat") if "rat" in names else -1
        for row in reader:
            if len(row) != width:
                invalid += bool(row)
                continue
            text = row[at_date]
            bit = bits.get(text)
            if bit is None:
                bit = bits[text] = _bit(world, text, until)
            key = (row[at_imei], row[at_imsi], row[at_msisdn], row[at_rat] if at_rat >= 0 else "")
            if bit > 0 and key in uses:
                use = uses[key]
                if use is not None:
                    use[0][0] |= bit
                    use[1][0] |= bit
                else:
                    invalid += 1
            elif bit < 0:
                invalid += 1
            elif bit > 0:
                try:
                    use = uses[key] = _use(world, operator, key)
                    use[0][0] |= bit
                    use[1][0] |= bit
                except InvalidRowError:
                    uses[key] = None
                    invalid += 1
    if invalid:
        world.rejected["observations"] += invalid


def _bit(world: World, text: str, until: date | None) -> int:
    """The day's bit; 0 for a day past the horizon; -1 for what is no day."""
    try:
        day = _day(trimmed(text))
    except InvalidRowError:
        return -1
    return 0 if until is not None and day > until else world.calendar.bit(day)


def _use(world: World, operator: str, key: tuple[str, str, str, str]) -> tuple[list[int], list[int]]:
    """The day masks of the triplet and of its IMSI with these generations."""
    raw_imei, imsi, msisdn, rat = (trimmed(text) for text in key)
    triplet = (_number_or_empty(imsi), _number_or_empty(msisdn), operator)
    generations = _generations(rat)
    if not raw_imei:
        return [0], [0]  # a use of no equipment: valid, and nobody's
    imei = _imei(raw_imei)
    equipment = world.seen.get(imei)
    if equipment is None:
        equipment = world.seen[imei] = Equipment(imei)
    equipment.generations |= generations
    return (
        equipment.uses.setdefault(triplet, [0]),
        equipment.generations_of.setdefault((triplet[0], generations), [0]),
    )


def _read_tac(world: World, path: Place) -> None:
    models: dict[str, Model] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)
        header = [trimmed(name.replace('"', "")).replace(" ", "_") for name in next(reader, [])]
        needed = ("tac", "manufacturer", "model_name", "bands", "allocation_date", "device_type")
        names = _columns(header, path, needed)
        for fields in reader:
            if not fields:
                continue
            try:
                if len(fields) != len(names):
                    raise InvalidRowError("|".join(fields))
                row = dict(zip(names, (text.replace('"', "") for text in fields), strict=True))
                tac = _tac(trimmed(row["tac"]))
                _allocation_day(trimmed(row["allocation_date"]))
            except InvalidRowError:
                world.rejected["tac"] += 1
                continue
            model = Model(
                trimmed(row["manufacturer"]),
                trimmed(row["model_name"]),
                row["bands"],  # blanks at the ends may be part of a mark
                trimmed(row["device_type"]),
            )
            if models.setdefault(tac, model) != model:
                raise UndefinedError(f"{path}: TAC {tac} twice with different contents")
    world.models = models
    world.capabilities = capabilities_of(models)


def _allocation_day(text: str) -> date | None:
    if not text:
        return None
    parts = _ALLOCATED.fullmatch(text.lower())
    if parts is None or parts[2] not in _MONTHS:
        raise InvalidRowError(text)
    try:
        return date(int(parts[3]), _MONTHS.index(parts[2]) + 1, int(parts[1]))
    except ValueError:
        raise InvalidRowError(text) from None


def _rows(
    world: World, source: str, path: Place, needed: tuple[str, ...], take: Callable[[Row], None]
) -> None:
    """Hand every row of a list, trimmed and keyed by lower-case column, to `take`; count those it refuses."""
    for row in _raw_rows(world, source, path, needed):
        try:
            take(row)
        except InvalidRowError:
            world.rejected[source] += 1


def _raw_rows(world: World, source: str, path: Place, needed: tuple[str, ...]) -> Iterator[Row]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        names = _columns(next(reader, []), path, needed)
        for fields in reader:
            if len(fields) == len(names):
                yield dict(zip(names, map(trimmed, fields), strict=True))
            elif fields:
                world.rejected[source] += 1


def _in_force_reader(
    source: str, column: str, words: set[str], attribute: str
) -> Callable[[World, Place], None]:
    """Reads a list whose rows count when their status is empty or one of `words`."""

    def read(world: World, path: Place) -> None:
        found: set[str] = set()

        def take(row: Row) -> None:
            imei = _imei(row[column])
            _day_or_none(row.get("reporting_date", ""))
            if row["status"].lower() in words | {""}:
                found.add(imei)

        _rows(world, source, path, (column, "status"), take)
        setattr(world, attribute, found)

    return read


def _set_reader(
    source: str, column: str, parse: Callable[[str], str], attribute: str
) -> Callable[[World, Place], None]:
    """Reads a list of which one column matters."""

    def read(world: World, path: Place) -> None:
        found: set[str] = set()
        _rows(world, source, path, (column,), lambda row: found.add(parse(row[column])))
        setattr(world, attribute, found)

    return read


def _read_pairings(world: World, path: Place) -> None:
    found: set[tuple[str, str, str]] = set()

    def take(row: Row) -> None:
        found.add((_imei(row["imei"]), _number(row["imsi"]), _number_or_empty(row["msisdn"])))

    _rows(world, "pairings", path, ("imei", "imsi", "msisdn"), take)
    world.pairings = found


def _read_golden(world: World, path: Place) -> None:
    found: set[str] = set()

    def take(row: Row) -> None:
        text = row["golden_imei"].lower()
        found.add(text if _MD5.fullmatch(text) else md5_of(_imei(text)))

    _rows(world, "golden", path, ("golden_imei",), take)
    world.golden_md5 = found


def _read_appeals(world: World, path: Place) -> None:
    found: set[tuple[str, str]] = set()

    def take(row: Row) -> None:
        found.add((_imei(row["imei"]), _present(row["condition"])))

    _rows(world, "appeals", path, ("imei", "condition"), take)
    world.restored = found


def _read_subscribers(world: World, path: Place) -> None:
    found: dict[str, set[str]] = {}

    def take(row: Row) -> None:
        uid, imsi = _present(row["uid"]), _number(row["imsi"])
        found.setdefault(imsi, set()).add(uid)

    _rows(world, "subscribers", path, ("uid", "imsi"), take)
    world.uids_of_imsi = found


def _read_associations(world: World, path: Place) -> None:
    found: dict[str, set[str]] = {}

    def take(row: Row) -> None:
        imei, uid = _imei(row["imei"]), _present(row["uid"])
        found.setdefault(imei, set()).add(uid)

    _rows(world, "associations", path, ("uid", "imei"), take)
    world.owners = found
    world.associated = set(found)


def _read_registrations(world: World, path: Place) -> None:
    found: dict[str, str] = {}

    def take(row: Row) -> None:
        imei = _imei(row["approved_imei"])
        if row["status"].lower() in {"", "whitelist"}:
            found[imei] = row.get("device_id", "")

    _rows(world, "registrations", path, ("approved_imei", "status"), take)
    world.registered, world.device_of = set(found), found


def _read_scrapped(world: World, path: Place) -> None:
    found: dict[str, date] = {}

    def take(row: Row) -> None:
        found[_imei(row["imei"])] = _day(row["scrapped_on"])

    _rows(world, "scrapped", path, ("imei", "scrapped_on"), take)
    world.scrapped = found


def _read_proofs(world: World, path: Place) -> None:
    found: set[tuple[str, str, str]] = set()

    def take(row: Row) -> None:
        kind = row["kind"].lower()
        if kind not in {"purchase", "device", "maker"}:
            raise InvalidRowError(kind)
        _day_or_none(row["proven_on"])
        found.add((_imei(row["imei"]), _number(row["imsi"]), kind))

    _rows(world, "proofs", path, ("imei", "imsi", "kind", "proven_on"), take)
    world.proofs = found


def _degrees(text: str, largest: int) -> int:
    """Degrees as whole millionths, halves away from zero."""
    digits = len(str(largest))
    if not re.fullmatch(rf"[+-]?[0-9]{{1,{digits}}}(\.[0-9]{{1,12}})?", text):
        raise InvalidRowError(text)
    degrees = Decimal(text)
    if abs(degrees) > largest:
        raise InvalidRowError(text)
    return int((degrees * 1_000_000).to_integral_value(ROUND_HALF_UP))


def _read_cells(world: World, path: Place) -> None:
    found: dict[str, Cell] = {}

    def take(row: Row) -> None:
        radius = row.get("radius_m", "")
        if radius and not (re.fullmatch("[0-9]{1,6}", radius) and int(radius) <= 200_000):
            raise InvalidRowError(radius)
        found[_present(row["cell"])] = Cell(
            _degrees(row["latitude"], 90), _degrees(row["longitude"], 180), int(radius) if radius else None
        )

    _rows(world, "cells", path, ("cell", "latitude", "longitude"), take)
    world.cells = found


def _moment(text: str) -> int:
    """Seconds since 1970 of a moment in UTC."""
    for form, length in (("%Y-%m-%dT%H:%M:%SZ", 20), ("%Y-%m-%d %H:%M:%S", 19)):
        if len(text) == length:
            try:
                moment = datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                break
            if moment.year >= 2000:
                return int(moment.timestamp())
    raise InvalidRowError(text)


def _read_sightings(world: World, found: dict[str, set[Sighting]], operator: str, path: Place) -> None:
    def take(row: Row) -> None:
        imei, imsi, cell = _imei(row["imei"]), _number(row["imsi"]), _present(row["cell"])
        start, end = _moment(row["started_at"]), _moment(row["ended_at"])
        if end < start:
            raise InvalidRowError(row["ended_at"])
        found.setdefault(imei, set()).add(Sighting(start, end, imsi, cell, operator))

    _rows(world, "sightings", path, ("imei", "imsi", "cell", "started_at", "ended_at"), take)


def _read_fingerprints(world: World, found: dict[str, set[Fingerprint]], operator: str, path: Place) -> None:
    def take(row: Row) -> None:
        version = row.get("software_version", "")
        if version and not _VERSION.fullmatch(version):
            raise InvalidRowError(version)
        words = row.get("capability", ""), row.get("agent", "")
        if any(word and not re.fullmatch(r"[0-9A-Za-z._:-]{1,64}", word) for word in words):
            raise InvalidRowError(str(words))
        print_ = Fingerprint(_day(row["seen_on"]), _number(row["imsi"]), version, *words, operator)
        found.setdefault(_imei(row["imei"]), set()).add(print_)

    _rows(world, "fingerprints", path, ("imei", "imsi", "seen_on"), take)


def _read_approvals(world: World, path: Place) -> None:
    found: dict[str, list[Approval]] = {}

    def take(row: Row) -> None:
        tac = _tac(row["tac"])
        approval = Approval(
            row["status"].lower(), _day_or_none(row["valid_from"]), _day_or_none(row["valid_until"])
        )
        found.setdefault(tac, []).append(approval)

    _rows(world, "type-approvals", path, ("tac", "status", "valid_from", "valid_until"), take)
    world.approvals = found


def _whole_imei(text: str) -> str:
    imei = _imei(text)
    if not is_well_formed(imei):
        raise InvalidRowError(text)
    return imei


def _read_barred_ranges(world: World, path: Place) -> None:
    found: list[tuple[str, str]] = []

    def take(row: Row) -> None:
        first, last = _whole_imei(row["first_imei"]), _whole_imei(row["last_imei"])
        if not 1 <= int(last) - int(first) + 1 <= _WIDEST_RANGE:
            raise InvalidRowError(f"{first}-{last}")
        found.append((first, last))

    _rows(world, "barred-ranges", path, ("first_imei", "last_imei"), take)
    world.barred_ranges = found


def _read_software_versions(world: World, path: Place) -> None:
    found: dict[tuple[str, str], str] = {}

    def take(row: Row) -> None:
        key, status = (_whole_imei(row["imei"]), row["software_version"]), row["status"].lower()
        if not _VERSION.fullmatch(key[1]) or status not in {"blocked", "tracked", "permitted"}:
            raise InvalidRowError(f"{key} {status}")
        if found.setdefault(key, status) != status:
            raise UndefinedError(f"{path}: {key} twice with different contents")

    _rows(world, "software-versions", path, ("imei", "software_version", "status"), take)
    world.software_versions = found


def _read_imports(world: World, path: Place) -> None:
    found: dict[str, list[date | None]] = {}

    def take(row: Row) -> None:
        imei = _imei(row["imei"])
        _day_or_none(row.get("submitted_on", ""))
        released = _day_or_none(row["released_on"])
        found.setdefault(imei, []).append(released)

    _rows(world, "imports", path, ("imei", "released_on"), take)
    world.releases = found


_LIST_READERS: dict[str, Callable[[World, Place], None]] = {
    "stolen": _in_force_reader("stolen", "imei", {"blacklist"}, "stolen"),
    "stolen-foreign": _in_force_reader("stolen-foreign", "imei", {"blacklist"}, "stolen_foreign"),
    "registrations": _read_registrations,
    "scrapped": _read_scrapped,
    "proofs": _read_proofs,
    "cells": _read_cells,
    "pairings": _read_pairings,
    "golden": _read_golden,
    "appeals": _read_appeals,
    "barred": _set_reader("barred", "imei", _imei, "barred"),
    "barred-tacs": _set_reader("barred-tacs", "tac", _tac, "barred_tacs"),
    "barred-ranges": _read_barred_ranges,
    "monitored": _set_reader("monitored", "imei", _imei, "monitored"),
    "subscribers": _read_subscribers,
    "associations": _read_associations,
    "type-approvals": _read_approvals,
    "imports": _read_imports,
    "software-versions": _read_software_versions,
}
