"""Devices made for what lists say of them."""

from hashlib import md5
from itertools import product

from .country import COVERED, DAYS, EACH, FOREIGN, NATIONAL, PHONES, RUNS, Country, before

SUBSETS = ((1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3))
"""The runs at which something may be on a list."""


def on(label: str, runs: tuple[int, ...]) -> tuple[str, str, str]:
    """The label at these runs."""
    one, two, three = (label if run in runs else "" for run in RUNS)
    return one, two, three


def fates(runs: tuple[int, ...], grace: int) -> str:
    """Notified until the grace since the runs began is over: worked out from the three days alone."""
    told = ""
    began = None
    for run in RUNS:
        if run not in runs:
            began, fate = None, "-"
        else:
            began = began or run
            fate = "B" if (DAYS[run] - DAYS[began]).days >= grace else "N"
        told += fate
    return told


def stolen(c: Country) -> None:
    for copy, runs, seen in product(range(12), SUBSETS, (True, False)):
        imei = c.phone()
        for run in RUNS:
            if run in runs:
                c.entry("stolen", f"{imei},202601{copy + 1:02d},", (run,))
        state = "seen" if seen else "never seen"
        why = f"on the stolen list at runs {runs}, {state}: each return starts anew, nothing to wait for"
        make = c.used if seen else c.proper
        make(why, *on("stolen", runs), imei=imei, fates=fates(runs, 0))
    for status in ("blacklist", "BLACKLIST", "Blacklist", " blacklist "):
        imei = c.used(f"stolen, status {status!r} is in force", "stolen", fates="BBB")
        c.entry("stolen", f"{imei},20260110,{status}")
    for copy, status, seen in product(
        range(12), ("pending", "Pending", "recovered", "withdrawn"), (True, False)
    ):
        imei = (c.used if seen else c.proper)(f"stolen list {copy}, status {status!r} is not in force", "")
        c.entry("stolen", f"{imei},20260110,{status}")
    for status in ("lost", "gestohlen", "1"):
        imei = c.used(f"stolen, status {status!r} is no status: the row is set apart", "")
        c.entry("stolen", f"{imei},20260110,{status}")
    for when in ("", "2026-01-10", "19700101"):
        imei = c.used(f"stolen, reported on {when!r}", "stolen", fates="BBB")
        c.entry("stolen", f"{imei},{when},")
    for when in ("20261301", "tomorrow", "19691231"):
        imei = c.used(f"stolen, reported on {when!r}, which is no day: the row is set apart", "")
        c.entry("stolen", f"{imei},{when},")
    for form in ("{}0", "{}7", "{}12", "  {}", "{}  ", "{}F", "{}##"):
        imei = c.used(f"stolen, listed as {form.format('IMEI')!r}: the same equipment", "stolen", fates="BBB")
        c.entry("stolen", f"{form.format(imei)},20260110,")
    for text in ("AB12", "ab13", "3510000100000", "*#07#", "00"):
        c.expect(
            text.upper(),
            f"a malformed identity on the stolen list as {text!r}, never seen",
            "stolen",
            fates="BBB",
        )
        c.entry("stolen", f"{text},20260110,")
    imei = c.used(
        "recovered at the second run, stolen again at the third", "stolen", "", "stolen", fates="B-B"
    )
    c.entry("stolen", f"{imei},20260110,blacklist", (1,))
    c.entry("stolen", f"{imei},20260110,recovered", (2,))
    c.entry("stolen", f"{imei},20260520,", (3,))
    for seen in (True, False):
        imei = (c.used if seen else c.proper)(
            "stolen here and abroad: blocked at once, both reasons told", "stolen stolen_abroad", fates="BBB"
        )
        c.entry("stolen", f"{imei},20260110,")
        c.entry("stolen-foreign", f"{imei},20260110,,XX")


