"""From verdicts to lists: who is blocked, who is told, who is spared, and what the lists say."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from building import ListName, Register, compact, model_row, registration_row

from .conditions import ABROAD, BARRED, HEAD, STOLEN, TRIAL, WATCHED

D = date(2026, 3, 31)
LATER = date(2026, 4, 20)

A, B, C = "35100001000001", "35100001000002", "35100001000003"
HOME1, HOME2 = "111010000000001", "111020000000002"
NATIONAL, FOREIGN = "111990000000003", "262010000000004"
NUMBER = "220000000001"

Make = Callable[..., Register]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A register under a policy of these parts."""

    def making(*parts: str, mode: str = "permissive") -> Register:
        return Register.make(tmp_path / "register", f'mode = "{mode}"\n' + HEAD + "".join(parts))

    return making


def seen(
    register: Register,
    imei: str,
    imsi: str = HOME1,
    msisdn: str = NUMBER,
    by: str = "operator1",
    on: date = D,
) -> None:
    register.take("observations", [f"{compact(on)},{imei},{imsi},{msisdn},006"], D, operator=by)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


# who is blocked


def test_equipment_is_blocked_from_the_day_its_grace_is_over_and_notified_until_the_day_before(
    make: Make,
) -> None:
    register = make(ABROAD)
    seen(register, A)
    register.take("stolen-foreign", [f"{A},,,XX"], D)
    block = D + timedelta(days=10)
    register.run(D)
    told = [(A, HOME1, NUMBER, compact(block), "Stolen abroad")]
    assert (register.rows("blocked"), register.rows(("notifications", "operator1"))) == ([], told)
    register.run(block - timedelta(days=1))
    assert (register.rows("blocked"), register.rows(("notifications", "operator1"))) == ([], told)
    assert register.rows("tracked") == [(A, compact(D), "Stolen abroad")]
    register.run(block)
    assert register.rows("blocked") == [(A, compact(block), "Stolen abroad")]
    assert register.rows(("notifications", "operator1")) == []
    assert register.rows("tracked") == []
    assert register.rows("tracked", delta=True) == [("removed", "blocked", A, compact(D), "Stolen abroad")]
    gone = register.rows(("notifications", "operator1"), delta=True)
    assert gone == [("removed", "blocked", *told[0])]


def test_the_earliest_block_date_counts_and_all_blocking_reasons_are_told_sorted_and_once(
    make: Make,
) -> None:
    twin = ABROAD.replace("conditions.abroad", "conditions.twin").replace(
        "grace_days = 10", "grace_days = 20"
    )
    register = make(WATCHED, BARRED, STOLEN, twin, ABROAD)
    seen(register, A)
    seen(register, B)
    register.take("stolen-foreign", [f"{A},,,XX", f"{B},,,XX"], D)
    register.take("barred", [A, B], D)
    register.take("monitored", [A, B], D)
    register.take("stolen", [f"{A},,"], D)
    register.run(D)
    assert register.rows("blocked") == [(A, compact(D), "Barred|Stolen|Stolen abroad")]
    assert register.rows(("notifications", "operator1")) == [
        (B, HOME1, NUMBER, "20260410", "Barred|Stolen abroad")
    ]
    assert register.rows("tracked") == [(B, compact(D), "Barred|Stolen abroad|Watched")]


def test_a_condition_that_only_tracks_never_blocks_and_a_trial_reaches_no_list(make: Make) -> None:
    register = make(WATCHED, TRIAL)
    seen(register, A)
    seen(register, "ABC")
    register.take("monitored", [A], D)
    register.run(D)
    register.run(date(2027, 3, 31))
    assert register.labels() == {A: {"watched"}, "ABC": {"trial"}}
    assert register.rows("tracked") == [(A, compact(D), "Watched")]
    assert all(register.rows(name) == [] for name in register.list_names() if name != "tracked")


