"""Rules that look at the equipment, its TAC and the reference lists."""

from datetime import date, timedelta
from typing import Any

import pytest

from . import UndefinedError, matches
from .sketch import D, Sketch, hits, imsi, misses, model, policy

A, B, C = "35000101234567", "35000201234567", "86000101234567"
HOME = imsi("11101", 1)


def seen(imei: str, day: str = "20240315", rat: str = "", number: str = HOME) -> str:
    return f"operator1: {day},{imei},{number},221234567890,{rat}"


def _only(source: str, rows: list[str]) -> dict[str, Any]:
    return {source: rows}


@pytest.mark.parametrize(
    ("raw", "norm", "malformed"),
    [
        ("35000101234567", "35000101234567", False),
        ("350001012345671", "35000101234567", False),
        ("3500010123456701", "35000101234567", False),
        ("35000101234567AB", "35000101234567", False),
        ("3500010123456", "3500010123456", True),
        ("35000101ab*#67", "35000101AB*#67", True),
        ("A5000101234567", "A5000101234567", True),
    ],
)
def test_an_imei_is_malformed_unless_it_normalises_to_fourteen_digits(
    draw: Sketch, raw: str, norm: str, malformed: bool
) -> None:
    world = draw(seen(raw))
    assert hits(world, "imei_malformed") == ({norm} if malformed else set())
    assert misses(world, "imei_malformed") == (set() if malformed else {norm})


@pytest.mark.parametrize(
    ("imei", "placeholder"),
    [
        ("00000000000000", True),
        ("77777777777777", True),
        ("01234567890123", True),
        ("89012345678901", True),
        ("98765432109876", True),
        ("10987654321098", True),
        ("77777777777778", False),
        ("01234567890124", False),
        ("02468024680246", False),
        ("7777777777777", False),
        ("AAAAAAAAAAAAAA", False),
    ],
)
def test_a_placeholder_is_fourteen_digits_all_equal_or_counting_by_one(
    draw: Sketch, imei: str, placeholder: bool
) -> None:
    assert hits(draw(seen(imei)), "imei_placeholder") == ({imei} if placeholder else set())


@pytest.mark.parametrize(
    ("imei", "is_test"),
    [
        ("00100101234567", True),
        ("00101001234567", True),
        ("00101799999999", True),
        ("00101801234567", False),
        ("00100001234567", False),
        ("00440101234567", True),
        ("00860001234567", True),
        ("00919999999999", True),
        ("00450101234567", False),
        ("01001701234567", False),
        ("00440101", True),
        ("0044010", False),
        ("0044010A234567", False),
        ("00440101ABCDEF", True),
    ],
)
def test_a_test_tac_is_eight_digits_that_start_as_a_test_range(
    draw: Sketch, imei: str, is_test: bool
) -> None:
    assert hits(draw(seen(imei)), "test_tac") == ({imei} if is_test else set())


def test_an_unallocated_tac_waits_for_its_reporting_body(draw: Sketch) -> None:
    # "35" has 20 days: 12 March + 20 = 1 April, which is not before the exclusive end, 1 April
    world = draw(seen(A, "20240312"), seen(A, "20240320"), seen(B, "20240311"), seen(C, "20240331"), tac=[])
    assert hits(world, "tac_not_allocated") == {B, C}
    assert misses(world, "tac_not_allocated") == {A}
    assert hits(world, "tac_not_allocated", ignore_delays=True) == {A, B, C}
    assert hits(world, "tac_not_allocated", day=D + timedelta(days=1)) == {A, B, C}


def test_an_allocated_tac_is_the_first_eight_characters_of_a_malformed_imei_too(draw: Sketch) -> None:
    world = draw(
        seen("8600010112", "20240301"), seen("8600020112"), seen("86"), seen(C), tac=[model("86000101")]
    )
    assert hits(world, "tac_not_allocated") == {"8600020112", "86"}
    assert misses(world, "tac_not_allocated") == {"8600010112", C}


def test_without_a_tac_list_no_tac_is_known_to_be_allocated_or_not(draw: Sketch) -> None:
    world = draw(seen(A), seen(C))
    assert hits(world, "tac_not_allocated") == misses(world, "tac_not_allocated") == set()


