"""Small worlds drawn by Hypothesis: a few devices and subscribers, lists that come and go, runs between."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from building import Register, compact, model_row, registration_row
from ceir.pipeline.catalogue import Ingest
from ceir.pipeline.ingest.undoing import CannotUndoError
from ceir.pipeline.merging import merge

FIRST, LAST = date(2026, 1, 20), date(2026, 3, 20)
LONG = (LAST - FIRST).days

IMEIS = (
    "35100001000001", "35100001000002", "35100002000001", "35300001000001", "35900001000001",
    "44900001000001", "00440000000001", "77777777777777", "3510000100000", "ABC",
)  # fmt: skip
IMSIS = ("111010000000001", "111010000000002", "111020000000001", "111990000000001", "26201000000001", "111")
NUMBERS = ("220000000001", "220000000002", "220000000003", "220000000007")
RATS = ("", "002", "006", "003|010")
OPERATORS = ("operator1", "operator2")

POLICY = """
name = "small"
mode = "restrictive"
exempt_device_types = ["Module"]
[country]
name = "Smallia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[reporting_body_delays]
"35" = 10
[lists]
look_back_days = 25
[release]
key = "small-worlds-of-hypothesis"
[release.conditions.abroad]
steps = [{ day = 1, share = 0.3 }, { day = 4, share = 0.7 }, { day = 9, share = 1 }]
[release.conditions.technology]
steps = [{ day = 0, share = 0.5 }, { day = 6, share = 1 }]
[release.conditions.persons]
steps = [{ day = 0, share = 1 }]
[conditions.unallocated]
all = [{ rule = "tac_not_allocated" }, { rule = "imei_placeholder", not = true }]
reason = "Unallocated"
grace_days = 15
blocking = true
max_match_ratio = 1.0
[conditions.technology]
all = [{ rule = "rat_exceeds_capability" }]
reason = "Technology"
grace_days = 10
blocking = true
max_match_ratio = 1.0
[conditions.theft]
all = [{ rule = "stolen_local" }]
reason = "Theft"
grace_days = 0
blocking = true
sticky = true
max_match_ratio = 1.0
[conditions.abroad]
all = [{ rule = "stolen_foreign" }, { rule = "not_registered", not = true }]
reason = "Abroad"
grace_days = 7
blocking = true
max_match_ratio = 1.0
[conditions.barred_either_way]
all = [{ rule = "imei_barred" }]
reason = "Barred"
grace_days = 8
blocking = true
max_match_ratio = 1.0
[conditions.barred_model]
all = [{ rule = "tac_barred" }, { rule = "not_associated" }]
reason = "Barred"
tracked = true
[conditions.barred_range]
all = [{ rule = "imei_range_barred" }]
reason = "Barred range"
grace_days = 6
blocking = true
max_match_ratio = 1.0
[conditions.barred_outside_ranges]
all = [{ rule = "imei_barred" }, { rule = "imei_range_barred", not = true }]
reason = "Barred outside ranges"
tracked = true
[conditions.shared]
all = [{ rule = "too_many_imsis", threshold = 2, window_days = 10 }]
reason = "Shared"
grace_days = 12
blocking = true
sticky = true
max_match_ratio = 1.0
[conditions.shared_daily]
all = [
  { rule = "too_many_imsis_daily", threshold = 1.3, window_days = 9, min_seen_days = 2, identity = "msisdn" },
]
reason = "Shared daily"
tracked = true
[conditions.persons]
all = [{ rule = "too_many_persons_daily", threshold = 1.2, window_days = 12, min_seen_days = 1 }]
reason = "Persons"
grace_days = 9
blocking = true
max_match_ratio = 1.0
[conditions.box]
all = [{ rule = "transient_numbers", period_days = 3, numbers = 3 }]
reason = "Box"
tracked = true
[conditions.nobody]
all = [{ rule = "imsi_unregistered", window_days = 9 }]
reason = "Nobody"
[conditions.visitors]
all = [
  { rule = "used_by_international_roamer", look_back_days = 8 },
  { rule = "used_by_home_subscriber", look_back_days = 11, not = true },
]
reason = "Visitors"
[conditions.watched]
all = [{ rule = "monitored", days = 6 }]
reason = "Watched"
tracked = true
[conditions.uncertified]
all = [{ rule = "not_type_approved" }]
reason = "Uncertified"
[conditions.early]
all = [
  { rule = "seen_before_release" },
  { rule = "used_by_national_roamer", look_back_days = 20, not = true },
]
reason = "Early"
grace_days = 5
blocking = true
max_match_ratio = 1.0
[conditions.malformed_lately]
all = [{ rule = "imei_malformed" }]
reason = "Malformed"
tracked = true
first_seen_from = 2026-02-10
"""
"""All kinds of facts: windows that move, lists that change, days that pass."""

TAC_ROWS = (
    model_row("35100001", "GSM 900", name="A1"),
    model_row("35100002", "GSM 900", name="A1"),
    model_row("35300001", "LTE FDD BAND 3", name="M1", device_type="Module"),
)
OTHER_TAC_ROWS = (
    model_row("35100001", "GSM 900", name="A1"),
    model_row("35100002", "LTE FDD BAND 3", name="A1"),
    model_row("35900001", "", name="N1"),
)

RANGES = (
    "35100001000001,35100001000001", "35100001000000,35100001000002", "35100001000001,35100001999999",
    "35100001000002,35100002000001", "35100002000001,35100002000001", "44900000999999,44900001000001",
    "00440000000000,00440000999999", "77777777777777,77777777777778", "35300000000002,35300001000001",
)  # fmt: skip
"""Of one identity, of a whole TAC, one in another, across two TACs, and with nobody inside."""

imeis, imsis, numbers = st.sampled_from(IMEIS), st.sampled_from(IMSIS), st.sampled_from(NUMBERS)
days = st.integers(0, LONG).map(lambda n: FIRST + timedelta(days=n))


def some(rows: Iterable[str]) -> st.SearchStrategy[list[str]]:
    """Some of these rows, in any order."""
    return st.lists(st.sampled_from(sorted(rows)), unique=True, max_size=6)


def _dates(dates: Iterable[date | None]) -> list[str]:
    return ["" if d is None else compact(d) for d in dates]


_MARKS = _dates((None, date(2026, 2, 1), date(2026, 2, 14), date(2026, 3, 1)))

LISTS: dict[str, st.SearchStrategy[list[str]]] = {
    "tac": st.sampled_from([list(TAC_ROWS), list(OTHER_TAC_ROWS), list(TAC_ROWS[:1])]),
    "stolen": some(f"{imei},," for imei in IMEIS),
    "stolen-foreign": some(f"{imei},,,XX" for imei in IMEIS),
    "registrations": some(registration_row(imei) for imei in IMEIS),
    "associations": some(f"P-1,{imei}" for imei in IMEIS),
    "subscribers": some(f"P-{n % 3},{imsi}" for n, imsi in enumerate(IMSIS)),
    "pairings": some(f"{imei},{imsi}," for imei in IMEIS[:6] for imsi in IMSIS[:4]),
    "golden": some(IMEIS),
    "appeals": some(f"{imei},{label}" for imei in IMEIS[:6] for label in ("persons", "early", "box", "x")),
    "barred": some(IMEIS),
    "barred-tacs": some(("35100001", "35900001", "35300001")),
    "barred-ranges": some(RANGES),
    "software-versions": some(f"{imei},0{n % 3},blocked" for n, imei in enumerate(IMEIS[:8])),
    "monitored": some(IMEIS),
    "type-approvals": some(
        f"{tac},T-{a or 0}-{b or 0},H,M,,{a},{b}"
        for tac in ("35100001", "35100002")
        for a in _MARKS
        for b in _MARKS
    ),
    "imports": st.lists(
        st.tuples(imeis, st.sampled_from(_MARKS)), unique_by=lambda entry: entry[0], max_size=4
    ).map(lambda entries: [f"{imei},C,I,,{day}" for imei, day in entries]),
}


@st.composite
def rows_of_a_file(draw: st.DrawFn) -> list[str]:
    """A file of observations: bursts of use, so that windows fill and drain."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        imei, first, rat = draw(imeis), draw(days), draw(st.sampled_from(RATS))
        users = draw(st.lists(st.tuples(imsis, numbers), min_size=1, max_size=4))
        for day in range(draw(st.integers(1, 4))):
            when = compact(min(first + timedelta(days=day), LAST))
            rows += [f"{when},{imei},{imsi},{number},{rat}" for imsi, number in users]
    return rows


