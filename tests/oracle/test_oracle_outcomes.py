"""Conditions over time, and the lists they lead to."""

from datetime import date, timedelta
from typing import Any

import pytest

from . import UndefinedError, Verdict, World, lists, matches, over_ratio, verdicts
from .sketch import D, Sketch, imsi, policy
from .world import md5_of

A, B, C = "35000101234567", "35000201234567", "86000101234567"
ONE, TWO, ROAMER = imsi("11101", 1), imsi("11102", 2), imsi("22201", 3)
NUMBER = "221234567890"
NEXT = D + timedelta(days=1)

CONDITIONS = """
[conditions.stolen]
reason = "Reported stolen"
grace_days = 0
blocking = true
all = [ { rule = "stolen_local" } ]
[conditions.broken]
reason = "Malformed"
grace_days = 10
blocking = true
max_match_ratio = 0.5
all = [ { rule = "imei_malformed" } ]
[conditions.foreign]
reason = "Stolen abroad"
grace_days = 30
blocking = true
sticky = true
all = [ { rule = "stolen_foreign" } ]
[conditions.told]
reason = "Monitored"
blocking = false
all = [ { rule = "monitored" } ]
"""

P = policy(CONDITIONS)


def seen(
    imei: str, number: str = ONE, msisdn: str = NUMBER, operator: str = "operator1", day: str = "20240315"
) -> str:
    return f"{operator}: {day},{imei},{number},{msisdn},"


def run(world: World, day: date = D, previous: list[Verdict] | None = None) -> list[Verdict]:
    return verdicts(world, P, day, previous)


def lists_of(world: World, day: date = D, changed: dict[str, Any] | None = None) -> dict[Any, Any]:
    rules = policy(CONDITIONS, **(changed or {}))
    return lists(world, rules, day, verdicts(world, rules, day))


def test_a_first_match_starts_its_grace_and_an_informative_one_blocks_never(draw: Sketch) -> None:
    world = draw(seen("12"), seen(A), stolen=[f"{A},,"], monitored=[A], stolen_foreign=[f"{C},,,22"])
    assert run(world) == [
        Verdict("12", "broken", D, date(2024, 4, 10)),
        Verdict(A, "stolen", D, D),
        Verdict(A, "told", D, None),
        Verdict(C, "foreign", D, date(2024, 4, 30)),
    ]


def test_a_match_that_lasts_keeps_its_days_even_when_the_policy_changes_its_grace(draw: Sketch) -> None:
    world = draw(seen("12"))
    first = run(world)
    assert run(world, NEXT, first) == first
    longer = policy(CONDITIONS.replace("grace_days = 10", "grace_days = 90"))
    assert verdicts(world, longer, NEXT, first) == first


def test_a_match_that_ends_and_returns_starts_anew(draw: Sketch) -> None:
    stolen, returned = draw(seen(A), stolen=[f"{A},,"]), draw(seen(A), stolen=[f"{A},,recovered"])
    first = run(stolen)
    second = run(returned, NEXT, first)
    third = run(stolen, NEXT + timedelta(days=1), second)
    assert (len(first), second) == (1, [])
    assert third == [Verdict(A, "stolen", date(2024, 4, 2), date(2024, 4, 2))]


def test_a_sticky_match_stays_and_keeps_its_days(draw: Sketch) -> None:
    first = run(draw(seen(A), stolen_foreign=[f"{A},,,22"]))
    cleared = draw(seen(A), stolen_foreign=[f"{B},,,22"])
    assert run(cleared, NEXT, first) == [
        Verdict(A, "foreign", D, date(2024, 4, 30)),
        Verdict(B, "foreign", NEXT, date(2024, 5, 1)),
    ]


def test_verdicts_of_a_condition_that_left_the_policy_end(draw: Sketch) -> None:
    old = [Verdict(A, "former", D, D)]
    assert run(draw(seen(A)), NEXT, old) == []


def test_a_condition_over_its_ratio_is_named_but_judged_all_the_same(draw: Sketch) -> None:
    half, more = draw(seen("12"), seen(A)), draw(seen("12"), seen("13"), seen(A))
    assert over_ratio(half, P, matches(half, P, D)) == set()
    assert over_ratio(more, P, matches(more, P, D)) == {"broken"}
    assert [verdict.rule for verdict in run(more)] == ["broken", "broken"]


def test_a_condition_without_rules_is_refused(draw: Sketch) -> None:
    with pytest.raises(UndefinedError):
        matches(draw(seen(A)), policy(conditions={"c": {"all": []}}), D)


def test_blocked_is_due_with_earliest_date_and_all_blocking_reasons(draw: Sketch) -> None:
    world = draw(seen("12"), seen(A), stolen=["12,,", f"{B},,"], stolen_foreign=["12,,,22"], monitored=["12"])
    result = lists_of(world)
    assert result["blocked"] == [
        ("12", "20240331", "Malformed|Reported stolen|Stolen abroad"),
        (B, "20240331", "Reported stolen"),
    ]
    assert result["notifications", "operator1"] == []


def test_grace_ends_on_the_block_day(draw: Sketch) -> None:
    world = draw(seen("12"))
    first = run(world)
    assert lists(world, P, date(2024, 4, 9), first)["blocked"] == []
    assert lists(world, P, date(2024, 4, 9), first)["notifications", "operator1"] == [
        ("12", ONE, NUMBER, "20240410", "Malformed")
    ]
    assert lists(world, P, date(2024, 4, 10), first)["blocked"] == [("12", "20240410", "Malformed")]
    assert lists(world, P, date(2024, 4, 10), first)["notifications", "operator1"] == []