def test_a_longer_grace_later_moves_no_block_date_and_blocking_switched_off_and_on_starts_a_new_one(
    make: Make,
) -> None:
    register = make(BARRED)
    seen(register, A)
    register.take("barred", [A], D)
    policy = (register.root / "policy.toml").read_text()
    register.run(D)
    first = register.verdicts()
    register.set_policy(policy.replace("grace_days = 30", "grace_days = 90"))
    register.run(LATER)
    assert register.verdicts() == first
    register.set_policy(policy.replace("blocking = true", "blocking = false"))
    register.run(LATER + timedelta(days=1))
    assert register.verdicts() == [first[0]._replace(block_on=None)]
    register.set_policy(policy)
    register.run(LATER + timedelta(days=2))
    assert register.verdicts() == [first[0]._replace(block_on=LATER + timedelta(days=32))]


def test_equipment_first_seen_before_a_condition_began_is_left_alone(make: Make) -> None:
    begun = STOLEN.replace("blocking = true", f"blocking = true\nfirst_seen_from = {D}")
    register = make(begun)
    seen(register, A, on=D - timedelta(days=1))
    seen(register, B, on=D)
    register.take("stolen", [f"{A},,", f"{B},,", f"{C},,"], D)  # C was never seen
    register.run(D)
    assert [row[0] for row in register.rows("blocked")] == [B, C]


# golden equipment


@pytest.mark.parametrize("entry", [A, f"{A}5", md5(A), md5(A).upper()])
def test_golden_equipment_is_never_blocked_nor_notified_nor_tracked(make: Make, entry: str) -> None:
    register = make(STOLEN, ABROAD)
    seen(register, A)
    seen(register, B)
    register.take("stolen", [f"{A},,", f"{B},,"], D)
    register.take("stolen-foreign", [f"{A},,,XX"], D)
    register.take("golden", [entry], D)
    for day in (D, D + timedelta(days=10), D + timedelta(days=300)):
        register.run(day)
        assert register.labels()[A] == {"stolen", "abroad"}
        assert [row[0] for row in register.rows("blocked")] == [B]
        assert all(A not in row for name in register.list_names() for row in register.rows(name))


def test_golden_equipment_in_its_grace_is_not_notified(make: Make) -> None:
    register = make(ABROAD)
    seen(register, A)
    seen(register, "35ab", msisdn="220000000002")
    register.take("stolen-foreign", [f"{A},,,XX", "35AB,,,XX"], D)
    register.run(D)
    assert len(register.rows(("notifications", "operator1"))) == 2
    register.take("golden", [A, "35Ab"], D)
    register.run(D)
    assert register.rows(("notifications", "operator1")) == []
    gone = register.rows(("notifications", "operator1"), delta=True)
    assert {row[:3] for row in gone} == {("removed", "resolved", A), ("removed", "resolved", "35AB")}


def test_equipment_that_is_golden_no_longer_is_blocked_from_the_day_it_always_had(make: Make) -> None:
    register = make(STOLEN)
    seen(register, A)
    register.take("stolen", [f"{A},,"], D)
    golden = register.take("golden", [A], D)
    register.run(D)
    register.undo(golden)
    register.run(LATER)
    assert register.rows("blocked", delta=True) == [("added", "blocked", A, compact(D), "Stolen")]


# who is told


@pytest.mark.parametrize(
    ("imsi", "by", "told"),
    [
        (HOME1, ["operator1"], ["operator1"]),
        (HOME1, ["operator2"], ["operator1"]),
        (HOME2, ["operator1", "operator2"], ["operator2"]),
        (NATIONAL, ["operator2"], ["operator2"]),
        (NATIONAL, ["operator1", "operator3"], ["operator1", "operator3"]),
        (FOREIGN, ["operator3"], ["operator3"]),
        ("01101000000001", ["operator2"], ["operator2"]),  # 14 digits, no network of the policy
        ("1", ["operator1"], ["operator1"]),
    ],
)
def test_the_home_operator_tells_the_subscriber_else_every_operator_that_saw_him(
    make: Make, imsi: str, by: list[str], told: list[str]
) -> None:
    register = make(BARRED)
    register.take("barred", [A], D)
    for operator in by:
        seen(register, A, imsi, by=operator)
    register.run(D)
    row = (A, imsi, NUMBER, "20260430", "Barred")
    found = {n: register.rows(("notifications", n)) for n in ("operator1", "operator2", "operator3")}
    assert found == {n: [row] if n in told else [] for n in found}


