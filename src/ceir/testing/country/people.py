"""Ordinary life: people, their lines and devices, and circumstances that only look like wrongdoing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ceir.testing.country.draws import Flags, Ints
from ceir.testing.country.models import Purpose, Radio
from ceir.testing.country.spec import BLOCK, SIMS_A_LINE, Label, Story
from ceir.testing.country.uses import ALWAYS, Uses
from ceir.testing.country.world import (
    COMPANY,
    FLEET_RANGE,
    NATIONAL_ROAMER_RANGE,
    NOBODY,
    Role,
    Spare,
    World,
)

GROUP = 8
"""Neighbours among whom devices are shared and sold; a block holds whole groups."""

_PACES = ((30, 1.6), (40, 1.0), (30, 0.4))
"""Lines in a hundred and their activity against the mean."""
_MONTH_DAYS = 365.25 / 12
_LEAST_PACE = 1_300
_HOPPER_SIMS = 6
_TEST_SIMS = 4
_SECOND_SLOT_BODIES = 2
"""Of five 4G and 5G models: how many have two slots."""


@dataclass
class Lines:
    """The chunk's subscriptions while their story is being told; arrays are changed in place.

    Each line has one main use; what happens besides goes to `more`.
    """

    subscriber: Ints
    role: Ints
    number: Ints
    """Role number among those of the same role."""
    town: Ints
    operator: Ints
    person: Ints
    imsi: Ints
    msisdn: Ints
    pace: Ints
    device: Ints
    imei: Ints
    tac: Ints
    radio: Ints
    start: Ints
    stop: Ints
    label: Ints
    story: Ints
    holder: Flags
    showcase: Flags
    owns: Flags
    """The main device is the line's own and ordinary in the lists' eyes."""
    registered: Ints
    upgrades: Ints
    """First day of the line's second device; -1 if it never has one."""
    two_slots: Flags
    sims: Ints
    """SIMs that the line used."""
    sim_operator: Ints
    """Operator of the SIMs after the first."""
    paired: Flags
    """The owner of a copied IMEI, who may have it paired."""
    more: list[Uses]

    def at(self, role: Role) -> Ints:
        """Positions of a role."""
        return np.flatnonzero(self.role == role)

    @property
    def free(self) -> Flags:
        """Lines about which nothing has been told yet."""
        free: Flags = (self.role == Role.NONE) & (self.story == Story.ORDINARY) & ~self.paired
        return free

    def use(self, places: Ints | slice, **changes: ArrayLike) -> Uses:
        """The main use of some lines with changes; several changes make a further use."""
        columns: dict[str, ArrayLike] = {
            name: getattr(self, name)[places]
            for name in (
                "device", "imei", "imsi", "msisdn", "person", "operator", "town", "radio",
                "start", "stop", "pace", "label", "story", "holder", "showcase",
            )
        }  # fmt: skip
        return Uses.of(**{**columns, **changes})

    def add(self, places: Ints, **changes: ArrayLike) -> None:
        """Tells a further use."""
        self.more.append(self.use(places, **changes))


def pace_of(rows_a_month: float) -> list[int]:
    """Paces of the three kinds of lines for a mean number of active days a month."""
    share = rows_a_month / _MONTH_DAYS
    return [int(min(max(share * factor * 65_536, _LEAST_PACE), ALWAYS * 0.98)) for _, factor in _PACES]