def abroad_and_barred(c: Country) -> None:
    for copy, runs, seen in product(range(8), SUBSETS, (True, False)):
        state = "seen" if seen else "never seen"
        make = c.used if seen else c.proper
        imei = make(
            f"stolen abroad at runs {runs}, {state}: ten days of grace each time it comes anew ({copy})",
            *on("stolen_abroad", runs),
            fates=fates(runs, 10),
        )
        c.entry("stolen-foreign", f"{imei},20260101,,XX", runs)
        imei = make(
            f"barred at runs {runs}, {state}: ten days of grace each time it comes anew ({copy})",
            *on("barred", runs),
            fates=fates(runs, 10),
        )
        c.entry("barred", imei, runs)
    for runs in SUBSETS:
        tac = c.model(f"3540{sum(1 << r for r in runs):04d}")
        c.entry("barred-tacs", tac, runs)
        for copy in range(8):
            c.used(
                f"a model barred at runs {runs}: 75 days of grace end with the third run ({copy})",
                *on("barred_model", runs),
                imei=c.of(tac),
                fates=fates(runs, 75),
            )
        c.proper(f"a model barred at runs {runs}, the device never seen", "", imei=c.of(tac))
        c.used(
            f"13 digits of a model barred at runs {runs}",
            *(f"malformed {label}" for label in on("barred_model", runs)),
            imei=f"{tac}00001",
            fates=fates(runs, 75),
        )


def watched(c: Country) -> None:
    for copy, runs, seen in product(range(15), SUBSETS, (True, False)):
        state = "seen" if seen else "never seen, so nothing to watch"
        expected = on("watched", runs) if seen else ("", "", "")
        imei = (c.used if seen else c.proper)(f"monitored at runs {runs}, {state} ({copy})", *expected)
        c.entry("monitored", imei, runs)


def imported(c: Country) -> None:
    for copy, ahead in product(range(8), range(-10, 11)):
        first = before(DAYS[1], 20)
        label = "early_import" if ahead > 0 else ""
        imei = c.proper(f"seen {ahead} days before the release of its import ({copy})", label)
        c.see(imei, c.sim(), (first, *EACH))
        released = before(first, -ahead)
        c.entry("imports", f"{imei},C-1,Importer,20260101,{released:%Y%m%d}")
    for copy in range(10):
        imei = c.used(f"imported, not released ({copy})", "early_import")
        c.entry("imports", f"{imei},C-2,Importer,20260101,")
        imei = c.proper(f"imported, not released, never seen ({copy})", "")
        c.entry("imports", f"{imei},C-2,Importer,20260101,")
        imei = c.used(
            f"not released at first, then for a day before it was seen ({copy})", "early_import", "", ""
        )
        c.entry("imports", f"{imei},C-3,Importer,20260101,", (1,))
        c.entry("imports", f"{imei},C-3,Importer,20260101,20260301", (2, 3))
        imei = c.used(f"not released at first, then for a day after it was seen ({copy})", "early_import")
        c.entry("imports", f"{imei},C-3,Importer,20260101,", (1,))
        c.entry("imports", f"{imei},C-3,Importer,20260101,20260415", (2, 3))
        imei = c.used(
            f"on the import list from the second run on ({copy})", "", "early_import", "early_import"
        )
        c.entry("imports", f"{imei},C-4,Importer,,", (2, 3))


def approved(c: Country) -> None:
    around = (
        None,
        before(DAYS[1], 1),
        DAYS[1],
        before(DAYS[1], -1),
        DAYS[2],
        before(DAYS[2], -1),
        DAYS[3],
        before(DAYS[3], -1),
    )
    for number, (start, end) in enumerate(product(around, around)):
        tac = c.model(f"3550{number:04d}", approved=False)
        dates = ",".join(f"{d:%Y%m%d}" if d else "" for d in (start, end))
        c.entry("type-approvals", f"{tac},TA-{number},Holder,Model,,{dates}")
        inside = [(start or DAYS[r]) <= DAYS[r] <= (end or DAYS[r]) for r in RUNS]
        expected = ["" if good else "not_type_approved" for good in inside]
        for copy in range(4):
            c.used(f"type approval from {start} until {end} ({copy})", *expected, imei=c.of(tac))
    for number, (status, good) in enumerate(
        {
            "valid": True,
            "VALID": True,
            "": True,
            "suspended": False,
            "withdrawn": False,
            "Withdrawn": False,
        }.items()
    ):
        tac = c.model(f"3551{number:04d}", approved=False)
        c.entry("type-approvals", f"{tac},TA-{number},Holder,Model,{status},20250101,")
        for copy in range(6):
            label = "" if good else "not_type_approved"
            c.used(f"type approval of status {status!r} ({copy})", label, imei=c.of(tac))
    none, gap, two, later = (c.model(f"3552000{n}", approved=False) for n in range(4))
    c.entry("type-approvals", f"{gap},TA-1,Holder,Model,valid,20250101,20260331")
    c.entry("type-approvals", f"{gap},TA-2,Holder,Model,valid,20260501,")
    c.entry("type-approvals", f"{two},TA-1,Holder,Model,withdrawn,20250101,")
    c.entry("type-approvals", f"{two},TA-2,Holder,Model,valid,20250101,")
    c.entry("type-approvals", f"{later},TA-1,Holder,Model,suspended,20250101,", (1,))
    c.entry("type-approvals", f"{later},TA-1,Holder,Model,valid,20250101,", (2,))
    no = "not_type_approved"
    for copy in range(10):
        c.used(f"a model without any certificate ({copy})", no, imei=c.of(none))
        c.used(
            f"a certificate ends, the next begins after the second run ({copy})", "", no, "", imei=c.of(gap)
        )
        c.used(f"one certificate withdrawn, another in force ({copy})", "", imei=c.of(two))
        c.used(f"suspended, valid again, then gone from the list ({copy})", no, "", no, imei=c.of(later))
    c.used("13 digits of a model without any certificate", f"malformed {no}", imei=f"{none}00001")
    c.proper("a model without any certificate, the device never seen", "", imei=c.of(none))


