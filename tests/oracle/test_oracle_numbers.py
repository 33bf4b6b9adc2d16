"""Rules that count subscribers, numbers and days."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from .rules import months_before
from .sketch import D, Sketch, hits, imsi, misses

A, B = "35000101234567", "35000201234567"


def used(day: str, number: int | str, msisdn: str = "", imei: str = A, operator: str = "operator1") -> str:
    text = imsi("11101", number) if isinstance(number, int) else number
    return f"{operator}: {day},{imei},{text},{msisdn},"


def test_distinct_imsis_reach_the_threshold_or_not(draw: Sketch) -> None:
    world = draw(used("20240301", 1), used("20240310", 2), used("20240331", 3), used("20240331", 3, imei=B))
    assert hits(world, "too_many_imsis", threshold=3, window_days=31) == {A}
    assert hits(world, "too_many_imsis", threshold=4, window_days=31) == set()
    assert misses(world, "too_many_imsis", threshold=3, window_days=31) == {B}


def test_a_window_of_days_includes_the_run_day_and_excludes_the_day_before_its_start(draw: Sketch) -> None:
    world = draw(used("20240302", 1), used("20240331", 2), used("20240401", 3), used("20240301", 4))
    assert hits(world, "too_many_imsis", threshold=2, window_days=30) == {A}  # [2 March, 31 March]
    assert hits(world, "too_many_imsis", threshold=3, window_days=30) == set()
    assert hits(world, "too_many_imsis", threshold=2, window_days=29) == set()
    assert hits(world, "too_many_imsis", threshold=3, window_days=31) == {A}
    assert hits(world, "too_many_imsis", threshold=4, window_days=31) == set()


@pytest.mark.parametrize(
    ("end", "months", "start"),
    [
        (date(2024, 4, 1), 1, date(2024, 3, 1)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2023, 3, 31), 1, date(2023, 2, 28)),
        (date(2024, 1, 15), 1, date(2023, 12, 15)),
        (date(2024, 1, 15), 13, date(2022, 12, 15)),
        (date(2024, 12, 31), 12, date(2023, 12, 31)),
        (date(2024, 7, 31), 3, date(2024, 4, 30)),
    ],
)
def test_a_window_of_months_starts_on_the_same_day_clipped(end: date, months: int, start: date) -> None:
    assert months_before(end, months) == start


def test_a_window_of_months_is_half_open(draw: Sketch) -> None:
    world = draw(used("20240228", 1), used("20240229", 2), used("20240330", 3), used("20240331", 4))
    day = date(2024, 3, 30)  # end 31 March, start 29 February
    assert hits(world, "too_many_imsis", threshold=2, window_months=1, day=day) == {A}
    assert hits(world, "too_many_imsis", threshold=3, window_months=1, day=day) == set()


def test_only_valid_numbers_count(draw: Sketch) -> None:
    world = draw(
        used("20240331", "11101000000001"),  # 14 digits
        used("20240331", "111010000000002"),  # 15
        used("20240331", "1110100000003"),  # 13: not valid
        used("20240331", ""),
        used("20240331", "", "1234567"),
        used("20240331", "", "123456789012345"),
        used("20240331", "", "123456"),  # 6 digits: not valid
    )
    assert hits(world, "too_many_imsis", threshold=2, window_days=1) == {A}
    assert hits(world, "too_many_imsis", threshold=3, window_days=1) == set()
    assert hits(world, "too_many_imsis", threshold=2, window_days=1, identity="msisdn") == {A}
    assert hits(world, "too_many_imsis", threshold=3, window_days=1, identity="msisdn") == set()


def test_one_imsi_at_two_operators_is_one_imsi(draw: Sketch) -> None:
    world = draw(
        used("20240331", 1), used("20240331", 1, operator="operator2"), used("20240331", 1, "221234567")
    )
    assert hits(world, "too_many_imsis", threshold=2, window_days=1) == set()
    assert hits(world, "too_many_imsis_daily", threshold=Decimal("1.1"), window_days=1) == set()


def test_spellings_of_one_imei_are_one_equipment(draw: Sketch) -> None:
    world = draw(used("20240331", 1, imei=A + "0"), used("20240331", 2, imei=A + "01"))
    assert hits(world, "too_many_imsis", threshold=2, window_days=1) == {A}


def test_the_daily_average_is_exact(draw: Sketch) -> None:
    # ten days: one day of 4, nine of 1 -> 13 / 10
    rows = [used(f"202403{day:02}", 1) for day in range(11, 21)]
    world = draw(*rows, *(used("20240311", number) for number in (2, 3, 4)))
    daily = "too_many_imsis_daily"
    assert hits(world, daily, threshold=Decimal("1.3"), window_days=30) == {A}
    assert hits(world, daily, threshold=Decimal("1.3000000000000000001"), window_days=30) == set()
    assert hits(world, daily, threshold=1.3, window_days=30) == {A}


def test_the_daily_average_asks_for_days_with_a_valid_number(draw: Sketch) -> None:
    rows = [used("20240330", n) for n in (1, 2)] + [used("20240331", n) for n in (1, 3)]
    world = draw(*rows, used("20240329", ""), used("20240328", "123"))
    daily = "too_many_imsis_daily"
    assert hits(world, daily, threshold=Decimal(2), window_days=30, min_seen_days=2) == {A}
    assert hits(world, daily, threshold=Decimal(2), window_days=30, min_seen_days=3) == set()
    assert misses(world, daily, threshold=Decimal(2), window_days=30, min_seen_days=3) == {A}
    assert hits(world, daily, threshold=Decimal("2.01"), window_days=30) == set()
    assert hits(world, daily, threshold=Decimal(2), window_days=30, identity="msisdn") == set()


def test_the_daily_average_can_count_msisdns(draw: Sketch) -> None:
    world = draw(
        used("20240331", 1, "2210000001"), used("20240331", 1, "2210000002"), used("20240330", 1, "12345")
    )
    daily = "too_many_imsis_daily"
    assert hits(world, daily, threshold=Decimal(2), window_days=2, identity="msisdn") == {A}
    assert hits(world, daily, threshold=Decimal("1.01"), window_days=2) == set()


def test_persons_are_counted_by_uid_and_day(draw: Sketch) -> None:
    one, two, three = (imsi("11101", number) for number in (1, 2, 3))
    subscribers = [f"ann,{one}", f"ann,{two}", f"bob,{three}"]
    rows = [used("20240330", one), used("20240330", two), used("20240331", one), used("20240331", three)]
    world = draw(*rows, used("20240329", 4), subscribers=subscribers)
    persons = "too_many_persons_daily"
    # 30 March: Ann; 31 March: Ann and Bob; 29 March: nobody known
    assert hits(world, persons, threshold=Decimal("1.5"), window_days=30, min_seen_days=2) == {A}
    assert hits(world, persons, threshold=Decimal("1.5"), window_days=30, min_seen_days=3) == set()
    assert hits(world, persons, threshold=Decimal("1.51"), window_days=30, min_seen_days=2) == set()
    assert hits(world, persons, threshold=Decimal(2), window_days=1) == {A}


def test_an_imsi_of_two_persons_counts_both_and_no_list_counts_nobody(draw: Sketch) -> None:
    persons = "too_many_persons_daily"
    world = draw(used("20240331", 1), subscribers=[f"ann,{imsi('11101', 1)}", f"bob,{imsi('11101', 1)}"])
    assert hits(world, persons, threshold=Decimal(2), window_days=1) == {A}
    world = draw(used("20240331", 1))
    assert hits(world, persons, threshold=Decimal(2), window_days=1) == set()
    assert misses(world, persons, threshold=Decimal(2), window_days=1) == set()


def test_an_own_imsi_without_subscriber_is_unregistered(draw: Sketch) -> None:
    known = imsi("11101", 1)
    unregistered = "imsi_unregistered"
    world = draw(used("20240331", known), subscribers=[f"ann,{known}"])
    assert hits(world, unregistered, window_days=30) == set()
    assert misses(world, unregistered, window_days=30) == {A}
    world = draw(used("20240331", known), used("20240302", 2), subscribers=[f"ann,{known}"])
    assert hits(world, unregistered, window_days=30) == {A}
    assert hits(world, unregistered, window_days=29) == set()
    world = draw(used("20240331", 2))
    assert hits(world, unregistered, window_days=30) == misses(world, unregistered, window_days=30) == set()


@pytest.mark.parametrize("foreign", [imsi("11103", 1), imsi("22201", 1), "1110100000003"])
def test_only_valid_imsis_of_the_policys_operators_can_be_unregistered(draw: Sketch, foreign: str) -> None:
    assert hits(draw(used("20240331", foreign), subscribers=[]), "imsi_unregistered", window_days=1) == set()


def transient(
    draw: Sketch, numbers: list[str], *more: str, days: tuple[str, ...] = ("20240330", "20240331")
) -> bool:
    world = draw(*(used(day, 1, number) for number in numbers for day in days), *more)
    return hits(world, "transient_numbers", period_days=2) == {A}


def test_numbers_in_even_steps_are_transient(draw: Sketch) -> None:
    assert transient(draw, ["2210000001", "2210000002", "2210000003"])
    assert transient(draw, ["2210000030", "2210000010", "2210000020"])
    assert transient(draw, ["9999999", "10000001", "10000003"])  # as integers, not as text


def test_numbers_in_uneven_steps_or_too_few_are_not_transient(draw: Sketch) -> None:
    assert not transient(draw, ["2210000001", "2210000002", "2210000004"])
    assert not transient(draw, ["2210000001", "2210000002"])
    assert not transient(draw, ["2210000001", "2210000002", "123456"])


def test_the_daily_mean_of_transient_numbers_is_rounded_down(draw: Sketch) -> None:
    numbers = ["2210000001", "2210000002", "2210000003"]
    assert not transient(draw, numbers, days=("20240331",))  # 3 // 2 = 1
    four = [*numbers, "2210000004"]
    seven = [used("20240330", 1, number) for number in four] + [
        used("20240331", 1, number) for number in numbers
    ]
    assert hits(draw(*seven), "transient_numbers", period_days=2, numbers=3) == {A}  # 7 // 2 = 3
    assert hits(draw(*seven), "transient_numbers", period_days=2, numbers=4) == set()
    assert hits(draw(*seven[1:-1]), "transient_numbers", period_days=2, numbers=3) == set()  # 5 // 2 = 2


def test_transient_numbers_belong_to_one_operator_within_the_window(draw: Sketch) -> None:
    numbers = ["2210000001", "2210000002", "2210000003"]
    assert not transient(draw, numbers, used("20240330", "", operator="operator2"))
    assert transient(draw, numbers, used("20240329", "", operator="operator2"))
    assert transient(draw, numbers, used("20240329", 1, "2219999999"))
    assert not transient(draw, numbers, used("20240330", 1, "2219999999"))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (imsi("11101", 1), "home_subscriber"),
        ("11102000000001", "home_subscriber"),
        (imsi("11103", 1), "national_roamer"),
        (imsi("11201", 1), "international_roamer"),
        ("1110100000001", None),
        ("", None),
    ],
)
def test_an_imsi_is_of_one_kind_of_network(draw: Sketch, number: str, kind: str | None) -> None:
    world = draw(used("20240330", number))
    for asked in ("home_subscriber", "national_roamer", "international_roamer"):
        assert hits(world, f"used_by_{asked}", look_back_days=2) == ({A} if asked == kind else set())
        assert misses(world, f"used_by_{asked}", look_back_days=2) == (set() if asked == kind else {A})
        assert hits(world, f"used_by_{asked}", look_back_days=1) == set()


def test_equipment_of_several_kinds_of_user_matches_each(draw: Sketch) -> None:
    world = draw(*(used("20240331", imsi(plmn, 1)) for plmn in ("11101", "11109", "99901")))
    for asked in ("home_subscriber", "national_roamer", "international_roamer"):
        assert hits(world, f"used_by_{asked}", look_back_days=1) == {A}


def _by_walking_days(rows: list[tuple[date, str, str, str, str]], start: date, uid_of: dict[str, str]) -> Any:
    """Per IMEI, day by day with plain sets: what the masks are supposed to mean."""
    imsis: dict[str, set[str]] = defaultdict(set)
    daily: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    persons: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for day, imei, number, _, _ in rows:
        if start <= day <= D:
            imsis[imei].add(number)
            daily[imei][day].add(number)
            if number in uid_of:
                persons[imei][day].add(uid_of[number])
    return imsis, daily, persons


@pytest.mark.parametrize("seed", range(20))
def test_masks_agree_with_walking_day_by_day(draw: Sketch, seed: int) -> None:
    chance = random.Random(seed)
    imeis = [f"3500010123456{n}" for n in range(8)]
    numbers = [imsi("11101", n) for n in range(6)]
    uid_of = {number: f"uid{chance.randrange(3)}" for number in numbers[:4]}
    rows = [
        (
            D + timedelta(days=chance.randrange(-25, 4)),
            chance.choice(imeis),
            chance.choice(numbers),
            f"22100000{chance.randrange(4):02}",
            chance.choice(["operator1", "operator2"]),
        )
        for _ in range(150)
    ]
    lines = [f"{op}: {day:%Y%m%d},{imei},{number},{msisdn}," for day, imei, number, msisdn, op in rows]
    world = draw(*lines, subscribers=[f"{uid},{number}" for number, uid in uid_of.items()])
    span = chance.choice([1, 3, 7, 14])
    imsis, daily, persons = _by_walking_days(rows, D - timedelta(days=span - 1), uid_of)
    for least in (2, 3, 4):
        expected = {imei for imei, found in imsis.items() if len(found) >= least}
        assert hits(world, "too_many_imsis", threshold=least, window_days=span) == expected
    for threshold in (Decimal("1.1"), Decimal("1.5"), Decimal(2)):
        for rule, days_of in (("too_many_imsis_daily", daily), ("too_many_persons_daily", persons)):
            expected = {
                imei
                for imei, days in days_of.items()
                if len(days) >= 2 and sum(map(len, days.values())) >= threshold * len(days)
            }
            assert hits(world, rule, threshold=threshold, window_days=span, min_seen_days=2) == expected
