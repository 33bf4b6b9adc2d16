"""Checks of a whole file: at its limit each passes, just beyond it refuses the file with what it measured."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from ceir.errors import UsageError
from ceir.pipeline.catalogue import CheckResult, Ingest
from ceir.pipeline.ingest.checking import ChecksFailedError, all_checks
from ceir.policy import shipped_policies
from ceir.sources import all_sources, source_named

from .conftest import OBSERVED, OCTOBER, Desk, waived

TAC_HEADER = "tac|manufacturer|model_name|bands|allocation_date|device_type\n"


def desk_with(folder: Path, checks: str) -> Desk:
    """A desk whose policy has other limits."""
    policy = folder / "policy.toml"
    text = (shipped_policies()["examplia"] / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(text + checks, encoding="utf-8")
    return Desk.at(folder / "desk", policy)


def passes(desk: Desk, check: str, source: str, content: str, **how: object) -> CheckResult:
    """Hold a file to one check, all others waived, that it passes."""
    taken: Ingest = desk.take(source, content, accepted=_all_but(check, source), **how)  # type: ignore[arg-type]
    (result,) = (r for r in taken.checks if r.check == check)
    assert result.passed
    assert result.accepted_because is None
    return result


def fails(desk: Desk, check: str, source: str, content: str, **how: object) -> CheckResult:
    """Hold a file to one check, all others waived, that refuses it and leaves no trace."""
    with desk.unchanged(), pytest.raises(ChecksFailedError) as caught:
        desk.take(source, content, accepted=_all_but(check, source), **how)  # type: ignore[arg-type]
    (result,) = (r for r in caught.value.results if r.check == check)
    assert not result.passed
    assert check in caught.value.detail
    assert f"--accept {check}" in caught.value.hint
    return result


def _all_but(check: str, source: str) -> dict[str, str]:
    return {name: reason for name, reason in waived(source).items() if name != check}


def good(n: int) -> list[str]:
    """A row without any flaw, another one for each number."""
    return ["20261005", f"35675904{n:06d}", f"11101{n:010d}", f"22{n:010d}", "006"]


def observed(rows: Sequence[Sequence[str]]) -> str:
    return OBSERVED + "".join(",".join(row) + "\n" for row in rows)


def put(column: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda row: [*row[:column], value, *row[column + 1 :]]


SHARES: dict[str, tuple[Callable[[list[str]], list[str]], float]] = {
    "null_imei": (put(1, ""), 0.05),
    "null_imsi": (put(2, ""), 0.05),
    "null_msisdn": (put(3, ""), 0.05),
    "null_rat": (put(4, ""), 0.05),
    "null_any": (put(4, ""), 0.05),
    "unclean_imei": (lambda row: put(1, f"ABC{row[1][-6:]}")(row), 0.05),
    "unclean_imsi": (lambda row: put(2, "11101" + row[2][-6:])(row), 0.05),
    "unclean_any": (lambda row: put(2, "11101" + row[2][-6:])(row), 0.05),
    "foreign_imsi": (lambda row: put(2, "262" + row[2][3:])(row), 0.1),
    "foreign_msisdn": (lambda row: put(3, "49" + row[3][2:])(row), 0.1),
    "foreign_any": (lambda row: put(3, "49" + row[3][2:])(row), 0.1),
    "other_operator_imsi": (lambda row: put(2, "11102" + row[2][5:])(row), 0.2),
}


def flawed(check: str, flaws: int, of: int = 100) -> str:
    spoil, _ = SHARES[check]
    return observed([spoil(good(n)) if n < flaws else good(n) for n in range(of)])


@pytest.mark.parametrize("check", SHARES)
def test_a_share_of_flawed_rows_passes_at_its_limit_and_refuses_just_beyond(desk: Desk, check: str) -> None:
    limit = SHARES[check][1]
    result = fails(desk, check, "observations", flawed(check, round(100 * limit) + 1))
    assert result.measured == round(limit + 0.01, 2)
    assert passes(desk, check, "observations", flawed(check, round(100 * limit))).measured == limit


def test_just_beyond_is_told_with_all_its_digits(desk: Desk) -> None:
    with pytest.raises(ChecksFailedError, match=r"null_imei is 0\.0501, limit 0\.05 \(an export that"):
        desk.strictly("observations", flawed("null_imei", 501, 10_000))


def test_a_file_without_a_flaw_passes_every_check(desk: Desk) -> None:
    checks = desk.strictly("observations", flawed("null_imei", 0)).checks
    assert all(c.passed and c.measured == 0 for c in checks)
    assert {c.check for c in checks} >= set(SHARES)


def test_rows_count_as_often_as_they_come_in_shares(desk: Desk) -> None:
    rows = [put(1, "")(good(0))] * 6 + [good(n) for n in range(94)]
    assert fails(desk, "null_imei", "observations", observed(rows)).measured == 0.06


def test_a_row_that_lacks_several_values_counts_once_among_those_that_lack_any(desk: Desk) -> None:
    empty = ["20261005", "", "", "", ""]
    mixed = [empty, empty, put(1, "")(good(2)), put(4, "")(good(3)), put(4, "")(good(4))]
    rows = [*mixed, *(good(n) for n in range(5, 100))]
    assert passes(desk, "null_any", "observations", observed(rows)).measured == 0.05


def test_rows_folded_together_may_differ_in_whether_they_lack_the_technology(desk: Desk) -> None:
    rows = [good(n) for n in range(95)] + [put(4, "")(good(n)) for n in range(5)]
    assert passes(desk, "null_any", "observations", observed(rows)).measured == 0.05


def test_a_file_without_the_technology_column_is_not_checked_for_it(desk: Desk) -> None:
    text = "date,imei,imsi,msisdn\n" + "".join(",".join(good(n)[:4]) + "\n" for n in range(10))
    checks = {c.check: c for c in desk.strictly("observations", text).checks}
    assert "null_rat" not in checks
    assert checks["null_any"].measured == 0


def test_a_null_is_neither_unclean_nor_foreign(desk: Desk) -> None:
    text = observed([["20261005", "", "", "", ""]] * 10)
    checks = {c.check: c.measured for c in desk.take("observations", text).checks}
    assert [checks[n] for n in ("unclean_any", "foreign_any", "other_operator_imsi")] == [0, 0, 0]


@pytest.mark.parametrize("source", ["observations", "sightings", "barred"])
def test_one_row_in_a_hundred_may_be_unreadable(desk: Desk, source: str) -> None:
    text, row = {
        "observations": (OBSERVED, "20261005,35675904{n:06d},,,"),
        "sightings": (
            "imei,imsi,cell,started_at,ended_at\n",
            "35675904{n:06d},111010000000001,A,2026-10-05T08:00:00Z,2026-10-05T08:05:00Z",
        ),
        "barred": ("imei\n", "35675904{n:06d}"),
    }[source]
    rows = [row.format(n=n) + "\n" for n in range(98)]
    name = OCTOBER if source != "barred" else None
    result = fails(desk, "quarantined_share", source, text + "".join([*rows, "?\n", "?\n"]), name=name)
    assert result.measured == 0.02
    content = text + "".join([*rows, rows[0], "?\n"])
    assert passes(desk, "quarantined_share", source, content, name=name).measured == 0.01


def starting(first: str, count: int) -> list[list[str]]:
    return [put(1, f"{first}{n:06d}")(good(n)) for n in range(count)]


def test_as_many_imeis_may_start_with_one_as_with_zero(desk: Desk) -> None:
    ones, zeros = starting("11675904", 11), starting("01675904", 10)
    assert fails(desk, "leading_zero_ones", "observations", observed(ones + zeros)).measured == 1.1
    result = passes(desk, "leading_zero_ones", "observations", observed(ones[:10] + zeros))
    assert (result.measured, result.limit) == (1, 1)


def test_without_any_zero_the_ones_are_unbounded(desk: Desk) -> None:
    text = observed(starting("11675904", 10))
    assert fails(desk, "leading_zero_ones", "observations", text).measured is None
    with pytest.raises(ChecksFailedError, match="leading_zero_ones is unbounded, limit 1"):
        desk.strictly("observations", text)


def test_a_few_ones_are_no_sign_of_lost_zeros(desk: Desk) -> None:
    checks = desk.strictly("observations", observed(starting("11675904", 9))).checks
    assert not [c for c in checks if c.check.startswith("leading_zero")]


def test_an_imei_of_fourteen_digits_that_lost_its_zero_is_seen_although_it_is_malformed(desk: Desk) -> None:
    lost = observed(starting("1167590", 10))  # 13 digits
    assert fails(desk, "leading_zero_ones", "observations", lost).measured is None
    desk.take("tac", TAC_HEADER + "01167590|||||\n")
    assert fails(desk, "leading_zero_tacs", "observations", lost).measured == 1


def test_half_of_the_ones_may_be_known_tacs_without_their_zero(desk: Desk) -> None:
    desk.take("tac", TAC_HEADER + "01675904|||||\n")
    lost, other = starting("16759040", 6), starting("19999999", 6)
    assert fails(desk, "leading_zero_tacs", "observations", observed(lost + other[:4])).measured == 0.6
    assert passes(desk, "leading_zero_tacs", "observations", observed(lost[:5] + other[:5])).measured == 0.5


def test_without_a_tac_list_nobody_knows_which_tacs_lost_a_zero(desk: Desk) -> None:
    checks = desk.take("observations", observed(starting("16759040", 20))).checks
    assert "leading_zero_tacs" not in {c.check for c in checks}


def daily(first: date, counts: Sequence[int]) -> str:
    """So many distinct devices, subscribers and numbers on each day from the first."""
    return observed(
        [
            put(0, f"{first.replace(day=first.day + day):%Y%m%d}")(good(n))
            for day, count in enumerate(counts)
            for n in range(count)
        ]
    )


DAILY = {"daily_imeis": 1, "daily_imsis": 2, "daily_msisdns": 3}


@pytest.mark.parametrize("check", DAILY)
def test_a_day_may_have_nine_tenths_of_the_usual_day(desk: Desk, check: str) -> None:
    desk.take("observations", daily(date(2026, 10, 1), [20, 20]), name="operator1_20261001_20261002.csv")
    name = "operator1_20261003_20261004.csv"
    less = daily(date(2026, 10, 3), [17, 18])
    assert fails(desk, check, "observations", less, name=name).measured == 0.875
    enough = daily(date(2026, 10, 3), [17, 19])
    result = passes(desk, check, "observations", enough, name=name)
    assert (result.measured, result.limit) == (0.9, 0.9)


def test_the_usual_day_is_the_average_of_the_last_thirty_days_with_data(desk: Desk) -> None:
    desk.take("observations", daily(date(2026, 8, 1), [100]), name="operator1_20260801_20260801.csv")
    desk.take("observations", daily(date(2026, 9, 1), [10] * 15), name="operator1_20260901_20260915.csv")
    desk.take("observations", daily(date(2026, 9, 16), [20] * 15), name="operator1_20260916_20260930.csv")
    text = daily(date(2026, 10, 1), [15])
    assert passes(desk, "daily_imeis", "observations", text).measured == 1
    # days after the file's own are no history of it
    text = daily(date(2026, 8, 2), [90])
    name = "operator1_20260802_20260802.csv"
    assert passes(desk, "daily_imeis", "observations", text, name=name).measured == 0.9


def test_history_is_the_operators_own_and_what_is_undone_is_no_history(desk: Desk) -> None:
    many = daily(date(2026, 10, 1), [50])
    taken = desk.take("observations", many, name="operator1_20261001_20261001.csv")
    few = daily(date(2026, 10, 2), [5])
    checks = desk.take("observations", few, name="operator2_20261002_20261002.csv").checks
    assert not {c.check for c in checks} & set(DAILY)
    fails(desk, "daily_imeis", "observations", few, name="operator1_20261002_20261002.csv")
    desk.undo(taken)
    checks = desk.take("observations", few, name="operator1_20261002_20261002.csv").checks
    assert not {c.check for c in checks} & set(DAILY)


def test_a_column_that_went_missing_is_held_against_its_history(desk: Desk) -> None:
    desk.take("observations", daily(date(2026, 10, 1), [5]), name="operator1_20261001_20261001.csv")
    text = observed([put(3, "")(put(0, "20261002")(good(n))) for n in range(5)])
    assert (
        fails(desk, "daily_msisdns", "observations", text, name="operator1_20261002_20261002.csv").measured
        == 0
    )


@pytest.mark.parametrize(
    "name",
    [
        "operator1.csv",
        "operator1_20261001.csv",
        "operator1_20261031_20261001.csv",
        "operator1_20261001_20261032.csv",
        "operator1_20261001_20261031_v2.csv",
        "operator1_2026-10-01_2026-10-31.csv",
        "operator1_20261001_20261031",
    ],
)
def test_the_name_must_say_which_days_the_file_speaks_of(desk: Desk, name: str) -> None:
    operator = "operator1"
    result = fails(desk, "file_dates", "observations", observed([good(1)]), name=name, operator=operator)
    assert result.measured == 1
    named = "operator1_region-9_20261001_20261031.txt"
    assert passes(desk, "file_dates", "observations", observed([good(1)]), name=named).measured == 0


SEEN = "35675904000001,111010000000001,A-1,{0}T08:00:00Z,{0}T08:00:00Z\n"


@pytest.mark.parametrize("source", ["observations", "sightings"])
def test_no_row_may_be_of_a_day_outside_the_name(desk: Desk, source: str) -> None:
    def rows(*days: str) -> str:
        if source == "observations":
            return observed([put(0, day)(good(1)) for day in days])
        return "imei,imsi,cell,started_at,ended_at\n" + "".join(SEEN.format(day) for day in days)

    inside = ["2026-09-30", "2026-10-01", "2026-11-01"]
    name = "operator1_20260930_20261101.csv"
    outside = ["2026-09-29", "2026-11-02", "2026-01-30", "2027-01-30"]
    assert fails(desk, "days_outside", source, rows(*inside, *outside), name=name).measured == 4
    assert passes(desk, "days_outside", source, rows(*inside), name=name).measured == 0


def test_rows_outside_of_a_name_of_a_few_days_in_one_month_are_counted(desk: Desk) -> None:
    text = observed([put(0, f"202610{day:02d}")(good(1)) for day in range(1, 32)])
    result = fails(desk, "days_outside", "observations", text, name="operator1_20261010_20261012.csv")
    assert result.measured == 28


@pytest.mark.parametrize("source", ["observations", "sightings"])
def test_no_file_may_speak_of_days_to_come(desk: Desk, source: str) -> None:
    text = source_named(source).example
    late = "operator1_20260901_20261102.csv"
    assert fails(desk, "from_future", source, text, name=late, on=date(2026, 11, 1)).measured == 1
    on_time = passes(desk, "from_future", source, text, name=late, on=date(2026, 11, 2))
    assert on_time.measured == 0


STOLEN = "imei,reporting_date,status\n"


def test_no_key_may_contradict_itself_and_if_accepted_none_of_its_rows_counts(desk: Desk) -> None:
    text = STOLEN + (
        "35675904000001,20260101,blacklist\n"
        "35675904000002,20260101,blacklist\n"
        "356759040000028,20260101,recovered\n"
        "?,,\n"
        "35675904000003,20260101,\n"
        "35675904000002,20260101,blacklist\n"
        "35675904000003,20260102,\n"
    )
    assert fails(desk, "conflicting_keys", "stolen", text).measured == 2
    taken = desk.take("stolen", text)
    assert desk.entries("stolen", "imei") == [(35675904000001,)]
    counts = taken.counts
    assert (counts.read, counts.kept, counts.folded, counts.quarantined) == (7, 1, 0, 6)
    assert [(q.line, q.column) for q in desk.quarantined(taken)] == [(n, "imei") for n in (3, 4, 5, 6, 7, 8)]
    reasons = [q.reason for q in desk.quarantined(taken)]
    assert reasons[0] == "contradicts another row of the same key"
    assert reasons[2].startswith("expected")
    unreadable = next(c for c in taken.checks if c.check == "quarantined_share")
    assert unreadable.measured == round(1 / 7, 6)


def test_rows_that_are_the_same_do_not_contradict_each_other(desk: Desk) -> None:
    text = STOLEN + "35675904000001,20260101,blacklist\n356759040000018,2026-01-01, BLACKLIST\n"
    assert desk.strictly("stolen", text).counts.folded == 1


DELTA = "imei,reporting_date,status,change_type\n"


@pytest.mark.parametrize(
    ("check", "bad", "better"),
    [
        ("change_conflicts", "35675904000005,,,add\n35675904000005,,,remove\n", "35675904000005,,,add\n"),
        ("adds_present", "35675904000001,,,add\n", "35675904000005,,,add\n"),
        ("removes_absent", "35675904000005,,,remove\n", "35675904000001,,,remove\n"),
        ("removes_absent", "35675904000005,,,update\n", "35675904000001,,,update\n"),
        ("conflicting_keys", "35675904000005,,,add\n35675904000005,,pending,add\n", "35675904000005,,,add\n"),
    ],
)
def test_a_delta_must_fit_the_list_and_itself(desk: Desk, check: str, bad: str, better: str) -> None:
    desk.strictly("stolen", STOLEN + "35675904000001,,\n")
    assert fails(desk, check, "stolen", DELTA + bad, delta=True).measured == 1
    assert passes(desk, check, "stolen", DELTA + better, delta=True).measured == 0


def test_a_delta_on_no_list_at_all_may_add_but_not_remove(desk: Desk) -> None:
    assert (
        fails(desk, "removes_absent", "stolen", DELTA + "35675904000005,,,remove\n", delta=True).measured == 1
    )
    assert passes(desk, "adds_present", "stolen", DELTA + "35675904000005,,,add\n", delta=True).measured == 0


def imeis(count: int) -> str:
    return "imei\n" + "".join(f"35675904{n:06d}\n" for n in range(count))


def test_a_list_must_keep_three_quarters_of_its_entries(desk: Desk) -> None:
    desk.strictly("barred", imeis(100))
    assert fails(desk, "kept_share", "barred", imeis(74)).measured == 0.74
    assert passes(desk, "kept_share", "barred", imeis(75)).measured == 0.75


def test_the_tac_list_may_lose_a_hundred_entries(desk: Desk) -> None:
    def tacs(count: int) -> str:
        return TAC_HEADER + "".join(f"35{n:06d}|||||\n" for n in range(count))

    desk.strictly("tac", tacs(250))
    assert fails(desk, "shrunk_by", "tac", tacs(149)).measured == 101
    assert passes(desk, "shrunk_by", "tac", tacs(150)).measured == 100


@pytest.mark.parametrize(
    ("old", "new", "absolute", "share"),
    [
        (100, 96, 5, 0.95),
        (100, 95, 5, 0.95),
        (100, 94, 5, 0.90),  # the share alone would let it pass
        (100, 94, 10, 0.95),  # the absolute bound alone would let it pass
        (100, 90, 10, 0.90),
        (100, 0, -1, 0),
        (100, 1, -1, 0.01),
        (100, 0, -1, 0.01),
        (100, 90, 10, 0),
        (100, 89, 10, 0),
        (100, 300, 0, 1),
    ],
)
def test_each_bound_on_shrinking_that_is_on_must_hold_on_its_own(
    tmp_path: Path, old: int, new: int, absolute: int, share: float
) -> None:
    desk = desk_with(tmp_path, f"[checks.barred]\nshrunk_by = {absolute}\nkept_share = {share}\n")
    desk.strictly("barred", imeis(old))
    bounds = [old - absolute] * (absolute >= 0) + [share * old] * (share > 0)
    if new >= max(bounds, default=0):
        assert desk.strictly("barred", imeis(new)).counts.kept == new
    else:
        with desk.unchanged(), pytest.raises(ChecksFailedError):
            desk.strictly("barred", imeis(new))


def test_a_list_that_grows_shrinks_by_nothing(desk: Desk) -> None:
    desk.strictly("subscribers", "uid,imsi\nA,111010000000001\n")
    checks = desk.strictly("subscribers", "uid,imsi\nA,111010000000001\nB,111010000000002\n").checks
    assert {c.check: c.measured for c in checks if c.check in ("shrunk_by", "kept_share")} == {
        "shrunk_by": 0,
        "kept_share": 2,
    }


def test_the_size_of_a_list_is_not_checked_without_one_before_or_for_a_delta(desk: Desk) -> None:
    first = desk.strictly("barred", imeis(4))
    changes = "imei,change_type\n" + "".join(f"35675904{n:06d},remove\n" for n in range(4))
    second = desk.take("barred", changes, delta=True, accepted={})
    third = desk.strictly("barred", imeis(1))
    for taken in (first, second, third):
        assert not {c.check for c in taken.checks} & {"shrunk_by", "kept_share"}


def test_the_policy_may_set_other_limits(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, "[checks.observations]\nnull_imei = 0.5\nquarantined_share = 0\n")
    assert passes(desk, "null_imei", "observations", flawed("null_imei", 50)).limit == 0.5
    assert fails(desk, "null_imei", "observations", flawed("null_imei", 51)).limit == 0.5
    bad = flawed("null_imei", 0, 1000) + "?\n"
    assert fails(desk, "quarantined_share", "observations", bad).measured == round(1 / 1001, 6)


def test_who_takes_a_file_all_the_same_is_on_record_with_his_reason(desk: Desk) -> None:
    text = flawed("null_imei", 6)
    accepted = {"null_imei": "a test network", "null_any": "the same", "null_imsi": "not needed"}
    taken = desk.take("observations", text, accepted=accepted)
    found = {c.check: c for c in desk.workspace.catalogue().ingests[0].checks}
    assert found == {c.check: c for c in taken.checks}
    assert not found["null_imei"].passed
    assert found["null_imei"].accepted_because == "a test network"
    assert found["null_imsi"].passed
    assert found["null_imsi"].accepted_because is None


def test_all_that_failed_is_told_at_once_and_accepting_one_is_not_enough(desk: Desk) -> None:
    text = flawed("null_imei", 6)
    with pytest.raises(ChecksFailedError, match=r"null_imei is 0\.06.*null_any is 0\.06"):
        desk.strictly("observations", text)
    with pytest.raises(ChecksFailedError, match=r"refused: null_any is 0\.06"):
        desk.take("observations", text, accepted={"null_imei": "a test network"})


@pytest.mark.parametrize(
    ("source", "check"), [("barred", "null_imei"), ("barred", "file_dates"), ("tac", "kept")]
)
def test_a_check_that_the_source_does_not_have_cannot_be_accepted(
    desk: Desk, source: str, check: str
) -> None:
    with desk.unchanged(), pytest.raises(UsageError, match=f"{source} has no check '{check}'") as caught:
        desk.take(source, "not even a header", accepted={check: "because"})
    assert all(c.name in caught.value.hint for c in all_checks(source_named(source)))


def test_every_check_there_is_has_its_test_here() -> None:
    tested = {*SHARES, *DAILY, "quarantined_share", "leading_zero_ones", "leading_zero_tacs"}
    tested |= {"file_dates", "days_outside", "from_future", "conflicting_keys", "change_conflicts"}
    tested |= {"adds_present", "removes_absent", "shrunk_by", "kept_share"}
    assert tested == {check.name for source in all_sources().values() for check in all_checks(source)}
