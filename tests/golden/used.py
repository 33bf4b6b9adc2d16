"""Devices made for how they were used."""

from datetime import date
from itertools import product

from .country import (
    COVERED,
    DAYS,
    EACH,
    EVERYTHING,
    FIRST_DAY,
    FOREIGN,
    NATIONAL,
    OVERSEAS,
    RUNS,
    Country,
    Sim,
    before,
    counts_at,
    delivered_by,
    span,
)
from .crowds import SHARED, boxes, by_run, shared, sims

GSM, UMTS, LTE, NR, OTHER = 2, 4, 8, 16, 1
TECHNOLOGIES = {
    "001": UMTS,
    "002": GSM,
    "003": OTHER,
    "004": OTHER,
    "005": UMTS,
    "006": LTE,
    "007": OTHER,
    "008": LTE,
    "009": LTE,
    "010": NR,
    "101": LTE,
    "102": UMTS,
    "103": UMTS,
    "104": GSM,
    "105": LTE,
    "": 0,
    "002|006": GSM | LTE,
    "001|002|005": GSM | UMTS,
    "003|010": NR,
    "006|010": LTE | NR,
    "007|004|003": 0,
}
BANDS = {
    "GSM 900,GSM 1800": GSM,
    "gsm 850": GSM,
    "GPRS 900": GSM,
    "GSM 900,DCS 1800": GSM,
    "GSM 900,CAT": GSM,
    "EDGE 900": GSM,
    "BAND CLASS 0 CDMA 800": GSM,
    "CDMA 800": GSM,
    "CDMA2000 1X": UMTS,
    "EVDO REV A": UMTS,
    "WCDMA FDD Band I": UMTS,
    "GSM 900,HSDPA,HSUPA": GSM | UMTS,
    "TD-SCDMA,GSM 900": GSM | UMTS,
    "UMTS 2100": UMTS,
    "LTE FDD BAND 3": LTE,
    "WIMAX": LTE,
    "UMB": LTE,
    "GSM 900,CA_3A-7A": GSM | LTE,
    "DC_3A_n78A": LTE,
    "LTE FDD BAND 3,5G NR N78": LTE | NR,
    "NR N1": NR,
    "LTE FDD BAND 3,NR N78": LTE | NR,
    "LTE FDD BAND 3 NR N78": LTE | NR,
    "5G SA": NR,
    "GSM 900,WCDMA FDD Band I,LTE FDD BAND 3": GSM | UMTS | LTE,
    EVERYTHING: GSM | UMTS | LTE | NR,
    "WLAN": OTHER,
    "BLUETOOTH": OTHER,
    "Not Known": None,
    "900 MHz": None,
    "": None,
}
"""What models declare, and what they can then use; None: nobody can tell."""


def capability(c: Country) -> None:
    for (number, (bands, can)), (codes, seen) in product(enumerate(BANDS.items()), TECHNOLOGIES.items()):
        tac = f"3580{number:04d}"
        if codes == "001":
            c.model(tac, bands)
        exceeds = can is not None and bool(seen & ~OTHER & ~can)
        imei = c.proper(
            f"seen on {codes or 'nothing'}, its model declares {bands!r}",
            "impossible_technology" if exceeds else "",
            imei=c.of(tac),
            fates="NNB" if exceeds else "---",
        )
        c.see(imei, c.sim(), rat=codes)
    for copy in range(5):
        imei = c.proper(
            f"a 2G model seen on 4G from the second run on ({copy})",
            "",
            "impossible_technology",
            "impossible_technology",
            imei=c.of("35800000"),
            fates="-NN",
        )
        sim = c.sim()
        c.see(imei, sim, EACH[:1], rat="002")
        c.see(imei, sim, EACH[1:], rat="006")
        imei = c.proper(
            f"a 2G model seen once on 4G, long before all windows: that never ends ({copy})",
            "impossible_technology",
            imei=c.of("35800000"),
            fates="NNB",
        )
        c.see(imei, sim, (FIRST_DAY,), rat="006")