@dataclass(frozen=True)
class Observe:
    """A file of an operator comes."""

    operator: str
    rows: list[str]


@dataclass(frozen=True)
class Replace:
    """A list comes anew."""

    source: str
    rows: list[str]


@dataclass(frozen=True)
class TakeBack:
    """An ingest is undone: of all that can be, the one at this share of the way."""

    which: float


@dataclass(frozen=True)
class Merge:
    """Months are merged."""


@dataclass(frozen=True)
class Run:
    """Everything is classified, so many days after the run before."""

    later: int


observes = st.builds(Observe, st.sampled_from(OPERATORS), rows_of_a_file())
replaces = st.sampled_from(sorted(LISTS)).flatmap(lambda s: st.builds(Replace, st.just(s), LISTS[s]))
events = st.one_of(observes, replaces, st.builds(TakeBack, st.floats(0, 0.999)), st.builds(Merge))
Event = Observe | Replace | TakeBack | Merge


@st.composite
def histories(
    draw: st.DrawFn, *, runs: int = 4, backwards: bool = False
) -> tuple[list[Event], list[tuple[list[Event], Run]]]:
    """What is there at first, and what happens before each of some runs.

    Args:
        backwards: a run may be for a day before that of the run before it.
    """
    steps = st.sampled_from((0, 0, 1, 2, 5, 9, 16, -4) if backwards else (0, 0, 1, 2, 5, 9, 16))
    sources = draw(st.lists(st.sampled_from(sorted(LISTS)), unique=True, min_size=4, max_size=8))
    start: list[Event] = [Replace(source, draw(LISTS[source])) for source in sources]
    start += draw(st.lists(observes, min_size=1, max_size=3))
    rest = [(draw(st.lists(events, max_size=3)), Run(draw(steps))) for _ in range(draw(st.integers(2, runs)))]
    return start, rest


def apply(register: Register, event: Event, day: date) -> Ingest | None:
    """Let an event happen to a register; an undo that is not possible happens not."""
    match event:
        case Observe(operator, rows):
            return register.take("observations", rows, LAST, operator=operator)
        case Replace(source, rows):
            return register.take(source, rows, day)
        case Merge():
            merge(register.workspace, register.limits, force=True)
        case TakeBack(which):
            live = register.workspace.catalogue().live
            if len(live) > 1:
                with suppress(CannotUndoError):
                    register.undo(live[int(which * len(live))])
    return None
