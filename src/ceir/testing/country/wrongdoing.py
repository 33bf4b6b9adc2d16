"""Wrongdoing: what each role does, told on the chunk's lines; its traces in the lists are in `lists.py`."""

import numpy as np

from ceir.testing.country.copying import copy_imei, copy_in_other_ways
from ceir.testing.country.draws import Ints
from ceir.testing.country.models import Purpose, Radio
from ceir.testing.country.people import Lines, second_device, some_day
from ceir.testing.country.spec import Label
from ceir.testing.country.uses import ALWAYS, Uses
from ceir.testing.country.world import BOX_OWNER, NOBODY, SIM_BOX_RANGE, Role, Spare, World

PLACEHOLDERS = (0, 99_999_999_999_999, 12_345_678_901_234)
_PLACEHOLDER_WEIGHTS = (60, 30, 10)

SHOWCASE = 20
"""Clones of each kind whose sightings are always written."""

_NEIGHBOUR = 4
"""A same-town clone and its twin are this bit of the subscriber number apart."""

_TEST_TACS = (100_123, 100_245, 101_012, 101_733, 440_011, 860_002, 910_021)
_BOX_LEAST, _BOX_RANGE = 4, 17

# Days between the theft and the next owner, and how far back before the first day thefts may lie.
_RESALE_DELAY, _LONGEST_AGO = 10, 90


def do_wrong(world: World, lines: Lines) -> None:
    """Gives each line with a role its device, label and days."""
    _copies(world, lines)
    _near_copies(world, lines)
    copy_in_other_ways(world, lines)
    _made_up(world, lines)
    _stolen(world, lines)
    _own_devices(world, lines)
    _listed_models(world, lines)
    if world.spec.movement:
        lines.showcase |= lines.paired | (lines.label == Label.CLONE_FAR)
        lines.showcase |= np.isin(lines.role, (Role.HOLDER_FAR, Role.HOLDER_CLUSTER))


def day_of_theft(world: World, number: Ints) -> Ints:
    """When the device of role number `number` was stolen; negative before the first day."""
    span = max(1, _LONGEST_AGO + world.calendar.days - 15)
    return world.draws.below("theft", number, span) - _LONGEST_AGO


def day_of_new_owner(world: World, number: Ints) -> Ints:
    """When a stolen device is first used by somebody else; within the period."""
    later = day_of_theft(world, number) + 1 + world.draws.below("fence", number, _RESALE_DELAY)
    day: Ints = np.clip(later, 0, world.calendar.days - 1)
    return day


def cluster_of(world: World, member: Ints) -> Ints:
    """The cluster of each member."""
    return np.searchsorted(world.census.cluster_ends, member, side="right").astype(np.int64)


def cluster_source(world: World, cluster: Ints) -> Ints:
    """The device whose IMEI a cluster copies: somebody's, or one that is gone."""
    live = world.census.live_clusters
    alive = cluster < live
    source = np.empty(len(cluster), dtype=np.int64)
    source[alive] = world.player(Role.HOLDER_CLUSTER, cluster[alive])
    source[~alive] = world.census.spare(Spare.DEAD_SOURCE, cluster[~alive] - live)
    return source