def test_a_barred_imei_matches_seen_or_not_but_its_negation_asks_for_seen(draw: Sketch) -> None:
    world = draw(seen(A), seen(B), barred=[A + "9", C, "abc"])
    assert hits(world, "imei_barred") == {A, C, "ABC"}
    assert misses(world, "imei_barred") == {B}


def test_a_barred_tac_matches_seen_equipment_only(draw: Sketch) -> None:
    world = draw(seen(A), seen(B), seen("35000101"), barred_tacs=["35000101", "86000101"])
    assert hits(world, "tac_barred") == {A, "35000101"}
    assert misses(world, "tac_barred") == {B}


def test_a_barred_range_matches_seen_well_formed_equipment_from_its_first_to_its_last(draw: Sketch) -> None:
    first, last, after = "35000101234565", "35000101234569", "35000101234570"
    ranges = [f"{first},{last}", f"35000101234568,{last}", "86000101000000,86000101000000"]
    world = draw(
        *(seen(imei) for imei in (first, last, after, "35000101234564", "3500010123456A", "35000101")),
        barred_ranges=ranges,
    )
    assert hits(world, "imei_range_barred") == {first, last}
    assert misses(world, "imei_range_barred") == {
        after, "35000101234564", "3500010123456A", "35000101",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("approval", "approved"),
    [
        ("valid,20240101,20241231", True),
        (",,", True),
        ("valid,20240331,20240331", True),
        ("valid,20240401,", False),
        ("valid,,20240330", False),
        ("suspended,,", False),
        ("withdrawn,20240101,20241231", False),
    ],
)
def test_a_type_approval_counts_while_it_is_in_force(draw: Sketch, approval: str, approved: bool) -> None:
    world = draw(seen(A), tac=[model("35000101")], type_approvals=[f"35000101,c,h,m,{approval}"])
    assert hits(world, "not_type_approved") == (set() if approved else {A})
    assert misses(world, "not_type_approved") == ({A} if approved else set())


def test_type_approval_is_asked_of_known_tacs_only_and_one_approval_in_force_is_enough(draw: Sketch) -> None:
    approvals = ["35000101,c,h,m,withdrawn,,", "35000101,c2,h,m,valid,,"]
    tac = [model("35000101"), model("35000201")]
    world = draw(seen(A), seen(B), seen(C), tac=tac, type_approvals=approvals)
    assert hits(world, "not_type_approved") == {B}
    assert misses(world, "not_type_approved") == {A, C}


def test_type_approval_is_unknown_when_either_list_is_missing(draw: Sketch) -> None:
    for world in (draw(seen(A), tac=[model("35000101")]), draw(seen(A), type_approvals=[])):
        assert hits(world, "not_type_approved") == misses(world, "not_type_approved") == set()


@pytest.mark.parametrize("rule", ["stolen_local", "stolen_foreign"])
def test_a_theft_report_counts_when_its_status_is_empty_or_blacklist(draw: Sketch, rule: str) -> None:
    end = ",22" if rule == "stolen_foreign" else ""
    rows = [
        f"{A},20240101,{end}",
        f"{B},,pending{end}",
        f"{C},20240101,blacklist{end}",
        f"12,,Recovered{end}",
    ]
    source = "stolen" if rule == "stolen_local" else "stolen_foreign"
    world = draw(seen(A), seen(B), **_only(source, rows))
    assert hits(world, rule) == {A, C}
    assert misses(world, rule) == {B}


def test_theft_at_home_and_abroad_are_two_lists(draw: Sketch) -> None:
    world = draw(seen(A), seen(B), stolen=[f"{A},20240101,"], stolen_foreign=[f"{B},20240101,,22"])
    assert hits(world, "stolen_local") == {A}
    assert hits(world, "stolen_foreign") == {B}