def test_who_cannot_be_told_apart_or_called_is_not_told(make: Make) -> None:
    register = make(BARRED)
    register.take("barred", [A, B, C], D)
    seen(register, A, imsi="")
    seen(register, B, msisdn="")
    register.run(D)
    assert register.rows(("notifications", "operator1")) == []
    assert [row[0] for row in register.rows("tracked")] == [A, B, C]


def test_only_subscribers_of_the_look_back_are_told_its_first_day_included(make: Make) -> None:
    register = make("[lists]\nlook_back_days = 40\n", BARRED)
    register.take("barred", [A, B, C], D)
    first = D - timedelta(days=39)  # in the month before the last
    assert first.month == 2
    seen(register, A, on=first)
    seen(register, B, on=first - timedelta(days=1))
    seen(register, C, on=D + timedelta(days=1))
    register.run(D)
    assert [row[0] for row in register.rows(("notifications", "operator1"))] == [A]


def test_a_paired_subscriber_is_not_told_whatever_his_number_but_others_of_the_device_are(
    make: Make,
) -> None:
    register = make(BARRED)
    register.take("barred", [A], D)
    seen(register, A, HOME1)
    seen(register, A, HOME1, msisdn="220000000009")
    seen(register, A, HOME2)
    register.run(D)
    assert len(register.rows(("notifications", "operator1"))) == 2
    register.take("pairings", [f"{A},{HOME1},"], D)
    register.run(D)
    assert register.rows(("notifications", "operator1")) == []
    assert [row[1] for row in register.rows(("notifications", "operator2"))] == [HOME2]


PAIRED_REASONS = {
    "not barred": ABROAD,
    "barred, so that the exception list leaves it out": ABROAD + BARRED,
    "not blocked yet, which the exception list asks for": "[lists]\nrestrict_exceptions_to_blocked = true\n"
    + ABROAD,
}


@pytest.mark.parametrize("policy", PAIRED_REASONS.values(), ids=PAIRED_REASONS)
def test_the_reason_to_stop_telling_a_paired_subscriber_is_the_pairing(make: Make, policy: str) -> None:
    register = make(policy)
    register.take("stolen-foreign", [f"{A},,,XX"], D)
    register.take("barred", [A] if "barred" in policy and "rule" in policy else [B], D)
    seen(register, A)
    register.run(D)
    register.take("pairings", [f"{A},{HOME1},{NUMBER}"], D)
    register.run(D)
    gone = register.rows(("notifications", "operator1"), delta=True)
    assert [row[:3] for row in gone] == [("removed", "paired", A)]


def test_who_was_not_seen_with_it_for_long_leaves_the_list_for_that_reason(make: Make) -> None:
    register = make("[lists]\nlook_back_days = 5\n", BARRED)
    register.take("barred", [A], D)
    seen(register, A)
    register.run(D)
    register.run(D + timedelta(days=5))
    gone = register.rows(("notifications", "operator1"), delta=True)
    assert [row[:3] for row in gone] == [("removed", "no_longer_seen", A)]


def test_a_condition_that_is_over_leaves_the_lists_as_resolved(make: Make) -> None:
    register = make(BARRED, STOLEN)
    register.take("barred", [A, B], D)
    register.take("stolen", [f"{C},,"], D)
    seen(register, A)
    register.run(D)
    register.take("barred", [B], D)
    register.take("stolen", [f"{C},,recovered"], D)
    register.run(D)
    gone = register.rows(("notifications", "operator1"), delta=True)
    assert [row[:3] for row in gone] == [("removed", "resolved", A)]
    assert [row[:3] for row in register.rows("tracked", delta=True)] == [("removed", "resolved", A)]
    assert [row[:3] for row in register.rows("blocked", delta=True)] == [("removed", "unblocked", C)]


# exceptions


def exceptions(register: Register, *operators: str) -> dict[str, list[str]]:
    return {n: [row[0] for row in register.rows(("exceptions", n))] for n in operators}


