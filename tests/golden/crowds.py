"""Devices made for who used them together: crowds, windows, boxes."""

from collections.abc import Iterable
from datetime import date
from itertools import product

from .country import (
    DAYS,
    EACH,
    RUNS,
    Country,
    Sim,
    before,
    span,
)

SHARED, PERSONS = "shared_identity", "shared_by_persons"


def by_run(labels: Iterable[str]) -> tuple[str, str, str]:
    one, two, three = labels
    return one, two, three


def several(
    c: Country, why: str, uses: dict[Sim, list[date]], *conditions: str, by: dict[Sim, str] | None = None
) -> str:
    """A phone used by several subscribers."""
    imei = c.proper(why, *conditions)
    for sim, days in uses.items():
        c.see(imei, sim, days, by=(by or {}).get(sim))
    return imei


def sims(c: Country, number: int, *, one_person: bool) -> list[Sim]:
    uid = f"P-{c.turn()}-several" if one_person else None
    return [c.sim(uid=uid) for _ in range(number)]


def shared(c: Country) -> None:
    """Thresholds and windows of the trial on shared identities, and of the one that counts persons."""
    for number, length, one, run in product(
        (1, 2, 3, 4, 5, 6, 9, 10, 11), (1, 3, 4, 5, 6, 7), (True, False), RUNS
    ):
        days = span(before(DAYS[run], length - 1), DAYS[run])
        every = number >= 5 and length >= 5
        persons = number >= 2 and length >= 5 and not one
        whose = "of one person" if one else "of as many persons"
        several(
            c,
            f"{number} subscribers {whose}, all on each of the {length} days up to run {run}",
            dict.fromkeys(sims(c, number, one_person=one), days),
            *by_run(
                f"{SHARED if every and r >= run else ''} {PERSONS if persons and r == run else ''}"
                for r in RUNS
            ),
        )
    for length, more, one in product(range(5, 13), (-1, 0, 1), (True, False)):
        total = 2 * length + more
        days = span(before(DAYS[1], length - 1), DAYS[1])
        uses: dict[Sim, list[date]] = {}
        all_five = sims(c, 5, one_person=one)
        for turn in range(total):
            uses.setdefault(all_five[turn % 5], []).append(days[turn * length // total])
        first = f"{SHARED} {'' if one else PERSONS}" if more >= 0 else ""
        several(
            c,
            f"five subscribers, {total} subscriber days on {length} days: the average "
            f"{'is' if more >= 0 else 'is not'} two",
            uses,
            first,
            SHARED if more >= 0 else "",
            SHARED if more >= 0 else "",
        )
    shared_windows(c)
    shared_subscribers(c)


def shared_windows(c: Country) -> None:
    for copy, (off, good) in product(range(4), ((29, True), (30, False), (60, False))):
        days = [before(DAYS[1], off), *span(before(DAYS[1], 3), DAYS[1])]
        several(
            c,
            f"the fifth day of use is {off} days before the run; thirty days count ({copy})",
            dict.fromkeys(sims(c, 5, one_person=True), days),
            SHARED if good else "",
        )
    for copy, (off, good) in product(range(4), ((119, True), (120, False), (40, True), (-1, False))):
        days = span(before(DAYS[1], 4), DAYS[1])
        *four, fifth = sims(c, 5, one_person=True)
        several(
            c,
            f"the fifth subscriber was seen {off} days before the run only; 120 days count ({copy})",
            {**dict.fromkeys(four, days), fifth: [before(DAYS[1], off)]},
            SHARED if good else "",
        )
    for copy in range(4):
        days = span(before(DAYS[1], 3), before(DAYS[1], -1))
        several(
            c,
            f"the fifth day is the day after the run ({copy})",
            dict.fromkeys(sims(c, 5, one_person=True), days),
            "",
        )
        days = span(before(DAYS[2], 30), before(DAYS[2], 26))
        several(
            c,
            f"five days across the end of a month, one before the second run's window ({copy})",
            dict.fromkeys(sims(c, 5, one_person=True), days),
            "",
        )
        days = span(before(DAYS[2], 29), before(DAYS[2], 25))
        several(
            c,
            f"five days from the first day of the second run's window, the end of a month ({copy})",
            dict.fromkeys(sims(c, 5, one_person=True), days),
            "",
            SHARED,
            SHARED,
        )
        days = span(before(DAYS[1], 4), DAYS[1]) + span(before(DAYS[3], 4), DAYS[3])
        two = dict.fromkeys(sims(c, 2, one_person=False), days)
        several(
            c,
            f"two persons before the first and the third run: it comes anew ({copy})",
            two,
            PERSONS,
            "",
            PERSONS,
        )


def shared_subscribers(c: Country) -> None:
    days = span(before(DAYS[1], 4), DAYS[1])
    for copy in range(4):
        *four, fifth = sims(c, 5, one_person=True)
        for text, good in (
            (fifth.imsi[:14], True),
            (fifth.imsi[:13], False),
            ("", False),
            (four[0].imsi, False),
        ):
            other = Sim(text, fifth.msisdn)
            if good:
                c.entry("subscribers", f"P-14-digits,{text}")
            several(
                c,
                f"four subscribers and an IMSI of {len(text)} digits, {text[:5]}... ({copy})",
                {**dict.fromkeys(four, days), other: days},
                f"{SHARED} {PERSONS}" if good else "",
                SHARED if good else "",
                SHARED if good else "",
            )
        lead = [Sim(f"{n:015d}", f"2299000000{n}") for n in range(1, 4)] + [
            Sim(f"{n:014d}", "") for n in (1, 2)
        ]
        several(
            c,
            f"IMSIs that differ in leading zeros only are different ({copy})",
            dict.fromkeys(lead, days),
            *(f"{SHARED} visitors", SHARED, SHARED),
        )
        one = c.sim()
        numbers = [Sim(one.imsi, f"2288000{copy}{n:05d}") for n in range(6)]
        several(c, f"one IMSI with six numbers is one subscriber ({copy})", dict.fromkeys(numbers, days), "")
        two = c.sim(), c.sim()
        imei = several(
            c,
            f"two subscribers, each reported by two operators the same days ({copy})",
            dict.fromkeys(two, days),
            PERSONS,
            "",
            "",
        )
        for sim in two:
            c.see(imei, sim, days, by="operator4")
        imei = c.proper(f"one subscriber reported by all operators the same days ({copy})", "")
        sim = c.sim()
        for operator in ("operator1", "operator2", "operator3", "operator4"):
            c.see(imei, sim, days, by=operator)
        sim = c.sim(uid=f"P-{copy}-wife")
        c.entry("subscribers", f"P-{copy}-husband,{sim.imsi}")
        several(c, f"one subscription of two persons ({copy})", {sim: days}, PERSONS, "", "")
        first, second = c.sim(), c.sim()
        nobody = c.sim(registered=False)
        several(
            c,
            f"two persons on five days; on ten others a subscription of nobody, which counts no day ({copy})",
            {first: days, second: days, nobody: span(before(DAYS[1], 15), before(DAYS[1], 6))},
            f"{PERSONS} unregistered_subscriber",
            "",
            "",
        )
        third = c.sim()
        several(
            c,
            f"two persons on five days and one of them on one more: less than two a day ({copy})",
            {first: days, third: [before(DAYS[1], 5), *days]},
            "",
        )
        late = c.sim(registered=False)
        c.entry("subscribers", f"P-{copy}-late,{late.imsi}", (2, 3))
        several(
            c,
            f"its subscription is registered before the second run ({copy})",
            {late: list(EACH)},
            "unregistered_subscriber",
            "",
            "",
        )
        gone = c.sim(registered=False)
        c.entry("subscribers", f"P-{copy}-gone,{gone.imsi}", (1, 2))
        several(
            c,
            f"its subscription leaves the register before the third run ({copy})",
            {gone: list(EACH)},
            "",
            "",
            "unregistered_subscriber",
        )


def boxes(c: Country) -> None:
    month = span(before(DAYS[1], 29), DAYS[1])

    def box(why: str, numbers: list[str], days: list[date], label: str, *, twice: bool = False) -> None:
        imei = c.proper(why, label, "", "")
        sim = c.sim("11101")
        for number in numbers:
            c.see(imei, Sim(sim.imsi, number), days)
        if twice:
            c.see(imei, sim, days[:1], by="operator2")

    for copy in range(2):
        start = 22_5000_000_000 + 1_000_000 * c.turn()
        box(
            f"five numbers, one apart, on thirty days ({copy})",
            [f"{start + n}" for n in range(5)],
            month,
            "sim_box",
        )
        box(
            f"six numbers, seven apart, on 25 days ({copy})",
            [f"{start + 7 * n}" for n in range(6)],
            month[5:],
            "sim_box",
        )
        box(
            f"five numbers on 29 days: under five a day ({copy})",
            [f"{start + n}" for n in range(5)],
            month[1:],
            "",
        )
        box(f"five numbers, unevenly apart ({copy})", [f"{start + n * n}" for n in range(5)], month, "")
        box(
            f"five numbers at two operators ({copy})",
            [f"{start + n}" for n in range(5)],
            month,
            "",
            twice=True,
        )
        box(
            f"five numbers of six digits, which is too short ({copy})",
            [f"{100_000 + n}" for n in range(5)],
            month,
            "",
        )
        box(
            f"five numbers of seven digits ({copy})", [f"{1_000_000 + n}" for n in range(5)], month, "sim_box"
        )
        box(f"five numbers with leading zeros ({copy})", [f"{n:010d}" for n in range(1, 6)], month, "sim_box")
        across = [f"{9_999_998 + n}" for n in range(5)]
        box(f"five numbers, one apart, from seven digits to eight ({copy})", across, month, "sim_box")
        imei = c.proper(f"thirty numbers in steps, five of them on each day ({copy})", "sim_box", "", "")
        sim = c.sim("11101")
        for day, n in product(range(30), range(5)):
            c.see(imei, Sim(sim.imsi, f"{start + 3 * ((day * 5 + n) % 30)}"), (month[day],))