def malformed(c: Country) -> None:
    texts = [
        "A",
        "0F",
        "*",
        "#",
        "*#06#",
        "12",
        "123",
        "1234567",
        "12345678*",
        "1234567890123",
        "123456789012A",
        "ABCDEF0123456789",
        "*************",
        "1*2#3",
        "0000000",
        "35ABCDEF123456",
        "DEADBEEF",
        "00000000#",
    ]
    texts += [f"{n:013d}" for n in range(7_000_000_000_000, 7_000_000_000_090)]
    texts += [f"{n:X}" for n in range(0xABCDE000, 0xABCDE000 + 90)]
    texts += [f"3510000{n % 10}{'*' * (1 + n // 10)}{n:03d}" for n in range(40)]
    for number, text in enumerate(texts):
        written = text.lower() if number % 3 == 0 else text
        if number % 2:
            c.register(text)
            c.own(written)
            c.expect(text, f"malformed, registered and owned, reported as {written!r}", "malformed")
        else:
            c.expect(text, f"malformed, reported as {written!r}", "malformed not_registered not_associated")
        c.see(written, c.sim())
    c.see("ABBA", c.sim())
    c.see("abba", c.sim())
    c.see(" Abba ", c.sim())
    c.expect(
        "ABBA", "one malformed identity in three cases of letters", "malformed not_registered not_associated"
    )
    # rows that cannot be read leave no equipment behind
    sim = c.sim()
    for wrong in ("35100001-00001", "3510 0001 0000", "12345678901234567", "ÄÖÜ", "IMEI", "35100001,1"):
        c.see(wrong, sim)


def forms(c: Country) -> None:
    """The same 14 digits, however they are written."""
    for form in ("{}", "{}0", "{}00", "{}99", "{}F", "{}*", "{}#1", "  {}", "{}  ", " {}7 "):
        imei = c.proper(f"reported as {form.format('IMEI')!r}", "")
        c.see(form.format(imei), c.sim())
    imei = c.proper("reported in four forms, five subscribers of one person in all", SHARED)
    sims = [c.sim(uid="P-forms") for _ in range(5)]
    days = span(before(DAYS[1], 4), DAYS[1])
    for number, sim in enumerate(sims):
        c.see(imei + ("", "1", "23", "F", "*")[number], sim, days)


def fillers(c: Country) -> None:
    runs = {digit * 14 for digit in "0123456789"}
    runs |= {
        "".join(str((start + step * n) % 10) for n in range(14)) for start in range(10) for step in (1, -1)
    }
    for text in sorted(runs):
        c.used("a filler", "placeholder", imei=text)
    for text in ("00000000000001", "12345678901235", "98765432109875", "11111111111112", "13579135791357"):
        missing = "tac_not_allocated"
        early = "" if text.startswith("00") else missing  # that reporting body has 32 days
        why = "nearly a filler, and its TAC was given to nobody"
        c.used(why, early, missing, missing, imei=text, fates="NNB" if early else "-NN")
    c.used("all sevens, but one digit short", "malformed", imei="7" * 13)


def test_ranges(c: Country) -> None:
    inside = [f"0010{lab:02d}{type_:02d}" for lab in (1, 2, 9, 10, 17) for type_ in (0, 1, 99)]
    inside += [f"{start}{rest}" for start in ("0044", "0086", "0091") for rest in ("0000", "1234", "9999")]
    for tac in inside:
        c.used(f"TAC {tac} is a test range", "test_device", imei=c.of(tac))
        c.used(f"TAC {tac} is a test range; malformed besides", "malformed test_device", imei=f"{tac}*1")
    for tac in (
        "00100000",
        "00100099",
        "00101800",
        "00102000",
        "00430000",
        "00450000",
        "00850000",
        "00870000",
        "00900000",
        "00920000",
    ):
        c.used(
            f"TAC {tac} lies beside a test range",
            "",
            "tac_not_allocated",
            "tac_not_allocated",
            imei=c.of(tac),
            fates="-NN",
        )
    allocated = c.model("00440001")
    c.used("a test TAC that is on the TAC list", "test_device", imei=c.of(allocated))