def sim_boxes(world: World, low: int, high: int) -> list[Uses]:
    """Gateways that put calls through many SIMs: numbers in equal steps, one operator, nearly each day."""
    draws, days = world.draws, world.calendar.days
    boxes = world.census.within(world.census.spare_size(Spare.SIM_BOX), low, high)
    sims = _BOX_LEAST + draws.below("box-sims", boxes, _BOX_RANGE)
    box = np.repeat(boxes, sims)
    if not box.size:
        return []
    place = np.arange(len(box)) - np.repeat(np.cumsum(sims) - sims, sims)
    operator = draws.pick("box-operator", box, world.operator_weights)
    number = SIM_BOX_RANGE + box * 1000 + place
    step = 1 + draws.below("box-step", box, 9)
    device = world.census.spare(Spare.SIM_BOX, box)
    late = draws.chance("box-late", box, 0.5)
    start = np.where(late, draws.below("box-start", box, max(1, days // 3)), 0)
    return [
        Uses.of(
            device=device,
            imei=box_imei(world, box),
            imsi=world.plmns[operator] * 10**10 + number,
            msisdn=world.national(SIM_BOX_RANGE + box * 1000 + place * step),
            person=np.where(box_is_registered(world, box), BOX_OWNER + box, NOBODY),
            operator=operator,
            town=draws.below("box-town", box, len(world.towns.names)),
            radio=Radio.G3,
            start=start,
            stop=days,
            pace=ALWAYS * 95 // 100,
            label=Label.SIM_BOX,
            holder=False,
        )
    ]


def box_imei(world: World, box: Ints) -> Ints:
    """The IMEI that a SIM box pretends: that of some phone."""
    return world.numbering.imei(world.census.spare(Spare.SIM_BOX, box))


def box_is_registered(world: World, box: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The SIMs of half of the boxes are registered on a straw man."""
    return world.draws.chance("box-registered", box, 0.5)


def _copies(world: World, lines: Lines) -> None:
    far = lines.at(Role.CLONE_FAR)
    source = world.player(Role.HOLDER_FAR, lines.number[far])
    # Where chance puts both into one town, the pair counts as near.
    label = np.where(world.towns.of(source) == lines.town[far], Label.CLONE_NEAR, Label.CLONE_FAR)
    copy_imei(world, lines, far, source, label)
    lines.showcase[far] = lines.number[far] < SHOWCASE
    holders = lines.at(Role.HOLDER_FAR)
    lines.showcase[holders] = lines.number[holders] < SHOWCASE
    lines.paired[holders] = lines.paired[lines.at(Role.HOLDER_CLUSTER)] = True

    members = lines.at(Role.CLONE_CLUSTER)
    source = cluster_source(world, cluster_of(world, lines.number[members]))
    copy_imei(world, lines, members, source, np.full(len(members), Label.CLONE_CLUSTER))


def _near_copies(world: World, lines: Lines) -> None:
    clones = lines.at(Role.CLONE_NEAR)
    twins = clones + np.where(lines.subscriber[clones] & _NEIGHBOUR, -_NEIGHBOUR, _NEIGHBOUR)
    there = twins < len(lines.subscriber)
    there[there] &= (lines.role[twins[there]] == Role.NONE) & lines.owns[twins[there]]
    # A clone without a suitable neighbour stays an honest subscriber.
    lines.role[clones[~there]] = Role.NONE
    clones, twins = clones[there], twins[there]
    copy_imei(world, lines, clones, lines.subscriber[twins], np.full(len(clones), Label.CLONE_NEAR))
    lines.paired[twins] = True
    lines.showcase[clones] = lines.showcase[twins] = lines.number[clones] < SHOWCASE


def _not_its_own(lines: Lines, places: Ints, imei: Ints, label: Label, radio: Radio | None = None) -> None:
    lines.imei[places] = imei
    lines.label[places] = label
    lines.holder[places] = lines.owns[places] = False
    if radio is not None:
        lines.radio[places] = radio


def _made_up(world: World, lines: Lines) -> None:
    """IMEIs that nobody allocated to a device."""
    draws, catalogue = world.draws, world.catalogue
    at = lines.at(Role.PLACEHOLDER)
    # By number and not by chance, so that even the smallest country has the commonest one.
    which = np.searchsorted(np.cumsum(_PLACEHOLDER_WEIGHTS), lines.number[at] * 37 % 100, side="right")
    _not_its_own(lines, at, np.asarray(PLACEHOLDERS)[which], Label.PLACEHOLDER, Radio.G3)

    at = lines.at(Role.MALFORMED)
    _not_its_own(lines, at, -1 - lines.number[at], Label.MALFORMED, Radio.G3)

    at = lines.at(Role.TEST_TAC)
    tac, serial = np.asarray(_TEST_TACS), draws.permutation("test-serial", 10**6).of(lines.number[at] % 10**6)
    _not_its_own(lines, at, tac[lines.number[at] % len(tac)] * 10**6 + serial, Label.TEST_TAC, Radio.G4)

    at = lines.at(Role.UNALLOCATED_TAC)
    place, pool = np.divmod(lines.number[at], len(catalogue.unallocated))
    serial = draws.permutation("unallocated-serial", 10**6).of(place % 10**6)
    _not_its_own(lines, at, catalogue.unallocated[pool] * 10**6 + serial, Label.UNALLOCATED_TAC, Radio.G4)

    at = lines.at(Role.RAT_MISMATCH)
    poor = catalogue.plain_2g()
    place, pool = np.divmod(lines.number[at], len(poor))
    _not_its_own(lines, at, world.numbering.special(poor[pool], place), Label.RAT_MISMATCH, Radio.G4)
    lines.tac[at] = poor[pool]

    at = lines.at(Role.OEM_ERROR)
    device = world.census.spare(Spare.OEM_ERROR, lines.number[at] % world.census.oem_errors)
    tac = world.numbering.tac_of(device)
    _not_its_own(lines, at, world.numbering.imei(device), Label.OEM_ERROR)
    lines.radio[at], lines.holder[at] = catalogue.radio[tac], True


def _stolen(world: World, lines: Lines) -> None:
    robbed = lines.at(Role.ROBBED)
    theft = day_of_theft(world, lines.number[robbed])
    second_device(world, lines, robbed, np.clip(theft + 2, 0, world.calendar.days))
    lines.stop[robbed] = np.maximum(theft, 0)

    buyers = lines.at(Role.STOLEN)
    source = world.player(Role.ROBBED, lines.number[buyers])
    day = day_of_new_owner(world, lines.number[buyers])
    lines.add(buyers, stop=day)
    lines.start[buyers] = day
    lines.device[buyers] = source
    lines.imei[buyers] = world.numbering.imei(source)
    lines.radio[buyers] = world.catalogue.radio[world.numbering.tac_of(source)]
    lines.label[buyers] = Label.STOLEN


def _own_devices(world: World, lines: Lines) -> None:
    """Devices with an IMEI of their own that should not be in use, or not yet."""
    for role, label, registered in (
        (Role.STOLEN_FOREIGN, Label.STOLEN_FOREIGN, 0),
        (Role.UNREGISTERED, Label.UNREGISTERED, 0),
        (Role.PRE_RELEASE, Label.PRE_RELEASE, 0),
        (Role.BARRED, Label.BARRED, 1),
    ):
        at = lines.at(role)
        lines.label[at], lines.registered[at] = label, registered
    at = lines.at(Role.UNREGISTERED)
    lines.registered[at] = np.where(world.draws.chance("pending", lines.subscriber[at], 0.1), 2, 0)
    at = lines.at(Role.PRE_RELEASE)
    lines.start[at] = some_day(world, "pre-release", lines.subscriber[at]) * 2 // 3


def _listed_models(world: World, lines: Lines) -> None:
    """Devices of models that nobody may use, registered before that was known or not at all."""
    for role, label, purpose, registered in (
        (Role.BARRED_TAC, Label.BARRED_TAC, Purpose.BARRED, 1),
        (Role.NOT_TYPE_APPROVED, Label.NOT_TYPE_APPROVED, Purpose.UNCERTIFIED, 0),
    ):
        at = lines.at(role)
        tacs = world.catalogue.positions(purpose)
        place, which = np.divmod(lines.number[at], len(tacs))
        lines.tac[at], lines.radio[at] = tacs[which], world.catalogue.radio[tacs[which]]
        lines.imei[at] = world.numbering.special(tacs[which], place)
        lines.label[at], lines.registered[at] = label, registered
        lines.two_slots[at] = False