def registered(c: Country) -> None:
    states = {
        "": True,
        "whitelist": True,
        "WhiteList": True,
        "pending": False,
        "suspended": False,
        "rejected": False,
        "blacklist": False,
        "lost": False,
    }
    for copy, (status, good) in product(range(12), states.items()):
        imei = c.phone()
        c.own(imei)
        c.register(imei, status)
        c.see(imei, c.sim())
        c.expect(imei, f"registration of status {status!r} ({copy})", "" if good else "not_registered")
    for copy, runs in product(range(12), SUBSETS):
        missing = tuple(run for run in RUNS if run not in runs)
        imei = c.phone()
        c.own(imei)
        c.register(imei, runs=runs)
        c.see(imei, c.sim())
        c.expect(imei, f"registered at runs {runs} ({copy})", *on("not_registered", missing))
        imei = c.phone()
        c.register(imei)
        c.own(imei, runs)
        c.see(imei, c.sim())
        c.expect(imei, f"associated at runs {runs} ({copy})", *on("not_associated", missing))
    for copy in range(12):
        imei = c.phone()
        c.register(imei)
        c.own(imei)
        c.entry("associations", f"Q-second,{imei}")
        c.see(imei, c.sim())
        c.expect(imei, f"two persons own it together ({copy})", "")
    exempt = {
        "Modem": True,
        "Module": True,
        "IoT Device": True,
        "Vehicle": True,
        "Smartphone": False,
        "modem": False,
        "Tablet": False,
        "Connected Computer": False,
        "": False,
    }
    for number, (kind, free) in enumerate(exempt.items()):
        tac = c.model(f"3530{number:04d}", device_type=kind)
        label = "" if free else "not_registered not_associated"
        for copy in range(12):
            imei = c.of(tac)
            c.see(imei, c.sim())
            c.expect(imei, f"neither registered nor owned, kind of device {kind!r} ({copy})", label)
        imei = f"{tac}0000A"
        c.see(imei, c.sim())
        c.expect(
            imei, f"malformed, neither registered nor owned, kind of device {kind!r}", f"malformed {label}"
        )
    kind = c.model("35309999", device_type="Modem", runs=(1,))
    c.model("35309999", device_type="Smartphone", runs=(2, 3), approved=False)
    for copy in range(12):
        imei = c.of(kind)
        c.see(imei, c.sim())
        c.expect(
            imei,
            f"its kind of device is corrected to one that must register ({copy})",
            "",
            "not_registered not_associated",
            "not_registered not_associated",
        )
    for copy in range(5):
        imei = c.of("35900001")
        c.see(imei, c.sim())
        c.expect(
            imei,
            f"an unknown TAC is not exempt ({copy})",
            "not_registered not_associated",
            *("tac_not_allocated not_registered not_associated",) * 2,
            fates="-NN",
        )