def last_used(c: Country) -> None:
    """A single day of use, against the thirty days that some conditions look back."""
    around = sorted(
        {
            day
            for run in RUNS
            for edge in (DAYS[run], before(DAYS[run], 29))
            for day in span(before(edge, 8), before(edge, -8))
        }
        | set(span(FIRST_DAY, date(2025, 12, 10)))
    )
    kinds = (
        "unregistered",
        "pending",
        "not owned",
        "no person",
        "visitor",
        "overseas",
        "national",
        "short IMSI",
    )
    for day, kind in product((d for d in around if d <= COVERED[3]), kinds):
        home = [counts_at(run, day, 30) for run in RUNS]
        plmn = {"visitor": FOREIGN, "overseas": OVERSEAS, "national": NATIONAL}.get(kind, "")
        label = {
            "unregistered": "not_registered",
            "pending": "not_registered",
            "not owned": "not_associated",
            "no person": "unregistered_subscriber",
            "visitor": "visitors",
            "overseas": "visitors",
        }.get(kind, "")
        imei = c.phone()
        if kind in ("pending", "not owned", "no person"):
            c.register(imei, "pending" if kind == "pending" else "")
        if kind in ("unregistered", "pending", "no person"):
            c.own(imei)
        sim = c.sim(plmn, registered=kind != "no person")
        if kind == "short IMSI":
            sim = Sim(sim.imsi[:13], sim.msisdn)
        c.see(imei, sim, (day,))
        c.expect(imei, f"{kind}; used on {day} only", *by_run(label if inside else "" for inside in home))


def gaps(c: Country) -> None:
    """Rows with something missing."""
    for copy in range(10):
        imei = c.phone()
        sim = c.sim()
        c.see(imei, Sim("", sim.msisdn))
        c.expect(
            imei,
            f"never seen with an IMSI: nobody knows whether a subscriber of the country uses it ({copy})",
            "",
        )
        imei = c.phone()
        c.see(imei, Sim(sim.imsi, ""), rat="")
        c.expect(
            imei,
            f"seen without number and technology, unregistered ({copy})",
            "not_registered not_associated",
        )
        c.see("", sim)
        imei = c.proper(f"each of its rows stands twice ({copy})", "")
        c.see(imei, sim)
        c.see(imei, sim)


def mixed(c: Country) -> None:
    """Visitors beside people of the country."""
    for copy, at_home, away in product(range(8), RUNS, (FOREIGN, NATIONAL)):
        imei = c.phone()
        c.see(imei, c.sim(away))
        c.see(imei, c.sim(), (EACH[at_home - 1],))
        local = "not_registered not_associated"
        c.expect(
            imei,
            f"used from {away[:5]} each month, from home before run {at_home} ({copy})",
            *by_run(local if run == at_home else "visitors" if away == FOREIGN else "" for run in RUNS),
        )


def told(c: Country) -> None:
    """Who is told of a block to come."""
    networks = ("11101", "11103", NATIONAL, FOREIGN)
    reporters = (("operator1",), ("operator2",), ("operator1", "operator2"))
    for plmn, by, last in product(networks, reporters, (before(DAYS[1], 60), before(DAYS[1], 110))):
        sim = c.sim(plmn)
        imei = c.proper(
            f"will be blocked; used from {plmn}, seen by {', '.join(by)}, last on {last}",
            "tac_not_allocated",
            imei=c.of("35900002"),
            fates="NNB",
        )
        for operator in by:
            c.see(imei, sim, (last,), by=operator)
    for off, what in ((119, "first day"), (120, "day before the first")):
        imei = c.proper(
            f"will be blocked; seen on the {what} of the look-back",
            "tac_not_allocated",
            imei=c.of("35900002"),
            fates="NNB",
        )
        c.see(imei, c.sim(), (before(DAYS[1], off),))
    for imsi, msisdn in ((True, False), (False, True)):
        sim = c.sim()
        imei = c.proper(
            "will be blocked; seen without IMSI or without number, so nobody can be told",
            "tac_not_allocated",
            imei=c.of("35900002"),
            fates="NNB",
        )
        c.see(imei, Sim(sim.imsi if imsi else "", sim.msisdn if msisdn else ""), (before(DAYS[1], 40),))
    imei = c.proper(
        "will be blocked; the same subscriber with two numbers is told on both",
        "tac_not_allocated",
        imei=c.of("35900002"),
        fates="NNB",
    )
    sim = c.sim()
    c.see(imei, sim, (before(DAYS[1], 40),))
    c.see(imei, Sim(sim.imsi, "229999999999"), (before(DAYS[1], 41),))


