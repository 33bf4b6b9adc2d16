"""Single rules in the corners where two readings of them are easily apart."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from building import HEADERS, Register, compact, model_row, write_text
from oracle import Inputs, load, matches

D = date(2026, 3, 31)
A, B, C = "35100001000001", "35100001000002", "35100001000003"
HOME = "111010000000001"

HEAD = """
name = "corners"
exempt_device_types = ["Module"]
[country]
name = "Cornerland"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-021"]
"""


@dataclass(frozen=True)
class Case:
    """A condition over a small world, and the identities it must match.

    Args:
        rules: the rules of the condition, as in a policy.
        seen: rows of operator1's file; those of operator2 begin with `2:`.
    """

    rules: str
    seen: Iterable[str]
    expected: set[str]
    lists: dict[str, list[str]] = field(default_factory=dict)


def use(imei: str, imsi: str = HOME, msisdn: str = "220000000001", rat: str = "", day: date = D) -> str:
    return f"{compact(day)},{imei},{imsi},{msisdn},{rat}"


def each_day(imei: str, numbers: Iterable[str], days: int, imsi: str = HOME) -> list[str]:
    return [use(imei, imsi, number, day=D - timedelta(days=n)) for number in numbers for n in range(days)]


CASES = {
    "what is on no monitored list is known not to be monitored": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "monitored", not = true }',
        [use(A), use(B)],
        {B},
        {"monitored": [A]},
    ),
    "DCS 1800 is a band of 2G, not the sign DC_ of 4G": Case(
        '{ rule = "rat_exceeds_capability" }',
        [use(A, rat="006"), use(B, rat="002")],
        {A},
        {"tac": [model_row("35100001", "GSM 900,DCS 1800")]},
    ),
    "CAT-M is not the sign CA_ of 4G": Case(
        '{ rule = "rat_exceeds_capability" }',
        [use(A, rat="006")],
        {A},
        {"tac": [model_row("35100001", "GSM 900,CAT")]},
    ),
    "DC_ and CA_ are signs of 4G": Case(
        '{ rule = "rat_exceeds_capability" }',
        [use(A, rat="006"), use("35200001000001", rat="006")],
        set(),
        {
            "tac": [
                model_row("35100001", "DC_3A_n78A", name="One"),
                model_row("35200001", "ca_3a-7a", name="Two"),
            ]
        },
    ),
    "numbers in even steps across a change of length": Case(
        '{ rule = "transient_numbers", period_days = 3, numbers = 3 }',
        each_day(A, ("9999990", "9999995", "10000000"), 3),
        {A},
    ),
    "numbers in even steps but for a leading zero": Case(
        '{ rule = "transient_numbers", period_days = 3, numbers = 3 }',
        each_day(A, ("0000001", "0000002", "00000003"), 3),
        {A},
    ),
    "numbers of seven, eight and nine digits in even steps": Case(
        '{ rule = "transient_numbers", period_days = 3, numbers = 3 }',
        each_day(A, ("1000000", "91000000", "181000000"), 3),
        {A},
    ),
    "a three digit MNC is not the two digit one that begins it": Case(
        '{ rule = "used_by_home_subscriber" }',
        [use(A, "111020000000001"), use(B, "111021000000001"), use(C, "111010000000001")],
        {B, C},
    ),
    "an IMSI of 14 digits is as good as one of 15": Case(
        '{ rule = "too_many_imsis", threshold = 2, window_days = 1 }',
        [use(A, "11101000000001"), use(A, "111010000000001"), use(B), use(B, "1110100000001")],
        {A},
    ),
    "one month before the 31st of March is the 28th of February": Case(
        '{ rule = "too_many_imsis", threshold = 2, window_months = 1 }',
        [
            use(A),
            use(A, "111010000000002", day=date(2026, 3, 1)),
            use(B),
            use(B, "111010000000002", day=date(2026, 2, 28)),
        ],
        {A},
    ),
    "an average that only fractions without rounding tell from its threshold": Case(
        '{ rule = "too_many_imsis_daily", threshold = 1.1, window_days = 10, min_seen_days = 1 }',
        [
            *each_day(A, ("220000000001",), 10),
            use(A, "111010000000009"),
            *each_day(B, ("220000000001",), 9),
            use(B, "111010000000009", day=D - timedelta(days=1)),
            use(C),
        ],
        {A, B},
    ),
    "a persons' average counts only days with a registered person": Case(
        '{ rule = "too_many_persons_daily", threshold = 2, window_days = 30, min_seen_days = 1 }',
        [use(A), use(A, "111010000000002"), *each_day(A, ("22000001",), 9, "111010000000003")],
        {A},
        {"subscribers": [f"P-1,{HOME}", "P-2,111010000000002"]},
    ),
    "released on the very day it was first seen": Case(
        '{ rule = "seen_before_release" }',
        [use(A, day=D - timedelta(days=1)), use(B), use(C)],
        {A, C},
        {"imports": [f"{A},C,I,,{compact(D)}", f"{B},C,I,,{compact(D)}", f"{C},C,I,,"]},
    ),
    "malformed with a TAC on the list is not unallocated": Case(
        '{ rule = "tac_not_allocated" }',
        [use("3510000100000"), use("3510000"), use("ABCDEF0123456789"), use("35999999*")],
        {"3510000", "ABCDEF0123456789", "35999999*"},
        {"tac": [model_row("35100001")]},
    ),
    "a barred range holds both its ends and nobody beside them": Case(
        '{ rule = "imei_range_barred" }',
        [use(imei) for imei in (A, B, C, "35100001000000", "35100001000004")],
        {A, B, C},
        {"barred-ranges": [f"{A}5,{C}00"]},
    ),
    "a barred range goes on in the next TAC": Case(
        '{ rule = "imei_range_barred" }',
        [use(imei) for imei in ("35100000999998", "35100000999999", "35100001000000", A, B)],
        {"35100000999999", "35100001000000", A},
        {"barred-ranges": [f"35100000999999,{A}"]},
    ),
    "a range that ended does not hide one that goes on": Case(
        '{ rule = "imei_range_barred" }',
        [use(imei) for imei in (A, B, C)],
        {A, B},
        {"barred-ranges": [f"35100000000003,{B}", f"{A},{A}", f"35100000999999,{A}"]},
    ),
    "as many identities as a TAC has are the widest range": Case(
        '{ rule = "imei_range_barred" }',
        [use(imei) for imei in (A, B, "35100002000000", "35100002000001")],
        {A, B, "35100002000000"},
        {"barred-ranges": [f"{A},35100002000000", "35100001000005,35100002000005"]},
    ),
    "a range of identities with zeros before them": Case(
        '{ rule = "imei_range_barred" }',
        [use("00000000000000"), use("00000000000007"), use("00000000000008"), use("01000000000000")],
        {"00000000000000", "00000000000007"},
        {"barred-ranges": ["00000000000000,00000000000007"]},
    ),
    "a malformed identity lies in no range": Case(
        '{ rule = "imei_range_barred" }',
        [use("351000010000"), use("35100001"), use("3510000100000A"), use("ABC")],
        set(),
        {"barred-ranges": ["35100001000000,35100001999999"]},
    ),
    "a malformed identity is known to lie in no range, and so is one beside it": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "imei_range_barred", not = true }',
        [use("35100001"), use("ABC"), use(A), use(B)],
        {"35100001", "ABC", B},
        {"barred-ranges": [f"{A},{A}"]},
    ),
    "ranges bar only what a network saw": Case(
        '{ rule = "imei_range_barred" }', [use(A)], {A}, {"barred-ranges": [f"{A},{B}"], "barred": [B]}
    ),
    "unseen equipment of another list is not barred by a range too": Case(
        '{ rule = "imei_barred" }, { rule = "imei_range_barred" }',
        [use(A)],
        {A},
        {"barred-ranges": [f"{A},{B}"], "barred": [A, B]},
    ),
    "ranges that were never ingested tell nothing": Case('{ rule = "imei_range_barred" }', [use(A)], set()),
    "ranges that were never ingested tell nothing the other way either": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "imei_range_barred", not = true }', [use(A)], set()
    ),
    "an empty list of ranges tells that nobody lies in one": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "imei_range_barred", not = true }',
        [use(A)],
        {A},
        {"barred-ranges": []},
    ),
    "a list that was never ingested tells nothing either way": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "stolen_local", not = true }', [use(A)], set()
    ),
    "an empty list tells that nothing is on it": Case(
        '{ rule = "used_by_home_subscriber" }, { rule = "stolen_local", not = true }',
        [use(A)],
        {A},
        {"stolen": []},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_register_decides_rightly_that(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    register = Register.make(tmp_path / "register", policy_of(case))
    for source, rows in case.lists.items():
        register.take(source, rows, D)
    register.take("observations", case.seen, D, operator="operator1")
    register.classify(D)
    assert set(register.labels()) == case.expected


@pytest.mark.parametrize("name", CASES)
def test_the_recomputation_decides_rightly_that(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    files = {s: write_text(tmp_path / f"{s}.csv", [HEADERS[s], *rows]) for s, rows in case.lists.items()}
    seen = write_text(tmp_path / "operator1.csv", [HEADERS["observations"], *case.seen])
    lists: dict[str, str | Path | None] = dict(files)
    world = load(Inputs([("operator1", seen)], lists.pop("tac", None), lists))
    rules = tomllib.loads(policy_of(case), parse_float=Decimal)
    assert matches(world, rules, D, D) == {"corner": case.expected}


def policy_of(case: Case) -> str:
    rules = case.rules.replace(
        '"used_by_home_subscriber" }', '"used_by_home_subscriber", look_back_days = 30 }'
    )
    return f'{HEAD}\n[conditions.corner]\nall = [{rules}]\nreason = "Corner"\n'
