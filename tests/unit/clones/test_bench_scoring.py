"""The scorer on cases small enough to reckon by hand."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from clones.scoring import Claim, Scored, curve, days_to_detect, least_recall_at, ratio
from clones.truths import Identity, LabelsError, Line, identities, read_labels

DAY = date(2026, 10, 31)


def line(imsi: str, *, genuine: bool = True, in_use: bool = True) -> Line:
    return Line(imsi, "operator1", genuine, in_use)


def identity(
    imei: str, klass: str = "", world: str = "w", story: str = "resale", *, aside: bool = False
) -> Identity:
    lines = (line("1"), line("2", genuine=not klass))
    copies = int(bool(klass))
    return Identity(world, imei, klass, story, copies, DAY if klass else None, aside, lines)


FAR, NEAR, SOLD, FAMILY = (
    identity("far", "clone_far"),
    identity("near", "clone_near"),
    identity("sold"),
    identity("family", story="family_phone"),
)
ALL = (FAR, NEAR, SOLD, FAMILY)


def test_precision_and_recall_are_the_plain_quotients() -> None:
    scored = Scored.of(ALL, {("w", "far"), ("w", "sold")})
    assert (scored.precision().hits, scored.precision().of) == (1, 2)
    assert (scored.recall().hits, scored.recall().of) == (1, 2)
    assert {name: rate.value for name, rate in scored.recalls().items()} == {
        "clone_far": 1.0,
        "clone_near": 0.0,
    }
    assert scored.false_calls() == {"resale": 1}


def test_what_is_set_aside_is_neither_right_nor_wrong() -> None:
    scored = Scored.of((*ALL, identity("zeros", aside=True)), {("w", "zeros"), ("w", "far")})
    assert scored.precision().value == 1.0


def test_blocking_a_whole_identity_cuts_the_genuine_line_too() -> None:
    cut = Scored.of(ALL, {("w", "far")}).cut_lines(None)
    assert (cut.hits, cut.of) == (1, 2)


def test_with_answers_about_subscribers_only_those_called_clones_are_cut() -> None:
    claims = {("far", "1"): Claim("genuine"), ("far", "2"): Claim("clone")}
    cut = Scored.of(ALL, {("w", "far")}).cut_lines(claims)
    assert (cut.hits, cut.of) == (0, 1)
    undecided = {("far", "1"): Claim("undecided"), ("far", "2"): Claim("undecided")}
    assert Scored.of(ALL, {("w", "far")}).cut_lines(undecided).of == 0


def test_a_line_that_is_no_longer_used_is_not_cut() -> None:
    gone = Identity(
        "w", "x", "clone_far", "", 1, DAY, False, (line("1", in_use=False), line("2", genuine=False))
    )
    assert Scored.of((gone,), {("w", "x")}).cut_lines(None).of == 1


def test_abstaining_lowers_what_is_decided_and_not_what_is_right() -> None:
    claims = {
        ("far", "1"): Claim("genuine"), ("far", "2"): Claim("clone"),
        ("near", "1"): Claim("undecided"), ("near", "2"): Claim("undecided"),
    }  # fmt: skip
    picks = Scored.of(ALL, {("w", "far"), ("w", "near")}).picks(claims)
    assert picks["right"].value == 1.0
    assert picks["decided"].value == 0.5
    assert picks["resolved"].value == 0.5
    wrong = Scored.of(ALL, {("w", "far")}).picks(
        {("far", "1"): Claim("clone"), ("far", "2"): Claim("genuine")}
    )
    assert wrong["right"].value == 0.0
    assert wrong["genuine_right"].value == 0.0


def test_an_interval_is_the_same_for_the_same_seed_and_holds_the_value() -> None:
    hits, of = [1.0] * 30 + [0.0] * 10, [1.0] * 40
    worlds = ["a"] * 20 + ["b"] * 20
    one, again = (ratio(hits, of, worlds, seed) for seed in (1, 1))
    assert one == again
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0.75 < one.high


def test_no_hit_in_a_hundred_still_may_be_three() -> None:
    none = ratio([0.0] * 100, [1.0] * 100, ["a"] * 100, 1)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.0295, abs=0.0005)
    assert ratio([], [], [], 1).value is None


def test_a_curve_calls_equal_scores_together() -> None:
    points = curve(ALL, {("w", "far"): 3.0, ("w", "near"): 1.0, ("w", "sold"): 1.0})
    assert [(p["precision"], p["recall"]) for p in points] == [(1.0, 0.5), (pytest.approx(0.66667), 1.0)]
    assert least_recall_at(points, 0.99) == 0.5


def test_those_never_called_count_as_longer_than_any() -> None:
    truth = {i.imei: i for i in (FAR, identity("far2", "clone_far"), identity("far3", "clone_far"))}
    told = days_to_detect(truth, {"far": DAY + timedelta(days=5)}, DAY + timedelta(days=30))["clone_far"]
    assert told["called"] == 1
    assert told["median_days"] is None


def test_the_truth_of_an_identity_is_read_from_its_uses() -> None:
    def use(imsi: str, label: str, device: int, *, holder: bool, first: int) -> dict[str, object]:
        return {
            "imei": "x", "imsi": imsi, "operator": "operator1", "label": label, "story": "ordinary",
            "is_genuine_holder": holder, "device_id": device, "first_seen": DAY - timedelta(days=first),
            "last_seen": DAY - timedelta(days=min(first, 40)),
        }  # fmt: skip

    uses = [
        use("1", "genuine", 1, holder=True, first=60),
        use("2", "clone_cluster", 2, holder=False, first=20),
        use("3", "clone_cluster", 3, holder=False, first=10),
    ]
    found = identities(uses, "w", DAY)["x"]
    assert (found.klass, found.copies, found.copied_on) == ("clone_cluster", 2, DAY - timedelta(days=20))
    assert [(ln.imsi, ln.genuine, ln.in_use) for ln in found.lines] == [
        ("1", True, False), ("2", False, True), ("3", False, True),
    ]  # fmt: skip


def test_labels_of_an_operator_are_read_hashed_or_not(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("imei,imsi,truth\nab12,f1,genuine\nab12,f2,clone\ncd34,f3,innocent\ncd34,f4,innocent\n")
    found = read_labels(file, "own")
    assert found["ab12"].klass == "labelled"
    assert not found["cd34"].klass
    assert [ln.genuine for ln in found["ab12"].lines] == [True, False]


def test_the_check_digit_of_a_label_makes_no_other_identity(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("imei,imsi,truth\n356759040000012,1,genuine\n35675904000001,2,clone\n")
    assert list(read_labels(file, "own")) == ["35675904000001"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("imei;imsi;truth\n", "first line"),
        ("imei,imsi,truth\na,b,maybe\n", "line 2"),
        ("imei,imsi,truth\na,b,innocent\na,c,clone\n", "innocent and copied"),
        ("imei,imsi,truth\na,b,genuine\na,b,clone\n", "two truths"),
        ("imei,imsi,truth\n,b,clone\n", "line 2"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(LabelsError, match=fault):
        read_labels(file, "own")