def pair_four(register: Register) -> None:
    """A stolen, B barred, C of a barred TAC, and a malformed one; all paired."""
    other = "35200001000003"
    register.take("stolen", [f"{A},,"], D)
    register.take("barred", [B], D)
    register.take("barred-tacs", ["35200001"], D)
    register.take(
        "pairings", [f"{imei},{HOME1},{NUMBER}" for imei in (A, B, other, "ABC", "35200001X"[:8])], D
    )
    seen(register, A)
    register.run(D)


def test_barred_equipment_and_models_are_left_out_of_the_exceptions(make: Make) -> None:
    register = make(STOLEN, BARRED)
    pair_four(register)
    assert exceptions(register, "operator1", "operator2") == {"operator1": [A, "ABC"], "operator2": []}


def test_barred_equipment_stays_in_the_exceptions_where_the_policy_says_so(make: Make) -> None:
    register = make("[lists]\ninclude_barred_in_exceptions = true\n", STOLEN, BARRED)
    pair_four(register)
    found = exceptions(register, "operator1")["operator1"]
    assert found == ["35100001000001", "35100001000002", "35200001", "35200001000003", "ABC"]


@pytest.mark.parametrize(("included", "left"), [("false", ["00000000000001", C]), ("true", None)])
def test_equipment_in_barred_ranges_is_left_out_of_the_exceptions_unless_the_policy_says_so(
    make: Make, included: str, left: list[str] | None
) -> None:
    register = make(f"[lists]\ninclude_barred_in_exceptions = {included}\n", STOLEN)
    paired = ["00000000000001", A, B, C, "35100001"]
    register.take("pairings", [f"{imei},{HOME1},{NUMBER}" for imei in paired], D)
    register.take("barred-ranges", [f"{A},{B}", f"{B},{B}"], D)
    seen(register, A)
    register.run(D)
    assert exceptions(register, "operator1")["operator1"] == sorted([*left, "35100001"] if left else paired)


def test_exceptions_can_be_kept_to_blocked_equipment(make: Make) -> None:
    register = make("[lists]\nrestrict_exceptions_to_blocked = true\n", STOLEN, BARRED)
    pair_four(register)
    assert exceptions(register, "operator1") == {"operator1": [A]}


def test_malformed_equipment_can_be_kept_out_of_all_lists(make: Make) -> None:
    register = make("[lists]\ninclude_malformed = false\n", STOLEN, BARRED, WATCHED, mode="restrictive")
    register.take("monitored", ["AC"], D)
    register.take("registrations", [registration_row("AD"), registration_row(C)], D)
    register.take("stolen", [f"{A},,", "AA,,"], D)
    register.take("barred", ["AB"], D)
    register.take("pairings", [f"AE,{HOME1},{NUMBER}"], D)
    for imei in ("AA", "AB", "AC", "AD", "AE"):
        seen(register, imei)
    register.run(D)
    found = {row[0] for name in register.list_names() for row in register.rows(name)}
    assert found == {A, C}
    assert set(register.labels()) == {A, "AA", "AB", "AC"}


def test_an_exception_goes_to_the_subscribers_operator_or_where_nobody_knows_him_to_all(make: Make) -> None:
    register = make(STOLEN)
    register.take("pairings", [f"{A},{HOME2},", f"{B},{NATIONAL},{NUMBER}"], D)
    seen(register, C)
    register.run(D)
    assert register.rows(("exceptions", "operator1")) == [(B, NATIONAL, NUMBER)]
    assert register.rows(("exceptions", "operator2")) == [(A, HOME2, ""), (B, NATIONAL, NUMBER)]
    assert register.rows(("exceptions", "operator3")) == [(B, NATIONAL, NUMBER)]


# how identities are written