@pytest.mark.parametrize(
    ("rule", "source", "present", "absent"),
    [
        ("not_registered", "registrations", f"{A}1,m,m,whitelist,n,b,t,r,d", f"{B},m,m,pending,n,b,t,r,d"),
        ("not_registered", "registrations", f"{A},m,m,,n,b,t,r,d", f"{B},m,m,removed,n,b,t,r,d"),
        ("not_associated", "associations", f"uid1,{A}", f",{B}"),
    ],
)
def test_a_device_that_must_be_entered_somewhere_matches_unless_it_is_or_is_exempt(
    draw: Sketch, rule: str, source: str, present: str, absent: str
) -> None:
    car, near_car, unknown = "86000101234567", "86000201234567", "99000101234567"
    tac = [
        model("35000101"),
        model("35000201"),
        model("86000101", device_type="Vehicle"),
        model("86000201", device_type="Vehicle radio"),
    ]
    world = draw(*map(seen, (A, B, car, near_car, unknown)), tac=tac, **_only(source, [present, absent]))
    assert hits(world, rule) == {B, near_car, unknown}
    assert misses(world, rule) == {A, car}


@pytest.mark.parametrize(
    ("rule", "source"), [("not_registered", "registrations"), ("not_associated", "associations")]
)
def test_an_empty_list_holds_nobody_and_a_missing_list_tells_nothing(
    draw: Sketch, rule: str, source: str
) -> None:
    assert hits(draw(seen(A), tac=[], **_only(source, [])), rule) == {A}
    missing = draw(seen(A), tac=[])
    assert hits(missing, rule) == misses(missing, rule) == set()


def test_exemption_needs_the_tac_list_only_when_types_are_exempt(draw: Sketch) -> None:
    world = draw(seen(A), registrations=[])
    assert hits(world, "not_registered") == misses(world, "not_registered") == set()
    none_exempt = policy(exempt_device_types=[], conditions={"c": {"all": [{"rule": "not_registered"}]}})
    assert matches(world, none_exempt, D)["c"] == {A}


@pytest.mark.parametrize(
    ("bands", "rat", "exceeds"),
    [
        ("GSM 900", "002", False),
        ("GSM 900", "001", True),
        ("GSM 900", "002|006", True),
        ("gsm 900,lte fdd 7", "002|006", False),
        ("GSM 900,LTE FDD 7", "001", True),  # generations are a set, not a ladder
        ("WCDMA 2100", "001|005|102|103", False),
        ("WCDMA 2100", "104", True),
        ("A CDMA 800", "104", False),
        ("CDMA 800", "104", False),
        ("LTE", "008|009|101|105|006", False),
        ("LTE", "010", True),
        ("5G n78", "010", False),
        ("NR n78", "010", False),
        ("LTE 7,nr n78", "010|006", False),
        ("LTE 7 NR n78", "010", False),
        ("UNRATED LTE", "010", True),
        ("Bluetooth", "002", True),
        ("Bluetooth", "003|004|007", False),
        ("GSM 900", "003|004|007", False),
        ("GSM 900", "", False),
    ],
)
def test_equipment_that_uses_a_generation_its_model_lacks_exceeds_it(
    draw: Sketch, bands: str, rat: str, exceeds: bool
) -> None:
    world = draw(seen(A, rat=rat), tac=[model("35000101", bands)])
    assert hits(world, "rat_exceeds_capability") == ({A} if exceeds else set())
    assert misses(world, "rat_exceeds_capability") == (set() if exceeds else {A})


def test_capability_is_that_of_the_model_over_all_its_tacs(draw: Sketch) -> None:
    tac = [model("35000101", "GSM"), model("35000201", "LTE"), model("86000101", "", "Maker/One")]
    world = draw(*(seen(imei, rat="002|006") for imei in (A, B)), seen(C, rat="001"), tac=tac)
    assert hits(world, "rat_exceeds_capability") == {C}
    assert misses(world, "rat_exceeds_capability") == {A, B}


@pytest.mark.parametrize(
    "tac",
    [
        [model("35000101", "")],
        [model("35000101", "GSM", "/One")],
        [model("35000101", "GSM", "Maker/")],
        [model("35000201", "GSM")],
        None,
    ],
)
def test_an_unknown_capability_is_neither_exceeded_nor_kept(draw: Sketch, tac: list[str] | None) -> None:
    world = draw(seen(A, rat="006"), tac=tac)
    assert hits(world, "rat_exceeds_capability") == misses(world, "rat_exceeds_capability") == set()