def make_lines(world: World, low: int, high: int) -> Lines:
    """The subscriptions `low` .. `high`-1 with their owners and first devices."""
    draws, census, habits = world.draws, world.census, world.spec.habits
    s = np.arange(low, high)
    rank = world.role_order.of(s)
    role = np.searchsorted(census.roles, rank, side="right")
    role = np.where(role > max(Role), Role.NONE, role)
    number = np.where(role == Role.NONE, -1, rank - census.roles[np.maximum(role - 1, 0)])
    operator = world.operator(s)
    alone = (s % GROUP == 0) | ~draws.chance("second-line", s, habits.second_line)
    first = np.maximum.accumulate(np.where(alone, s, 0))
    paces = np.asarray(pace_of(world.spec.rows_per_subscriber_month))
    size = len(s)
    tac = world.numbering.tac_of(s)
    radio = world.catalogue.radio[tac]
    lines = Lines(
        subscriber=s,
        role=role,
        number=number,
        town=world.towns.of(s),
        operator=operator,
        person=first,
        imsi=world.imsi(operator, s),
        msisdn=world.msisdn(s),
        pace=paces[draws.pick("pace", s, [weight for weight, _ in _PACES])],
        device=s.copy(),
        imei=world.numbering.imei(s),
        tac=tac,
        radio=radio,
        start=np.zeros(size, dtype=np.int64),
        stop=np.full(size, world.calendar.days),
        label=np.full(size, Label.GENUINE, dtype=np.int64),
        story=np.full(size, Story.ORDINARY, dtype=np.int64),
        holder=np.ones(size, dtype=np.bool_),
        showcase=np.zeros(size, dtype=np.bool_),
        owns=np.ones(size, dtype=np.bool_),
        registered=np.ones(size, dtype=np.int64),
        upgrades=np.full(size, -1, dtype=np.int64),
        two_slots=(radio >= Radio.G4) & (draws.below("two-slots", s, 5) < _SECOND_SLOT_BODIES),
        sims=np.ones(size, dtype=np.int64),
        sim_operator=operator.copy(),
        paired=np.zeros(size, dtype=np.bool_),
        more=[],
    )
    _second_slots(world, lines, alone)
    return lines


def _second_slots(world: World, lines: Lines, alone: Flags) -> None:
    """Puts some people's second line into the second slot of the first line's device."""
    habits, draws = world.spec.habits, world.draws
    ordinary = lines.role == Role.NONE
    # The second of a run: not alone itself, and the one before is where the person begins.
    second = ~alone & np.roll(alone, 1) & ordinary & np.roll(ordinary, 1)
    places = np.flatnonzero(second & draws.chance("dual-sim", lines.subscriber, habits.dual_sim))
    one = draws.chance("dual-sim-one-imei", lines.subscriber[places], habits.dual_sim_one_imei)
    story = np.where(one, Story.DUAL_SIM_ONE_IMEI, Story.DUAL_SIM)
    for column in (lines.device, lines.imei, lines.tac, lines.radio):
        column[places] = column[places - 1]
    lines.imei[places] += ~one
    lines.owns[places] = False
    lines.two_slots[places - 1] = True
    lines.story[places] = lines.story[places - 1] = story
    if habits.other_name:
        other = places[draws.chance("other-name", lines.subscriber[places], habits.other_name)]
        lines.person[other] = lines.subscriber[other]
    habits_of_place = (habits.courier, habits.two_homes, habits.flyer)
    if any(habits_of_place):
        shared = places[one]
        ends = np.cumsum([int(share * 1_000_000) for share in habits_of_place])
        drawn = draws.below("moving-habit", lines.subscriber[shared], 1_000_000)
        kind = np.searchsorted(ends, drawn, side="right")
        for which, told in enumerate((Story.COURIER, Story.TWO_HOMES, Story.FLYER)):
            mover = shared[kind == which]
            lines.story[mover] = lines.story[mover - 1] = told


def tell_stories(world: World, lines: Lines) -> None:
    """Lets the lines that nothing is told about live: swap SIMs, buy, sell, share and repair devices."""
    _share_devices(world, lines)
    _sell_devices(world, lines)
    _change_sims(world, lines)
    _repair(world, lines)


def second_device(world: World, lines: Lines, places: Ints, day: Ints, **changes: ArrayLike) -> None:
    """Gives lines a device of their own from a day on."""
    s = lines.subscriber[places]
    device = world.census.subscribers + s
    lines.upgrades[places] = day
    radio = world.catalogue.radio[world.numbering.tac_of(device)]
    lines.add(places, device=device, imei=world.numbering.imei(device), radio=radio, start=day,
              stop=world.calendar.days, **changes)  # fmt: skip


def some_day(world: World, stream: str, index: Ints) -> Ints:
    """A day of the period, not among its very first and last."""
    days = world.calendar.days
    return days // 6 + world.draws.below(stream, index, days * 2 // 3)