def test_one_reason_of_two_conditions_is_given_once(draw: Sketch) -> None:
    world = draw(seen("12"), stolen=["12,,"])
    rules = policy(CONDITIONS.replace('"Malformed"', '"Reported stolen"'))
    assert lists(world, rules, D, verdicts(world, rules, D))["blocked"] == [
        ("12", "20240331", "Reported stolen")
    ]


@pytest.mark.parametrize("row", ["12", md5_of("12"), md5_of("12").upper()])
def test_a_golden_imei_is_neither_blocked_nor_notified(draw: Sketch, row: str) -> None:
    result = lists_of(draw(seen("12"), seen("13"), stolen=["12,,"], golden=[row]))
    assert result["blocked"] == []
    assert [entry[0] for entry in result["notifications", "operator1"]] == ["13"]
    result = lists_of(draw(seen("12"), golden=[row]))
    assert result["notifications", "operator1"] == []


def test_an_informative_verdict_leads_to_no_list(draw: Sketch) -> None:
    result = lists_of(draw(seen(A), monitored=[A]))
    assert all(rows == [] for rows in result.values())


def test_a_verdict_blocks_when_it_has_a_block_day_and_its_condition_still_blocks(draw: Sketch) -> None:
    world = draw(seen("12"), seen("13"))
    former = [Verdict("12", "told", D, D), Verdict("13", "broken", D, None)]
    assert all(rows == [] for rows in lists(world, P, D, former).values())


def test_a_notification_goes_to_the_imsis_own_operator_whoever_reported_it(draw: Sketch) -> None:
    result = lists_of(draw(seen("12", TWO), seen("12", ONE), seen("12", ONE, operator="operator2")))
    entry = (NUMBER, "20240410", "Malformed")
    assert result["notifications", "operator1"] == [("12", ONE, *entry)]
    assert result["notifications", "operator2"] == [("12", TWO, *entry)]


def test_a_notification_for_a_foreign_imsi_goes_to_whoever_reported_the_triplet(draw: Sketch) -> None:
    rows = [seen("12", ROAMER), seen("12", ROAMER, operator="operator2"), seen("12", ROAMER, "7654321")]
    result = lists_of(draw(*rows))
    assert [entry[2] for entry in result["notifications", "operator1"]] == [NUMBER, "7654321"]
    assert [entry[2] for entry in result["notifications", "operator2"]] == [NUMBER]


def test_a_notification_needs_imsi_and_msisdn_within_look_back(draw: Sketch) -> None:
    # 180 days up to 31 March 2024 start on 4 October 2023
    rows = [
        seen("12", ONE, ""),
        seen("12", "", NUMBER),
        seen("13", day="20231003"),
        seen("14", day="20231004"),
        seen("15", day="20240401"),
        seen("16", day="20240331"),
    ]
    assert [entry[0] for entry in lists_of(draw(*rows))["notifications", "operator1"]] == ["14", "16"]


def test_a_paired_imsi_is_not_notified_whatever_its_msisdn(draw: Sketch) -> None:
    rows = [seen("12", ONE), seen("12", TWO), seen("13", ONE)]
    result = lists_of(draw(*rows, pairings=[f"12,{ONE},229999999999"]))
    assert [entry[:2] for entry in result["notifications", "operator1"]] == [("13", ONE)]
    assert [entry[:2] for entry in result["notifications", "operator2"]] == [("12", TWO)]


def test_an_exception_goes_to_the_home_operator_or_else_to_all(draw: Sketch) -> None:
    world = draw(seen(A), pairings=[f"{A}0,{ONE},{NUMBER}", f"{A},{ROAMER},{NUMBER}", f"{A}1,{ONE},{NUMBER}"])
    result = lists_of(world)
    assert result["exceptions", "operator1"] == [(A, ONE, NUMBER), (A, ROAMER, NUMBER)]
    assert result["exceptions", "operator2"] == [(A, ROAMER, NUMBER)]


def test_exceptions_leave_out_the_barred_unless_included(draw: Sketch) -> None:
    pairs = [f"{imei},{ONE},{NUMBER}" for imei in (A, B, C)]
    world = draw(seen(A), pairings=pairs, barred=[A], barred_tacs=["86000101"])
    assert lists_of(world)["exceptions", "operator1"] == [(B, ONE, NUMBER)]
    ranges = [f"{B},{B}", f"{C},{C}"]
    ranged = draw(seen(A), pairings=pairs, barred_ranges=ranges)
    assert lists_of(ranged)["exceptions", "operator1"] == [(A, ONE, NUMBER)]
    options = {"look_back_days": 180, "include_barred_in_exceptions": True}
    assert len(lists_of(ranged, changed={"lists": options})["exceptions", "operator1"]) == 3
    assert len(lists_of(world, changed={"lists": options})["exceptions", "operator1"]) == 3


def test_exceptions_can_be_restricted_to_blocked_imeis(draw: Sketch) -> None:
    pairs = [f"{imei},{ONE},{NUMBER}" for imei in (A, B, "12")]
    world = draw(seen("12"), pairings=pairs, stolen=[f"{A},,"])
    options = {"look_back_days": 180, "restrict_exceptions_to_blocked": True}
    assert lists_of(world, changed={"lists": options})["exceptions", "operator1"] == [(A, ONE, NUMBER)]


def test_every_operator_has_its_lists_even_when_nothing_is_on_them(draw: Sketch) -> None:
    assert lists_of(draw(seen(A))) == {
        "blocked": [],
        ("notifications", "operator1"): [],
        ("exceptions", "operator1"): [],
        ("notifications", "operator2"): [],
        ("exceptions", "operator2"): [],
    }