def test_radio_technologies_are_those_of_all_time(draw: Sketch) -> None:
    world = draw(seen(A, "20150101", "006"), seen(A, "20240330", "002"), tac=[model("35000101", "GSM")])
    assert hits(world, "rat_exceeds_capability") == {A}


def test_monitoring_starts_to_match_when_the_row_is_old_enough(draw: Sketch) -> None:
    world = draw(seen(A), seen(B), monitored=[A, C])
    assert hits(world, "monitored") == {A}  # C was never seen
    assert misses(world, "monitored") == {B}
    assert hits(world, "monitored", since=D - timedelta(days=10), days=10) == {A}
    assert hits(world, "monitored", since=D - timedelta(days=10), days=11) == set()
    assert misses(world, "monitored", since=D - timedelta(days=10), days=11) == {A, B}
    assert hits(world, "monitored", since=D) == {A}
    assert hits(world, "monitored", since=D + timedelta(days=1)) == set()


@pytest.mark.parametrize(("released", "early"), [("", True), ("20240316", True), ("20240315", False)])
def test_an_import_must_be_released_by_the_day_it_is_first_seen(
    draw: Sketch, released: str, early: bool
) -> None:
    world = draw(
        seen(A), seen(A, "20240320"), seen(B), imports=[f"{A},1,i,20240101,{released}", f"{C},1,i,,"]
    )
    assert hits(world, "seen_before_release") == ({A} if early else set())
    assert misses(world, "seen_before_release") == ({B} if early else {A, B})


def test_rules_of_missing_lists_match_neither_way(draw: Sketch) -> None:
    world = draw(seen(A))
    for rule in (
        "imei_barred",
        "tac_barred",
        "imei_range_barred",
        "stolen_local",
        "stolen_foreign",
        "monitored",
        "seen_before_release",
    ):
        assert hits(world, rule) == misses(world, rule) == set()


def test_equipment_counts_as_seen_by_days_after_the_run_unless_reading_stops_before(draw: Sketch) -> None:
    row = seen("8", "20240401")
    assert hits(draw(row), "imei_malformed") == {"8"}
    assert hits(draw(row, until=D), "imei_malformed") == set()
    assert hits(draw(seen("8", "20240331"), until=D), "imei_malformed") == {"8"}
    assert hits(draw(row, tac=[]), "tac_not_allocated") == set()


def test_a_condition_is_the_intersection_of_its_rules(draw: Sketch) -> None:
    world = draw(seen(A), seen(C), tac=[], stolen=[f"{C},20240101,", "99000101234567,20240101,"])
    conditions = {
        "both": {"all": [{"rule": "tac_not_allocated"}, {"rule": "stolen_local"}]},
        "first": {
            "all": [
                {"rule": "tac_not_allocated", "ignore_delays": True},
                {"rule": "stolen_local", "not": True},
            ]
        },
        "unseen_too": {"all": [{"rule": "stolen_local", "not": False}]},
    }
    assert matches(world, policy(conditions=conditions), D) == {
        "both": {C},
        "first": {A},
        "unseen_too": {C, "99000101234567"},
    }


@pytest.mark.parametrize(
    "item",
    [
        {"rule": "no_such_rule"},
        {"rule": "imei_malformed", "days": 1},
        {"rule": "too_many_imsis", "threshold": 2},
        {"rule": "too_many_imsis", "threshold": 2, "window_days": 2, "window_months": 1},
        {"rule": "too_many_imsis", "threshold": 2, "window_days": 2, "identity": "imei"},
        {"rule": "too_many_imsis", "threshold": 2, "window_days": 0},
    ],
)
def test_what_is_not_specified_is_refused(draw: Sketch, item: dict[str, object]) -> None:
    with pytest.raises(UndefinedError):
        matches(draw(seen(A)), policy(conditions={"c": {"all": [item]}}), date(2024, 3, 31))