def test_with_check_digits_every_list_writes_fifteen_digits_and_malformed_ones_verbatim(make: Make) -> None:
    register = make("[lists]\ncheck_digit = true\n", STOLEN, BARRED, WATCHED, mode="restrictive")
    register.take("stolen", ["49015420323751,,", "00000000000000,,"], D)
    register.take("barred", ["35209900176148", "35ab"], D)
    register.take("registrations", [registration_row("35693803564380")], D)
    register.take("pairings", [f"86831303987631,{HOME1},{NUMBER}"], D)
    seen(register, "35209900176148")
    register.run(D)
    assert [row[0] for row in register.rows("blocked")] == ["000000000000000", "490154203237518"]
    assert [row[0] for row in register.rows("tracked")] == ["352099001761481", "35AB"]
    assert [row[0] for row in register.rows("permitted")] == ["356938035643809"]
    assert [row[0] for row in register.rows(("notifications", "operator1"))] == ["352099001761481"]
    assert exceptions(register, "operator1") == {"operator1": [luhn("86831303987631")]}
    assert all(len(imei) <= 14 for imei in register.labels())


def luhn(digits: str) -> str:
    """The digits with their check digit, the long way round."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def test_check_digits_switched_on_replace_every_row_once(make: Make) -> None:
    register = make(STOLEN)
    register.take("stolen", ["49015420323751,,"], D)
    policy = (register.root / "policy.toml").read_text()
    seen(register, A)
    register.run(D)
    register.set_policy(policy + "[lists]\ncheck_digit = true\n")
    register.run(D)
    assert {row[0]: row[2] for row in register.rows("blocked", delta=True)} == {
        "removed": "49015420323751",
        "added": "490154203237518",
    }


# restrictive mode


def test_a_restrictive_policy_permits_registered_and_golden_equipment_that_is_not_blocked(
    make: Make,
) -> None:
    unregistered = STOLEN.replace("stolen_local", "not_registered").replace(
        "conditions.stolen", "conditions.new"
    )
    register = make(STOLEN, unregistered, mode="restrictive")
    golden, unknown = "35100001000008", "35100001000009"
    register.take(
        "registrations",
        [registration_row(A), registration_row(B, "whitelist"), registration_row(C, "pending")],
        D,
    )
    register.take("stolen", [f"{B},,"], D)
    register.take("golden", [golden], D)
    for imei in (A, golden, unknown):
        seen(register, imei)
    register.run(D)
    assert register.rows("permitted") == [(A,), (golden,)]
    assert [row[0] for row in register.rows("blocked")] == [B, unknown]
    register.take("registrations", [registration_row(B), registration_row(C)], D)
    register.take("stolen", [f"{A},,"], D)
    register.run(D)
    assert register.rows("permitted", delta=True) == [
        ("removed", "blocked", A),
        ("added", "permitted", B),
        ("added", "permitted", C),
    ]
    register.take("registrations", [registration_row(B)], D)
    register.run(D)
    assert register.rows("permitted", delta=True) == [("removed", "no_longer_registered", C)]


def test_a_permissive_policy_publishes_no_permitted_list(make: Make) -> None:
    register = make(STOLEN)
    seen(register, A)
    register.run(D)
    assert not register.list_file("permitted").exists()


# amnesty

EVALUATION, END = date(2026, 4, 30), date(2026, 6, 30)

AMNESTY = f"""
[amnesty]
enabled = true
evaluation_until = {EVALUATION}
amnesty_until = {END}
"""
ELIGIBLE = """
[conditions.unallocated]
all = [{ rule = "tac_not_allocated" }]
reason = "Never allocated"
grace_days = 20
blocking = true
amnesty_eligible = true
"""


def test_an_amnesty_goes_through_its_phases(make: Make) -> None:
    register = make(AMNESTY, ELIGIBLE, STOLEN)
    register.take("tac", [model_row("35100001")], D)
    register.take("stolen", [f"{C},,"], D)
    old, new, gone = "35999999000001", "35999999000002", "35999998000003"
    seen(register, old)
    seen(register, gone, msisdn="220000000003")

    # evaluation: granted without a date, nobody is told; what is not eligible is blocked as ever
    register.run(EVALUATION - timedelta(days=1))
    assert {(v.imei, v.block_on) for v in register.verdicts()} == {
        (old, None),
        (gone, None),
        (C, EVALUATION - timedelta(days=1)),
    }
    assert register.rows(("notifications", "operator1")) == []
    assert [row[0] for row in register.rows("blocked")] == [C]
    assert register.rows("tracked") == []

    # its last day still grants
    seen(register, new, msisdn="220000000002", on=EVALUATION)
    register.run(EVALUATION)
    assert {v.block_on for v in register.verdicts() if v.imei == new} == {None}

    # amnesty: the granted are told its last day, newcomers are treated as ever
    day = EVALUATION + timedelta(days=1)
    late = "35999999000004"
    seen(register, late, msisdn="220000000004", on=day)
    register.run(day)
    regular = day + timedelta(days=20)
    told = {(row[0], row[3], row[5]) for row in register.rows(("notifications", "operator1"))}
    assert told == {
        (old, compact(END), "1"),
        (new, compact(END), "1"),
        (gone, compact(END), "1"),
        (late, compact(regular), "0"),
    }

    # who leaves and returns in the amnesty is a newcomer
    register.take("tac", [model_row("35100001"), model_row("35999998")], D)
    register.run(day + timedelta(days=1))
    register.take("tac", [model_row("35100001")], D)
    back = day + timedelta(days=2)
    register.run(back)
    assert {v.block_on for v in register.verdicts() if v.imei == gone} == {back + timedelta(days=20)}

    # the end: blocked from that day on
    register.run(END - timedelta(days=1))
    assert {row[0] for row in register.rows("blocked")} == {C, late, gone}
    register.run(END)
    assert {row[0] for row in register.rows("blocked")} == {C, late, gone, old, new}
    register.run(END + timedelta(days=40))
    assert {(row[0], row[1]) for row in register.rows("blocked") if row[0] == old} == {(old, compact(END))}


def test_moved_dates_of_an_amnesty_count_from_the_next_run(make: Make) -> None:
    register = make(AMNESTY, ELIGIBLE)
    policy = (register.root / "policy.toml").read_text()
    register.take("tac", [model_row("35100001")], D)
    seen(register, "35999999000001")
    register.run(EVALUATION)
    register.run(EVALUATION + timedelta(days=1))
    assert [v.block_on for v in register.verdicts()] == [END]
    moved = date(2026, 9, 30)
    register.set_policy(policy.replace(str(END), str(moved)))
    register.run(EVALUATION + timedelta(days=2))
    assert [v.block_on for v in register.verdicts()] == [moved]
    changes = register.rows(("notifications", "operator1"), delta=True)
    assert [row[:2] for row in changes] == [("changed", "changed")]
    assert changes[0][5] == compact(moved)


def test_golden_equipment_with_an_amnesty_is_not_told_either(make: Make) -> None:
    register = make(AMNESTY, ELIGIBLE)
    register.take("tac", [model_row("35100001")], D)
    register.take("golden", ["35999999000001"], D)
    seen(register, "35999999000001")
    register.run(EVALUATION)
    register.run(EVALUATION + timedelta(days=1))
    assert register.rows(("notifications", "operator1")) == []


def test_an_amnesty_that_begins_or_ends_between_two_publications_changes_every_notification_once(
    make: Make,
) -> None:
    register = make(ELIGIBLE, BARRED)
    policy = (register.root / "policy.toml").read_text()
    register.take("tac", [model_row("35100001")], D)
    register.take("barred", [A], D)
    seen(register, A)
    names: ListName = ("notifications", "operator1")
    register.run(D)
    assert register.rows(names) == [(A, HOME1, NUMBER, "20260430", "Barred")]
    register.set_policy(policy + AMNESTY)
    register.run(D)
    assert register.rows(names) == [(A, HOME1, NUMBER, "20260430", "Barred", "0")]
    assert register.rows(names, delta=True) == [("changed", "changed", *register.rows(names)[0])]
    register.set_policy(policy)
    register.run(D)
    assert register.rows(names) == [(A, HOME1, NUMBER, "20260430", "Barred")]
    assert register.rows(names, delta=True) in ([], [("changed", "changed", *register.rows(names)[0])])
