"""The golden country's drawing board: devices, what operators saw of them, and lists, day by day.

Everything here is counted up, nothing is drawn by lot: the same program gives the same country.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

RUNS = (1, 2, 3)
DAYS = {1: date(2026, 3, 30), 2: date(2026, 4, 29), 3: date(2026, 6, 13)}
"""Days of the runs. A grace of 30 days from the first ends with the second, one of 75 with the third; the
first run's windows of 30 and of 120 days begin with the first of a month."""

COVERED = {1: date(2026, 4, 1), 2: date(2026, 5, 2), 3: DAYS[3]}
"""Last day of the observations delivered for a run: some days ahead, which must not count yet."""

FIRST_DAY = date(2025, 11, 1)

EACH = tuple(DAYS[run] - timedelta(days=5) for run in RUNS)
"""A day in each of the runs' last thirty."""

OPERATORS = {"operator1": "11101", "operator2": "11102", "operator3": "11103", "operator4": "11104"}
NATIONAL, FOREIGN, OVERSEAS = "11199", "26201", "310260"

EVERYTHING = "GSM 900,WCDMA FDD Band I,LTE FDD BAND 3,5G NR N78"
PHONES = tuple(f"3510{n:04d}" for n in range(1, 41))
"""Allocated TACs of approved phones that can use everything."""

BLOCKING = {"stolen", "stolen_abroad", "barred", "barred_model", "tac_not_allocated", "impossible_technology"}
TRACKING = {
    "shared_identity",
    "malformed",
    "placeholder",
    "test_device",
    "sim_box",
    "watched",
    "early_import",
}
"""Conditions of the policy `examplia` by what follows; the others are trials."""

FATES = {"N": "notified", "B": "blocked", "S": "spared", "-": ""}

KEYS = {
    "stolen": 1,
    "stolen-foreign": 1,
    "registrations": 1,
    "pairings": 3,
    "golden": 1,
    "barred": 1,
    "barred-tacs": 1,
    "monitored": 1,
    "subscribers": 2,
    "associations": 2,
    "type-approvals": 2,
    "imports": 1,
}
"""How many of a list's first columns tell its entries apart."""


def before(day: date, days: int) -> date:
    """So many days before."""
    return day - timedelta(days=days)