def spared_and_paired(c: Country) -> None:
    forms = {
        "as 14 digits": "{imei}",
        "with its check digit": "{imei}5",
        "by its MD5": "{hash}",
        "by its MD5 in capitals": "{HASH}",
    }
    for (how, form), kind in product(forms.items(), ("stolen", "stolen_abroad", "barred")):
        imei = c.used(f"{kind}, and golden {how}: never blocked nor notified", kind, fates="SSS")
        text = md5(imei.encode(), usedforsecurity=False).hexdigest()
        c.entry("golden", form.format(imei=imei, hash=text, HASH=text.upper()))
        source = {"stolen_abroad": "stolen-foreign"}.get(kind, kind)
        c.entry(source, {"stolen": f"{imei},,", "stolen-foreign": f"{imei},,,XX", "barred": imei}[source])
    for runs in SUBSETS:
        told = "".join("S" if run in runs else fate for run, fate in zip(RUNS, "NBB", strict=True))
        imei = c.used(f"barred, and golden at runs {runs}", "barred", fates=told)
        c.entry("barred", imei)
        c.entry("golden", imei, runs)
    c.entry("golden", "ab99")
    c.entry("stolen", "AB99,,")
    c.expect("AB99", "malformed, stolen and golden in another case of letters", "stolen", fates="SSS")
    c.entry("golden", c.used("golden without any condition", ""))
    for plmn, msisdn in product(("", NATIONAL, FOREIGN), (True, False)):
        sim = c.sim(plmn)
        imei = c.proper(
            f"stolen, and paired with {sim.imsi[:5]}, {'with' if msisdn else 'without'} a number",
            "stolen",
            fates="BBB",
        )
        c.see(imei, sim)
        if plmn == FOREIGN:  # seen at home too, else it would be a visitor's
            c.see(imei, c.sim(), (before(EACH[0], 1), before(EACH[1], 1), before(EACH[2], 1)))
        c.entry("stolen", f"{imei},,")
        c.entry("pairings", f"{imei},{sim.imsi},{sim.msisdn if msisdn else ''}")
    for copy in range(6):
        paired, other = c.sim(), c.sim()
        imei = c.proper(f"barred; of two subscribers one is paired ({copy})", "barred", fates="NBB")
        c.see(imei, paired)
        c.see(imei, other)
        c.entry("barred", imei)
        c.entry("pairings", f"{imei},{paired.imsi},{paired.msisdn}")
    for runs in SUBSETS:
        sim = c.sim()
        imei = c.proper(f"stolen abroad, and paired at runs {runs}", "stolen_abroad", fates="NBB")
        c.see(imei, sim)
        c.entry("stolen-foreign", f"{imei},,,XX")
        c.entry("pairings", f"{imei},{sim.imsi},{sim.msisdn}", runs)
    sim = c.sim()
    imei = c.proper(
        "of a barred model, and paired: no exception", "barred_model", imei=c.of("35400014"), fates="NNB"
    )
    c.see(imei, sim)
    c.entry("pairings", f"{imei},{sim.imsi},{sim.msisdn}")
    sim = c.sim()
    imei = c.proper("a pairing of a phone that nothing is wrong with", "")
    c.see(imei, sim)
    c.entry("pairings", f"{imei},{sim.imsi},{sim.msisdn}")


def allocated(c: Country) -> None:
    delays = {"00": 32, "01": 40, "35": 20, "86": 19, "91": 20, "99": 69, "44": 0, "98": 0}
    for (body, delay), late in product(delays.items(), range(-3, 4)):
        # the longest delay a TAC may have and still be missing ends the day before the match
        first = before(DAYS[1], delay - late)
        imei = c.proper(
            f"a TAC of reporting body {body} that nobody was given, first seen {delay - late} days before "
            f"the first run: the delay is {delay}",
            *(("tac_not_allocated",) * 3 if late <= 0 else ("", "tac_not_allocated", "tac_not_allocated")),
            imei=c.of(f"{body}900001"),
            fates="NNB" if late <= 0 else "-NN",
        )
        sim = c.sim()
        c.see(imei, sim, (first,))
        c.see(imei, sim, EACH[1:])
    for copy in range(6):
        tac = c.model(f"3560000{copy}", runs=(3,))
        imei = c.proper(
            f"its TAC is listed at last, on the day it would be blocked ({copy})",
            "tac_not_allocated",
            "tac_not_allocated",
            "",
            imei=c.of(tac),
            fates="NN-",
        )
        c.see(imei, c.sim(), (before(DAYS[1], 60), *EACH))
        tac = c.model(f"3561000{copy}", runs=(1, 2))
        imei = c.used(
            f"its TAC is taken from the list before the third run ({copy})",
            "",
            "",
            "tac_not_allocated",
            imei=c.of(tac),
            fates="--N",
        )
    imei = c.proper("a TAC that nobody was given, never seen", "", imei=c.of("35900001"))
    imei = c.proper(
        "seen at first on the day after the first run, delivered before it: not yet late at the first run",
        "",
        "tac_not_allocated",
        "tac_not_allocated",
        imei=c.of("44900001"),
        fates="-NN",
    )
    c.see(imei, c.sim(), (COVERED[1], *EACH[1:]))


