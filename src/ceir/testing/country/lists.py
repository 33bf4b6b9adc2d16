"""What authorities, operators and shops have on file about the country's devices and people."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import md5

import numpy as np
from numpy.typing import NDArray

from ceir.testing.country import text
from ceir.testing.country.copying import day_of_sale, scrapped
from ceir.testing.country.devices import normalised, written
from ceir.testing.country.draws import Bytes, Draws, Flags, Ints
from ceir.testing.country.models import Purpose
from ceir.testing.country.people import Lines, sims_of
from ceir.testing.country.spec import SIMS_A_LINE, CountrySpec
from ceir.testing.country.uses import ListRows, Owned, Uses
from ceir.testing.country.world import NOBODY, Role, Spare, World
from ceir.testing.country.wrongdoing import box_imei, box_is_registered, cluster_source, day_of_theft

HEADERS = {
    "stolen": "imei,reporting_date,status",
    "stolen-foreign": "imei,reporting_date,status,country",
    "registrations": (
        "approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,device_id"
    ),
    "pairings": "imei,imsi,msisdn",
    "golden": "golden_imei",
    "barred": "imei",
    "barred-tacs": "tac",
    "monitored": "imei",
    "subscribers": "uid,imsi",
    "associations": "uid,imei",
    "type-approvals": "tac,certificate,holder,model,status,valid_from,valid_until",
    "imports": "imei,consignment,importer,submitted_on,released_on",
}
"""First line of each list's file, by the source's name."""


def headers(spec: CountrySpec) -> Mapping[str, str]:
    """First lines of the lists that a country has: scrapped devices only where some are copied."""
    return {**HEADERS, "scrapped": "imei,scrapped_on"} if spec.crimes.clone_dead_source else HEADERS


_IN_FORCE, _PENDING, _RECOVERED = ("blacklist", ""), "pending", "recovered"
_ABROAD = ("XA", "XB", "XC")
_PAIRED_VICTIMS, _PAIRED_OTHERS = 0.5, 0.003
_GOLDEN_VICTIMS, _GOLDEN_OTHERS, _GOLDEN_HASHED = 0.05, 0.0005, 0.2
_MONITORED = 0.0002


def chunk_rows(world: World, lines: Lines, boxes: Sequence[Uses], low: int, high: int) -> Iterator[ListRows]:
    """Rows of all lists about the subscribers `low` .. `high`-1 and the devices without one placed there."""
    owned = _owned(world, lines, low, high)
    yield registration_rows(world, owned)
    yield _association_rows(world, owned)
    yield from _subscriber_rows(world, lines, boxes)
    yield from _stolen_rows(world, lines, low, high)
    yield from _foreign_rows(world, lines, low, high)
    yield from _import_rows(world, lines, owned)
    yield _pairing_rows(world, lines)
    yield _golden_rows(world, lines)
    yield from _watched_rows(world, lines, low, high)
    if world.spec.crimes.clone_dead_source:
        imei, day = scrapped(world, lines)
        yield ListRows("scrapped", (_listed(world.draws, imei), text.days(world.calendar.first, day)))


def country_rows(world: World) -> Iterator[ListRows]:
    """Rows about models, once for the country."""
    catalogue = world.catalogue
    if not world.spec.clean:
        tacs = catalogue.tac[catalogue.positions(Purpose.BARRED)]
        yield ListRows("barred-tacs", (text.digits(tacs, 8),))
    places = np.arange(len(catalogue.tac))
    suspect = (catalogue.purpose == Purpose.UNCERTIFIED) & (not world.spec.clean)
    # A third each: never approved, withdrawn, expired.
    fate = np.where(suspect, 1 + places % 3, 0)
    begun = np.asarray([np.datetime64(m.released, "D") for m in catalogue.models])[catalogue.model]
    since = (begun - np.datetime64(world.calendar.first, "D")).astype(np.int64)
    until = text.where(fate == 3, text.days(world.calendar.first, np.full(len(places), -45)))
    fields = (
        text.digits(catalogue.tac, 8),
        np.concatenate([text.constant(len(places), "TA"), text.digits(places, 6)], axis=1),
        catalogue.texts.makers,
        catalogue.texts.names,
        text.table(("valid", "", "withdrawn"))[np.where(fate == 2, 2, places % 2)],
        text.days(world.calendar.first, since),
        until,
    )
    approved = fate != 1
    yield ListRows("type-approvals", tuple(field[approved] for field in fields))


def unsold_rows(world: World, first: int, count: int) -> ListRows:
    """Registrations of devices that are still in shops."""
    device = world.census.spare(Spare.UNSOLD, np.arange(first, first + count))
    return registration_rows(world, _spares(world, device, registered=True))


def registration_rows(world: World, owned: Owned) -> ListRows:
    """A row an IMEI: both slots of a device share its number."""
    some = np.flatnonzero(owned.registered > 0)
    second = some[owned.two_slots[some]]
    at = np.concatenate([some, second])
    imei = owned.imei[at]
    imei[len(some) :] += 1
    table, tac = world.catalogue.texts, owned.tac[at]
    status = np.where(owned.registered[at] == 2, 2, world.draws.chance("registration-status", imei, 0.2))
    fields = (
        _listed(world.draws, imei),
        table.makers[tac],
        table.names[tac],
        text.table(("whitelist", "", _PENDING))[status],
        table.names[tac],
        table.makers[tac],
        table.types[tac],
        table.radios[tac],
        np.concatenate([text.constant(len(at), "D"), text.digits(owned.device[at], 10)], axis=1),
    )
    return ListRows("registrations", fields)


def _listed(draws: Draws, imei: Ints) -> Bytes:
    """IMEIs as people copy them: mostly with the check digit on the box."""
    return written(imei, draws.chance("list-form", imei, 0.7).astype(np.int64))


def _spares(world: World, device: Ints, *, registered: bool) -> Owned:
    nothing = np.full(len(device), NOBODY)
    return Owned(
        device=device,
        imei=world.numbering.imei(device),
        tac=world.numbering.tac_of(device),
        two_slots=np.zeros(len(device), dtype=np.bool_),
        person=nothing,
        registered=np.full(len(device), int(registered)),
        arrived=nothing,
    )


def _owned(world: World, lines: Lines, low: int, high: int) -> Owned:
    census = world.census
    own = np.flatnonzero(lines.owns)
    # Who bought a stolen device also has the earlier one, which is the one in the lists.
    imei = np.where(lines.role == Role.STOLEN, world.numbering.imei(lines.subscriber), lines.imei)
    first = Owned(
        device=lines.subscriber[own],
        imei=imei[own],
        tac=lines.tac[own],
        two_slots=lines.two_slots[own],
        person=lines.person[own],
        registered=lines.registered[own],
        arrived=np.full(len(own), -1),
    )
    new = np.flatnonzero(lines.upgrades >= 0)
    device = census.subscribers + lines.subscriber[new]
    second = Owned(
        device=device,
        imei=world.numbering.imei(device),
        tac=world.numbering.tac_of(device),
        two_slots=np.zeros(len(new), dtype=np.bool_),
        person=lines.person[new],
        registered=np.ones(len(new), dtype=np.int64),
        arrived=lines.upgrades[new],
    )
    dead = census.within(census.spare_size(Spare.DEAD_SOURCE), low, high)
    errors = census.within(census.oem_errors if census.size(Role.OEM_ERROR) else 0, low, high)
    return Owned.together(
        [
            first,
            second,
            _spares(world, census.spare(Spare.DEAD_SOURCE, dead), registered=True),
            _spares(world, census.spare(Spare.OEM_ERROR, errors), registered=True),
        ]
    )


def _association_rows(world: World, owned: Owned) -> ListRows:
    missing = world.draws.chance("association", owned.device, world.spec.crimes.not_associated)
    some = np.flatnonzero((owned.registered == 1) & (owned.person >= 0) & ~missing)
    second = some[owned.two_slots[some]]
    person = owned.person[np.concatenate([some, second])]
    imei = np.concatenate([owned.imei[some], owned.imei[second] + 1])
    return ListRows("associations", (world.uid(person), _listed(world.draws, imei)))


def _subscriber_rows(world: World, lines: Lines, boxes: Sequence[Uses]) -> Iterator[ListRows]:
    missing = world.draws.chance("subscriber", lines.subscriber, world.spec.crimes.imsi_unregistered)
    for sim in range(SIMS_A_LINE):
        some = np.flatnonzero((lines.sims > sim) & ~missing)
        imsi = sims_of(world, lines, some, sim) if sim else lines.imsi[some]
        yield ListRows("subscribers", (world.uid(lines.person[some]), text.digits(imsi, 15)))
    for uses in boxes:
        known = uses.where(uses.person != NOBODY)
        yield ListRows("subscribers", (world.uid(known.person), text.digits(known.imsi, 15)))


def _stolen_rows(world: World, lines: Lines, low: int, high: int) -> Iterator[ListRows]:
    census, draws, days = world.census, world.draws, world.calendar.days

    def entries(imei: Ints, day: Ints, status: Sequence[str], which: NDArray[np.int64]) -> ListRows:
        date = text.days(world.calendar.first, day)
        return ListRows("stolen", (_listed(draws, imei), date, text.table(status)[which]))

    robbed = lines.at(Role.ROBBED)
    imei = world.numbering.imei(lines.subscriber[robbed])
    yield entries(imei, day_of_theft(world, lines.number[robbed]), _IN_FORCE, imei % 2)
    found = lines.at(Role.RECOVERED)
    imei = lines.imei[found]
    yield entries(imei, -20 - imei // 2 % 200, (_RECOVERED,), imei * 0)

    dead = census.within(census.dead_listed, low, high)
    cluster = len(census.cluster_ends) - 1 - dead
    imei = world.numbering.imei(cluster_source(world, cluster))
    yield entries(imei, -10 - imei // 2 % 300, _IN_FORCE, imei % 2)

    index = census.within(census.spare_size(Spare.STOLEN), low, high)
    imei = world.numbering.imei(census.spare(Spare.STOLEN, index))
    when = days - 1 - draws.below("stolen-day", index, 300)
    yield entries(
        imei, when, (*_IN_FORCE, _PENDING, _RECOVERED), draws.pick("stolen-status", index, (80, 10, 5, 5))
    )


def _foreign_rows(world: World, lines: Lines, low: int, high: int) -> Iterator[ListRows]:
    index = world.census.within(world.census.spare_size(Spare.STOLEN_FOREIGN), low, high)
    unseen = world.numbering.imei(world.census.spare(Spare.STOLEN_FOREIGN, index))
    imei = np.concatenate([lines.imei[lines.at(Role.STOLEN_FOREIGN)], unseen])
    day = -1 - world.draws.below("foreign-day", imei, 300)
    country = text.table(_ABROAD)[world.draws.below("foreign-country", imei, len(_ABROAD))]
    status = text.table(_IN_FORCE)[imei // 2 % 2]
    yield ListRows(
        "stolen-foreign", (_listed(world.draws, imei), text.days(world.calendar.first, day), status, country)
    )


def _import_rows(world: World, lines: Lines, owned: Owned) -> Iterator[ListRows]:
    draws, first, census = world.draws, world.calendar.first, world.census
    victims = lines.at(Role.HOLDER_PRE_SALE)
    if victims.size:
        sold = day_of_sale(world, lines.number[victims])
        yield _consignment(
            world,
            world.numbering.imei(census.subscribers + lines.subscriber[victims]),
            sold - 40,
            text.days(first, sold - 2 - draws.below("pre-sale-release", lines.subscriber[victims], 12)),
        )
    # Half of the new devices came as declared goods, all released before the first use.
    new = (owned.arrived > 0) & (owned.person >= 0) & draws.chance("declared", owned.device, 0.5)
    new &= ~np.isin(owned.device, census.subscribers + lines.subscriber[victims])
    released = owned.arrived[new] - 3 - draws.below("released", owned.device[new], 20)
    yield _consignment(world, owned.imei[new], released - 5, text.days(first, released))

    early = lines.at(Role.PRE_RELEASE)
    s = lines.subscriber[early]
    later = lines.start[early] + 45 + draws.below("late-release", s, 30)
    known = draws.chance("release-known", s, 0.5) & (later < world.calendar.days)
    yield _consignment(
        world, lines.imei[early], lines.start[early] - 8, text.where(known, text.days(first, later))
    )


def _consignment(world: World, imei: Ints, submitted: Ints, released: Bytes) -> ListRows:
    size = len(imei)
    importer = world.draws.below("importer", imei, 30)
    number = world.draws.below("consignment", imei, 5_000)
    fields = (
        _listed(world.draws, imei),
        np.concatenate([text.constant(size, "C"), text.digits(importer * 10_000 + number, 6)], axis=1),
        np.concatenate([text.constant(size, "Importer "), text.digits(importer + 1, 2)], axis=1),
        text.days(world.calendar.first, submitted),
        released,
    )
    return ListRows("imports", fields)


def _victims_and_others(world: World, lines: Lines, stream: str, victims: float, others: float) -> Flags:
    """A share of the owners of copied IMEIs and another of ordinary owners."""
    s, draws = lines.subscriber, world.draws
    ordinary = lines.free & lines.owns
    return (lines.paired & draws.chance(stream, s, victims)) | (ordinary & draws.chance(stream, s, others))


def _pairing_rows(world: World, lines: Lines) -> ListRows:
    some = _victims_and_others(world, lines, "pairing", _PAIRED_VICTIMS, _PAIRED_OTHERS)
    fields = (
        _listed(world.draws, lines.imei[some]),
        text.digits(lines.imsi[some], 15),
        text.number(lines.msisdn[some], 15),
    )
    return ListRows("pairings", fields)


def _golden_rows(world: World, lines: Lines) -> ListRows:
    imei = lines.imei[_victims_and_others(world, lines, "golden", _GOLDEN_VICTIMS, _GOLDEN_OTHERS)]
    out = np.zeros((len(imei), 32), dtype=np.uint8)
    out[:, :16] = _listed(world.draws, imei)
    # Some authorities keep such IMEIs secret and hand over their MD5 (32 hexadecimal digits).
    for row in np.flatnonzero(world.draws.chance("golden-hashed", imei, _GOLDEN_HASHED)).tolist():
        plain = normalised(imei[row : row + 1]).tobytes().rstrip(b"\0")
        out[row] = list(md5(plain, usedforsecurity=False).hexdigest().encode())
    return ListRows("golden", (out,))


def _watched_rows(world: World, lines: Lines, low: int, high: int) -> Iterator[ListRows]:
    census, draws = world.census, world.draws
    if world.spec.clean:
        return
    index = census.within(census.spare_size(Spare.BARRED), low, high)
    unseen = world.numbering.imei(census.spare(Spare.BARRED, index))
    barred = np.concatenate([lines.imei[lines.at(Role.BARRED)], unseen])
    yield ListRows("barred", (_listed(draws, barred),))

    boxes = census.within(census.spare_size(Spare.SIM_BOX), low, high)
    watched = lines.free & lines.owns & draws.chance("monitored", lines.subscriber, _MONITORED)
    monitored = np.concatenate([lines.imei[watched], box_imei(world, boxes[box_is_registered(world, boxes)])])
    yield ListRows("monitored", (_listed(draws, monitored),))
