from collections import Counter
from pathlib import Path

import pytest

from ceir.equipment_check import Question
from ceir.interfaces.load import mix
from ceir.interfaces.load.mix import MixError, made_up, mixed, read_questions


def written(folder: Path, text: str) -> Path:
    path = folder / "asked.csv"
    path.write_text(text)
    return path


def test_made_up_questions_are_the_same_for_the_same_seed_only() -> None:
    assert made_up(500, 7) == made_up(500, 7)
    assert made_up(500, 7) != made_up(500, 8)


def test_made_up_questions_look_like_a_network_s() -> None:
    questions = made_up(20_000, 1)
    tacs = Counter(question.imei // 1_000_000 for question in questions if question.imei is not None)
    assert len(questions) == 20_000
    assert all(len(f"{question.imei:014}") == 14 for question in questions)
    assert {f"{tac:08}"[:2] for tac in tacs} == {"35", "86", "01"}
    assert sum(count for _, count in tacs.most_common(40)) > 10_000, "few models have most of the equipment"
    assert len({question.imei for question in questions}) > 15_000
    with_version = sum(question.software_version is not None for question in questions)
    assert 17_500 < with_version < 18_500
    assert all(0 <= (question.software_version or 0) <= 99 for question in questions)
    subscribers = [str(question.imsi) for question in questions if question.imsi is not None]
    assert 18_700 < len(subscribers) < 19_300
    assert {(text[:6], len(text)) for text in subscribers} == {("100101", 16)}


def test_a_share_of_the_mix_asks_about_listed_equipment() -> None:
    plain, listed = made_up(9_000, 1), [Question(number) for number in range(11, 21)]
    made = mixed(plain, listed, 0.1, 3)
    hits = [question for question in made if question.imei in range(11, 21)]
    assert 0.09 < len(hits) / len(made) < 0.11
    assert [question for question in made if question.imei not in range(11, 21)] == list(plain)
    assert sum(question.imsi is not None for question in hits) > 0.9 * len(hits), "somebody uses it"
    assert mixed(plain, listed, 0.1, 3) == made
    assert mixed(plain, listed, 0, 3) == list(plain)


def test_what_a_file_tells_of_listed_equipment_is_asked_as_it_is() -> None:
    told = Question(11, 3, 1001010123456789)
    assert set(mixed(made_up(100, 1), [told], 0.5, 1)) - set(made_up(100, 1)) == {told}


@pytest.mark.parametrize("share", [-0.1, 1.0, 7, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(MixError):
        mixed(made_up(1, 1), made_up(1, 2), share, 1)


def test_a_file_may_be_one_imei_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "35209900176148\n\n352099001761481\n 3520990017614807 \n01234567890123\n")
    found = read_questions(path, 1)
    assert found.questions == (
        Question(35209900176148),
        Question(35209900176148),
        Question(35209900176148, 7),
        Question(1234567890123),
    )
    assert (found.skipped, found.left_out) == (0, 0)


def test_a_file_may_name_its_columns_in_any_order_and_case(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "IMSI,note,Software_Version, imei\n"
        "001010123456789,x,07,35209900176148\n"
        ",,,35209900176149\n"
        "262019876543210,,,3520990017615042\n"
        ",,9\n"
        ",,,3520990017615\n"
        ",,x,35209900176150\n",
    )
    found = read_questions(path, 1)
    assert found.questions == (
        Question(35209900176148, 7, 1001010123456789),
        Question(35209900176149),
        Question(35209900176150, 42, 1262019876543210),
    )
    assert found.skipped == 3


def test_a_published_list_will_do_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, "imei,block_date,reasons\n35209900176150,20261031,stolen\nABCDEF,20261031,x\n")
    found = read_questions(path, 1)
    assert found.questions == (Question(35209900176150),)
    assert found.skipped == 1


def test_of_a_long_file_some_are_drawn_from_all_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mix, "MOST_QUESTIONS", 100)
    path = written(tmp_path, "".join(f"{10**13 + number}\n" for number in range(10_000)))
    found = read_questions(path, 1)
    places = [question.imei - 10**13 for question in found.questions if question.imei is not None]
    assert (len(places), found.left_out) == (100, 9_900)
    assert 3_500 < sum(places) / 100 < 6_500
    assert read_questions(path, 1) == found
    assert read_questions(path, 2) != found


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "no IMEI"),
        ("imei\nabc\n", "no IMEI"),
        ("equipment,imsi\n35209900176148,1\n", "no column imei"),
        ("equipment\n", "no column imei"),
        ("imei\n\xe9\n", "cannot be read"),
        ('imei\n"' + "3" * 200_000, "cannot be read"),
    ],
)
def test_a_file_without_questions_is_refused_and_says_why(tmp_path: Path, text: str, detail: str) -> None:
    path = tmp_path / "asked.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(MixError, match=detail) as told:
        read_questions(path, 1)
    assert told.value.hint


def test_what_is_no_name_of_a_column_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(MixError) as told:
        read_questions(written(tmp_path, "equipment,3520990017614\n"), 1)
    assert "equipment" in told.value.hint
    assert "352" not in told.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MixError, match="No such file"):
        read_questions(tmp_path / "nothing", 1)