def undone(c: Country) -> None:
    """One file was wrong, and is undone before the third run."""
    days = span(before(DAYS[2], 19), before(DAYS[2], 15))
    for copy in range(5):
        imei = c.of("44900002")
        c.see(imei, c.sim(), days, wrongly=True)
        c.expect(
            imei,
            f"only the wrong file knows it ({copy})",
            "",
            "tac_not_allocated not_registered not_associated",
            "",
            fates="-N-",
        )
        imei = c.proper(f"shared in the wrong file only: what sticks comes off ({copy})", "", SHARED, "")
        for sim in sims(c, 5, one_person=True):
            c.see(imei, sim, days, wrongly=True)
        imei = c.proper(f"shared before the first run, and in the wrong file too: it stays ({copy})", SHARED)
        for sim in sims(c, 5, one_person=True):
            c.see(imei, sim, span(before(DAYS[1], 4), DAYS[1]))
            c.see(imei, sim, days, wrongly=True)
        imei = c.proper(
            f"blocked from the first run's match on, whatever the wrong file said ({copy})",
            "tac_not_allocated",
            imei=c.of("44900002"),
            fates="NNB",
        )
        c.see(imei, c.sim(), EACH)
        c.see(imei, c.sim(), days, wrongly=True)
        imei = c.proper(
            f"a match of the second run that the wrong file had a part in: it starts anew ({copy})",
            "",
            "tac_not_allocated",
            "tac_not_allocated",
            imei=c.of("44900002"),
            fates="-NN",
        )
        c.see(imei, c.sim(), EACH[1:])
        c.see(imei, c.sim(), days, wrongly=True)
        imei = c.used(f"a phone that the wrong file mentions too ({copy})", "")
        c.see(imei, c.sim(), days, wrongly=True)
        imei = c.proper(
            f"a 2G model seen on 4G in the wrong file only ({copy})",
            "",
            "impossible_technology",
            "",
            imei=c.of("35800000"),
            fates="-N-",
        )
        sim = c.sim()
        c.see(imei, sim, EACH, rat="002")
        c.see(imei, sim, days, rat="006", wrongly=True)


def ordinary(c: Country, total: int) -> None:
    """Everyday life, until the country has so many devices."""
    all_days = span(FIRST_DAY, COVERED[3])
    kinds = ("sold", "new SIM", "two SIMs", "a week", "monthly", "abroad for a while", "unused")
    while len(c.reasons) < total:
        turn = c.turn()
        kind, day = kinds[turn % len(kinds)], all_days[turn * 7 % (len(all_days) - 40) + 20]
        imei = c.proper(f"nothing is wrong with it: {kind}, around {day}", "")
        first = c.sim()
        match kind:
            case "sold":
                c.see(imei, first, [d for d in (before(day, 15), before(day, 2)) if d >= FIRST_DAY])
                c.see(imei, c.sim(), (day, before(day, -16)))
            case "new SIM":
                second = Sim(c.sim().imsi, first.msisdn)
                c.see(imei, first, (before(day, 9),))
                c.see(imei, second, (day, before(day, -9)))
            case "two SIMs":
                for sim in (first, c.sim(uid=f"P-{int(first.msisdn[2:]):06d}")):
                    c.see(imei, sim, (before(day, 3), day, before(day, -3)))
            case "a week":
                c.see(imei, first, span(before(day, 3), before(day, -3)), rat="006|010")
            case "monthly":
                c.see(imei, first, EACH, by="operator2", rat="001")
            case "abroad for a while":
                c.see(imei, first, EACH)
                c.see(imei, c.sim(FOREIGN), (day,))
            case "unused":
                pass


ALL = (
    capability,
    malformed,
    forms,
    fillers,
    test_ranges,
    last_used,
    shared,
    boxes,
    gaps,
    mixed,
    told,
    undone,
)

assert all(delivered_by(run, DAYS[run]) for run in RUNS)