def span(first: date, last: date) -> list[date]:
    """Every day from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def counts_at(run: int, day: date, window: int) -> bool:
    """Whether a day lies in the window of so many days that ends with the run."""
    return before(DAYS[run], window - 1) <= day <= DAYS[run]


def delivered_by(run: int, day: date) -> bool:
    """Whether the files of a run or an earlier one speak of the day."""
    return day <= COVERED[run]


@dataclass(frozen=True)
class Sim:
    """A subscription."""

    imsi: str
    msisdn: str


@dataclass(frozen=True)
class Reason:
    """Why a device was made, and what the policy `examplia` must say of it at each run.

    Args:
        conditions: labels by run, sorted.
        outcomes: blocked, notified, spared, tracked, trial, or nothing, by run.
    """

    imei: str
    why: str
    conditions: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass
class Country:
    """What exists so far.

    Args:
        seen: rows of the operators' files by operator.
        wrong: rows of the file that is undone before the third run.
        lists: rows of each list by run.
    """

    seen: dict[str, list[str]] = field(default_factory=lambda: {o: [] for o in OPERATORS})
    wrong: list[str] = field(default_factory=list)
    lists: dict[str, dict[int, dict[tuple[str, ...], str]]] = field(
        default_factory=lambda: {source: {run: {} for run in RUNS} for source in KEYS}
    )
    tacs: dict[int, dict[str, str]] = field(default_factory=lambda: {run: {} for run in RUNS})
    reasons: dict[str, Reason] = field(default_factory=dict)
    _serials: Counter[str] = field(default_factory=Counter)
    _sims: "count[int]" = field(default_factory=lambda: count(1))
    _turn: "count[int]" = field(default_factory=count)

    def turn(self) -> int:
        """A number that goes up by one: for taking things in turn."""
        return next(self._turn)

    def phone(self) -> str:
        """The identity of a new ordinary phone."""
        return self.of(PHONES[self.turn() % len(PHONES)])

    def of(self, tac: str) -> str:
        """The next identity of a TAC."""
        self._serials[tac] += 1
        return f"{tac}{self._serials[tac]:06d}"

    def model(
        self,
        tac: str,
        bands: str = EVERYTHING,
        name: str | None = None,
        device_type: str = "Smartphone",
        *,
        runs: Sequence[int] = RUNS,
        approved: bool = True,
    ) -> str:
        """A TAC on the TAC list; `name` is the maker and the model's name. Returns the TAC."""
        maker, _, model = (f"Aster/M{tac}" if name is None else name).partition("/")
        for run in runs:
            self.tacs[run][tac] = (
                f"{tac}|m|i|{maker}|{bands}|01-Jan-2020|c|f|mc|r|b|{model}|os|n|b|w|{device_type}"
            )
        if approved:
            self.entry("type-approvals", f"{tac},TA-{tac},Holder,Model,valid,,")
        return tac

    def sim(self, plmn: str = "", *, uid: str | None = None, registered: bool = True) -> Sim:
        """A new subscription, of one of the operators in turn; its person is registered unless said so.

        Args:
            uid: the person; None: a new one.
        """
        number = next(self._sims)
        plmn = plmn or list(OPERATORS.values())[number % len(OPERATORS)]
        sim = Sim(f"{plmn}{number:0{15 - len(plmn)}d}", f"22{number:010d}")
        if registered:
            self.entry("subscribers", f"{uid or f'P-{number:06d}'},{sim.imsi}")
        return sim

    def entry(self, source: str, row: str, runs: Sequence[int] = RUNS) -> None:
        """An entry of a list at these runs."""
        key = tuple(row.split(",")[: KEYS[source]])
        for run in runs:
            self.lists[source][run][key] = row

    def register(self, imei: str, status: str = "", runs: Sequence[int] = RUNS) -> None:
        """An entry of the registrations."""
        row = f"{imei},Aster,A1,{status},A1,Aster,Smartphone,LTE,D{len(self.lists['registrations'][1])}"
        self.entry("registrations", row, runs)

    def own(self, imei: str, runs: Sequence[int] = RUNS) -> None:
        """Somebody declares the device as his own."""
        self.entry("associations", f"Q-{len(self.lists['associations'][1])},{imei}", runs)

    def see(
        self,
        imei: str,
        sim: Sim,
        days: Iterable[date] = EACH,
        *,
        by: str | None = None,
        rat: str = "006",
        wrongly: bool = False,
    ) -> None:
        """An operator sees the device with a subscription: his own one unless said, else the first.

        Args:
            wrongly: in the file that is undone later.
        """
        home = next((o for o, plmn in OPERATORS.items() if sim.imsi.startswith(plmn)), "operator1")
        rows = self.wrong if wrongly else self.seen[by or home]
        rows += [f"{day:%Y%m%d},{imei},{sim.imsi},{sim.msisdn},{rat}" for day in days]

    def expect(self, imei: str, why: str, *conditions: str, fates: str = "---") -> None:
        """What the device was made for.

        Args:
            conditions: labels, separated by blanks: one text for all runs, or one for each.
            fates: for each run what follows from blocking conditions: N notified, B blocked, S spared.
        """
        each = tuple(
            " ".join(sorted(c.split())) for c in (conditions if len(conditions) == 3 else conditions * 3)
        )
        outcomes = []
        for labels, fate in zip(each, fates, strict=True):
            found = set(labels.split())
            assert (fate != "-") == bool(found & BLOCKING), f"{imei}: {why}"
            calm = "tracked" if found & TRACKING else "trial" if found else ""
            outcomes.append(FATES[fate] or calm)
        assert imei not in self.reasons, f"{imei} was made twice: {why}"
        self.reasons[imei] = Reason(imei, why, each, tuple(outcomes))

    def proper(self, why: str, *conditions: str, imei: str | None = None, fates: str = "---") -> str:
        """The identity of a registered, associated phone, made for this."""
        made = imei or self.phone()
        self.register(made)
        self.own(made)
        self.expect(made, why, *conditions, fates=fates)
        return made

    def used(self, why: str, *conditions: str, imei: str | None = None, fates: str = "---") -> str:
        """A proper phone that a registered person uses in each run's last days."""
        made = self.proper(why, *conditions, imei=imei, fates=fates)
        self.see(made, self.sim())
        return made
