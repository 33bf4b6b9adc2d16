"""Copies of IMEIs beside the usual ones: of dead, unsold and other devices, and in turn; off by default."""

import numpy as np

from ceir.testing.country.draws import Ints
from ceir.testing.country.models import Radio
from ceir.testing.country.people import Lines, second_device, some_day
from ceir.testing.country.spec import Label
from ceir.testing.country.world import ROTATION, Role, World

_TURN = 6
"""Days that a rotating clone stays with an IMEI."""

_MISMATCHED = 50_000
"""Serial numbers of 2G models from here on belong to copied devices."""

_SCRAP_LISTED = 0.6
"""Of scrapped devices that are copied: those that somebody reported as scrapped."""


def copy_imei(world: World, lines: Lines, places: Ints, source: Ints, label: Ints) -> None:
    """Lines use the IMEI of other devices in hardware that is mostly of a like model."""
    s = lines.subscriber[places]
    tac = world.numbering.tac_of(source)
    other = world.draws.chance("clone-hardware", s, world.spec.crimes.clone_other_hardware)
    late = world.draws.chance("clone-late", s, 0.4)
    lines.imei[places] = world.numbering.imei(source)
    lines.radio[places] = np.where(other, Radio.G4, world.catalogue.radio[tac])
    lines.label[places] = label
    lines.holder[places] = lines.owns[places] = False
    lines.start[places] = np.where(late, some_day(world, "clone-day", s), 0)


def copy_in_other_ways(world: World, lines: Lines) -> None:
    """Gives the lines of the rarer clone classes and their victims device, label and days."""
    _dead_sources(world, lines)
    _unsold(world, lines)
    _in_better_hardware(world, lines)
    _replicas(world, lines)
    _in_turn(world, lines)


def day_of_scrapping(world: World, number: Ints) -> Ints:
    """When the device of a role number is last used by its owner."""
    days = world.calendar.days
    return days // 8 + world.draws.below("scrapping", number, max(1, days * 3 // 8))


def scrapped(world: World, lines: Lines) -> tuple[Ints, Ints]:
    """IMEIs that are reported as scrapped, and the days."""
    holders = lines.at(Role.HOLDER_DEAD_SOURCE)
    holders = holders[world.draws.chance("scrap-listed", lines.subscriber[holders], _SCRAP_LISTED)]
    return lines.imei[holders], day_of_scrapping(world, lines.number[holders]) + 1


def day_of_sale(world: World, number: Ints) -> Ints:
    """When the genuine device of a pre-sale clone is first used."""
    days = world.calendar.days
    return days * 2 // 5 + world.draws.below("sale", number, max(1, days * 2 // 5))


def _victims(lines: Lines, role: Role) -> Ints:
    """Positions of a role whose sightings matter."""
    places = lines.at(role)
    lines.showcase[places] = True
    return places


def _dead_sources(world: World, lines: Lines) -> None:
    holders = _victims(lines, Role.HOLDER_DEAD_SOURCE)
    end = day_of_scrapping(world, lines.number[holders])
    second_device(world, lines, holders, end)
    lines.stop[holders] = end

    clones = lines.at(Role.CLONE_DEAD_SOURCE)
    number = lines.number[clones]
    source = world.player(Role.HOLDER_DEAD_SOURCE, number)
    copy_imei(world, lines, clones, source, np.full(len(clones), Label.CLONE_DEAD_SOURCE))
    silence = 14 + world.draws.below("silence", number, 32)
    lines.start[clones] = np.minimum(day_of_scrapping(world, number) + silence, world.calendar.days - 7)


def _unsold(world: World, lines: Lines) -> None:
    holders = _victims(lines, Role.HOLDER_PRE_SALE)
    day = day_of_sale(world, lines.number[holders])
    second_device(world, lines, holders, day)
    lines.stop[holders] = day

    clones = lines.at(Role.CLONE_PRE_SALE)
    number = lines.number[clones]
    # The device that the holder will buy.
    source = world.census.subscribers + world.player(Role.HOLDER_PRE_SALE, number)
    copy_imei(world, lines, clones, source, np.full(len(clones), Label.CLONE_PRE_SALE))
    lead = 25 + world.draws.below("pre-sale-lead", number, 40)
    lines.start[clones] = np.maximum(day_of_sale(world, number) - lead, 0)


def _in_better_hardware(world: World, lines: Lines) -> None:
    holders = _victims(lines, Role.HOLDER_MISMATCH)
    lines.imei[holders] = _old_imei(world, lines.number[holders])
    lines.tac[holders] = _old_tac(world, lines.number[holders])
    lines.radio[holders] = Radio.G2
    lines.two_slots[holders] = False

    clones = lines.at(Role.CLONE_MISMATCH)
    number = lines.number[clones]
    source = world.player(Role.HOLDER_MISMATCH, number)
    copy_imei(world, lines, clones, source, np.full(len(clones), Label.CLONE_MISMATCH))
    lines.imei[clones], lines.radio[clones] = _old_imei(world, number), Radio.G4


def _old_tac(world: World, number: Ints) -> Ints:
    poor = world.catalogue.plain_2g()
    return poor[number % len(poor)]


def _old_imei(world: World, number: Ints) -> Ints:
    place = number // len(world.catalogue.plain_2g())
    return world.numbering.special(_old_tac(world, number), _MISMATCHED + place)


def _replicas(world: World, lines: Lines) -> None:
    _victims(lines, Role.HOLDER_REPLICA)
    clones = lines.at(Role.CLONE_REPLICA)
    source = world.player(Role.HOLDER_REPLICA, lines.number[clones])
    copy_imei(world, lines, clones, source, np.full(len(clones), Label.CLONE_REPLICA))
    lines.radio[clones] = world.catalogue.radio[world.numbering.tac_of(source)]


def _in_turn(world: World, lines: Lines) -> None:
    """A line with `ROTATION` copied IMEIs, `_TURN` days each, again and again."""
    _victims(lines, Role.HOLDER_ROTATING)
    clones = lines.at(Role.CLONE_ROTATING)
    days = world.calendar.days
    number = lines.number[clones]
    source = world.player(Role.HOLDER_ROTATING, number * ROTATION)
    copy_imei(world, lines, clones, source, np.full(len(clones), Label.CLONE_ROTATING))
    begun = lines.start[clones]
    radio = lines.radio[clones]
    for turn, first in enumerate(range(0, days, _TURN)):
        source = world.player(Role.HOLDER_ROTATING, number * ROTATION + turn % ROTATION)
        lines.add(clones, imei=world.numbering.imei(source), radio=radio,
                  start=np.maximum(begun, first), stop=np.minimum(first + _TURN, days))  # fmt: skip
    lines.stop[clones] = begun