def families(c: Country) -> None:
    """Models over several TACs, and models that cannot be told."""
    two_g = "GSM 900,GSM 1800"
    lte = "GSM 900,LTE FDD BAND 3"
    wrong = "impossible_technology"
    cases = {
        "a 2G model": ((two_g, "Bell/One"), True),
        "a 2G TAC whose model has a 4G TAC too": ((two_g, "Bell/Two"), False),
        "a 2G TAC; another maker has a 4G model of that name": ((two_g, "Bell/Three"), True),
        "a 2G TAC without a maker: nobody can tell the model": ((two_g, "/Four"), False),
        "a 2G TAC without a model's name": ((two_g, "Bell/"), False),
        "no bands": (("", "Bell/Five"), False),
        "no bands, but a 2G TAC of the same model": (("", "Bell/Six"), True),
        "no bands, but a 4G TAC of the same model": (("", "Bell/Seven"), False),
        "bands that nobody can read": (("Not Known", "Bell/Eight"), False),
        "unreadable bands beside 2G": (("Not Known,GSM 900", "Bell/Nine"), True),
        "Wi-Fi only": (("WLAN 2.4 GHz", "Bell/Ten"), True),
    }
    for number, (what, ((bands, name), exceeds)) in enumerate(cases.items()):
        tac = c.model(f"3570{number:04d}", bands, name)
        for copy in range(6):
            label, fate = (wrong, "NNB") if exceeds else ("", "---")
            c.used(f"seen on 4G: {what} ({copy})", label, imei=c.of(tac), fates=fate)
    for number, (bands, name) in enumerate(
        (
            (lte, "Bell/Two"),
            (lte, "Chime/Three"),
            (lte, "/Four"),
            (lte, "Bell/"),
            (two_g, "Bell/Six"),
            (lte, "Bell/Seven"),
        )
    ):
        tac = c.model(f"3571{number:04d}", bands, name)
        c.used(
            f"the TAC beside the others: {name}",
            "" if bands == lte else wrong,
            imei=c.of(tac),
            fates="---" if bands == lte else "NNB",
        )
    tac = c.model("35720001", two_g, "Bell/Eleven")
    c.model("35720002", lte, "Bell/Eleven", runs=(3,))
    for copy in range(4):
        c.used(
            f"a 4G TAC of its 2G model is allocated before the third run ({copy})",
            wrong,
            wrong,
            "",
            imei=c.of(tac),
            fates="NN-",
        )
    tac = c.model("35720003", two_g, "Bell/Twelve", runs=(1, 2))
    c.model("35720003", lte, "Bell/Twelve", runs=(3,), approved=False)
    c.used("its own bands are corrected before the third run", wrong, wrong, "", imei=c.of(tac), fates="NN-")
    tac = c.model("35720004", lte, "Bell/Thirteen", runs=(1, 2))
    c.model("35720004", two_g, "Bell/Thirteen", runs=(3,), approved=False)
    c.used("its bands are corrected to 2G before the third run", "", "", wrong, imei=c.of(tac), fates="--N")
    imei = c.used("13 digits of a 2G model on 4G", f"malformed {wrong}", imei="3570000000001", fates="NNB")
    assert imei[:8] == "35700000"


ALL = (
    stolen,
    abroad_and_barred,
    watched,
    imported,
    approved,
    registered,
    spared_and_paired,
    allocated,
    families,
)


def ordinary_models(c: Country) -> None:
    for tac in PHONES:
        c.model(tac)