def _groups(world: World, lines: Lines, stream: str, share: float) -> Ints:
    """Positions of the first lines of the groups that a story happens to."""
    heads = np.flatnonzero(
        (lines.subscriber % GROUP == 0) & (lines.subscriber + GROUP <= world.census.subscribers)
    )
    return heads[world.draws.chance(stream, lines.subscriber[heads] // GROUP, share)]


def _borrow(lines: Lines, places: Ints, owners: Ints, story: Story) -> None:
    for column in (lines.device, lines.imei, lines.tac, lines.radio):
        column[places] = column[owners]
    lines.owns[places] = False
    lines.story[places] = lines.story[owners] = story


def _share_devices(world: World, lines: Lines) -> None:
    habits = world.spec.habits
    heads = _groups(world, lines, "village", habits.village_phone)
    heads = heads[lines.free[heads]]
    members = (heads[:, None] + np.arange(1, GROUP)).ravel()
    owners = np.repeat(heads, GROUP - 1)
    free = lines.free[members]
    _borrow(lines, members[free], owners[free], Story.VILLAGE_PHONE)

    heads = _groups(world, lines, "family", habits.family_phone) + 1
    heads = heads[lines.free[heads] & lines.free[heads + 2]]
    _borrow(lines, heads + 2, heads, Story.FAMILY_PHONE)


def _sell_devices(world: World, lines: Lines) -> None:
    sellers = _groups(world, lines, "resale", world.spec.habits.resale) + 5
    buyers = sellers + 2
    both = lines.free[sellers] & lines.free[buyers]
    sellers, buyers = sellers[both], buyers[both]
    day = some_day(world, "resale-day", lines.subscriber[sellers])
    lines.story[sellers] = lines.story[buyers] = Story.RESALE
    lines.add(buyers, device=lines.device[sellers], imei=lines.imei[sellers], radio=lines.radio[sellers],
              start=day + 3, stop=world.calendar.days)  # fmt: skip
    lines.stop[buyers] = day + 2
    lines.stop[sellers] = day
    second_device(world, lines, sellers, day)


def _change_sims(world: World, lines: Lines) -> None:
    habits, draws, days = world.spec.habits, world.draws, world.calendar.days
    free = np.flatnonzero(lines.free)
    s = lines.subscriber[free]
    shares = (habits.sim_swap, habits.ported, habits.upgrade, habits.sim_hopper, habits.visiting)
    ends = np.cumsum([int(share * 1_000_000) for share in shares])
    kind = np.searchsorted(ends, draws.below("circumstance", s, 1_000_000), side="right")
    swap, ported, upgrade, hopper, visiting = (free[kind == which] for which in range(len(shares)))

    lines.story[swap], lines.story[ported] = Story.SIM_SWAP, Story.PORTED
    lines.sim_operator[ported] = _another_operator(world, lines, ported)
    changed = np.concatenate([swap, ported])
    day = some_day(world, "sim-day", lines.subscriber[changed])
    operator = lines.sim_operator[changed]
    lines.sims[changed] = 2
    imsi = world.imsi(operator, lines.subscriber[changed], 1)
    lines.add(changed, imsi=imsi, operator=operator, start=day, stop=days)
    lines.stop[changed] = day

    lines.story[upgrade] = Story.UPGRADE
    day = some_day(world, "upgrade-day", lines.subscriber[upgrade])
    lines.stop[upgrade] = day
    second_device(world, lines, upgrade, day)

    lines.story[hopper] = Story.SIM_HOPPER
    lines.sims[hopper] = _HOPPER_SIMS
    for sim in range(1, _HOPPER_SIMS):
        s = lines.subscriber[hopper]
        lines.add(hopper, imsi=world.imsi(lines.operator[hopper], s, sim), msisdn=world.msisdn(s, sim),
                  start=days * sim // _HOPPER_SIMS, stop=days * (sim + 1) // _HOPPER_SIMS)  # fmt: skip
    lines.stop[hopper] = days // _HOPPER_SIMS

    lines.story[visiting] = Story.VISITING
    day = some_day(world, "visit-day", lines.subscriber[visiting])
    lines.add(visiting, operator=_another_operator(world, lines, visiting), start=day, stop=day + 10)


def _another_operator(world: World, lines: Lines, places: Ints) -> Ints:
    count = len(world.spec.operators)
    step = 1 + world.draws.below("another-operator", lines.subscriber[places], max(1, count - 1))
    return (lines.operator[places] + step) % count


def _repair(world: World, lines: Lines) -> None:
    """Four test SIMs of a shop pass through the devices of the block, a day each."""
    benches = lines.at(Role.REPAIR_BENCH)
    lines.owns[benches] = False
    lines.stop[benches] = 0
    lines.sims[benches] = _TEST_SIMS
    lines.story[benches] = Story.REPAIR_BENCH
    customers = 4 * world.spec.months
    shop = np.repeat(benches, customers)
    visit = np.tile(np.arange(customers), len(benches))
    s = lines.subscriber[shop]
    customer = shop - s % BLOCK + (s + 1 + visit) % BLOCK
    inside = customer < len(lines.subscriber)
    shop, customer, s, visit = shop[inside], customer[inside], s[inside], visit[inside]
    usable = lines.free[customer] & lines.owns[customer]
    shop, customer, s, visit = shop[usable], customer[usable], s[usable], visit[usable]
    day = world.draws.below("repair-day", s * 1000 + visit, world.calendar.days)
    for sim in range(_TEST_SIMS):
        imsi = world.imsi(lines.operator[shop], s, sim)
        lines.add(shop, device=lines.device[customer], imei=lines.imei[customer], radio=lines.radio[customer],
                  imsi=imsi, msisdn=world.msisdn(s, sim), start=day, stop=day + 1,
                  pace=ALWAYS * 9 // 10)  # fmt: skip
    lines.story[np.unique(customer)] = Story.REPAIR_BENCH


def fleets(world: World, lines: Lines) -> None:
    """Makes the lines of fleets: devices of one TAC in a row, numbers in a row, little to say."""
    at = lines.at(Role.IOT)
    tacs = world.catalogue.positions(Purpose.IOT)
    size = max(1, world.spec.habits.fleet_size)
    fleet, member = np.divmod(lines.number[at], size)
    tac = tacs[fleet % len(tacs)]
    # Fleets are spread over the TACs; a TAC's fleets follow each other in its serial numbers.
    lines.imei[at] = world.numbering.sequential(tac, 100_000 + fleet // len(tacs) * size + member)
    lines.tac[at], lines.radio[at] = tac, world.catalogue.radio[tac]
    lines.operator[at] = world.draws.pick("fleet-operator", fleet, world.operator_weights)
    lines.sim_operator[at] = lines.operator[at]
    lines.imsi[at] = world.plmns[lines.operator[at]] * 10**10 + FLEET_RANGE + lines.number[at]
    lines.msisdn[at] = world.national(FLEET_RANGE + lines.number[at])
    lines.person[at] = COMPANY + fleet
    lines.pace[at] = np.maximum(lines.pace[at] * 3 // 10, _LEAST_PACE)
    lines.story[at] = Story.IOT_FLEET
    lines.two_slots[at] = False


def roamers(world: World, low: int, high: int) -> list[Uses]:
    """Visitors who come for some days, from abroad and from a network that is not configured."""
    draws, days = world.draws, world.calendar.days
    parts = []
    for kind, story in (
        (Spare.ROAMER_INTERNATIONAL, Story.ROAMER_INTERNATIONAL),
        (Spare.ROAMER_NATIONAL, Story.ROAMER_NATIONAL),
    ):
        index = world.census.within(world.census.spare_size(kind), low, high)
        device = world.census.spare(kind, index)
        if kind == Spare.ROAMER_INTERNATIONAL:
            home = draws.below("roamer-home", index, len(world.foreign))
            plmn = np.asarray([int(plmn) for plmn, _ in world.foreign])[home]
            country = np.asarray([int(code) for _, code in world.foreign])[home]
            msisdn = country * 10**9 + 600_000_000 + index
        else:
            plmn = np.full(len(index), int(world.spec.unconfigured_plmn))
            msisdn = world.national(NATIONAL_ROAMER_RANGE + index)
        stay = 3 + draws.below(f"{story.name}-stay", index, 12)
        arrival = draws.below(f"{story.name}-arrival", index, days)
        parts.append(
            Uses.of(
                device=device,
                imei=world.numbering.imei(device),
                imsi=plmn * 10**10 + 1_000_000_000 + index,
                msisdn=msisdn,
                person=NOBODY,
                operator=draws.pick(f"{story.name}-operator", index, world.operator_weights),
                town=draws.pick(f"{story.name}-town", index, [100 // (i + 1) for i in range(4)]),
                radio=world.catalogue.radio[world.numbering.tac_of(device)],
                start=arrival,
                stop=np.minimum(arrival + stay, days),
                pace=ALWAYS * 4 // 5,
                story=story,
            )
        )
    return parts


def sims_of(world: World, lines: Lines, places: Ints, sim: int) -> Ints:
    """IMSI of SIM number `sim` (1 .. 7) of lines that used it."""
    if not 0 < sim < SIMS_A_LINE:
        raise ValueError(f"a line has the SIMs 1 .. {SIMS_A_LINE - 1} besides its first")
    return world.imsi(lines.sim_operator[places], lines.subscriber[places], sim)
