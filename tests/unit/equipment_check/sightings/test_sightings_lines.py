import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spooling import BLOCKED, MOMENT, Clock, kept, spool

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.equipment_check.sightings import (
    Keeping,
    SightingsError,
    Subscriber,
    closed_segments,
    read_sightings,
    subscriber_key,
)
from ceir.equipment_check.sightings.line import Wording, parse_line

IMSI = 1_001010123456789
KEY = bytes(range(32))
ANSWERS = [Answer(status, reason) for status, reason in itertools.product(EquipmentStatus, Reason)]
QUESTIONS = st.builds(
    Question,
    st.none() | st.integers(0, 10**14 - 1),
    st.none() | st.integers(0, 99),
    st.none() | st.from_regex(r"1[0-9]{1,15}", fullmatch=True).map(int),
)
LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def line(keeping: Keeping, question: Question, answer: Answer = BLOCKED) -> str:
    wording = Wording(keeping)
    return f"{wording.moment(MOMENT)},{wording.rest('s13', answer, question)},1"


@given(
    question=QUESTIONS,
    answer=st.sampled_from(ANSWERS),
    milliseconds=st.integers(0, LATEST * 1000),
    interface=st.from_regex(r"[a-z0-9-]{1,16}", fullmatch=True),
    count=st.integers(1, 10**12),
)
def test_a_line_reads_back_as_what_was_told(
    question: Question, answer: Answer, milliseconds: int, interface: str, count: int
) -> None:
    wording = Wording(Keeping())
    text = wording.moment((milliseconds + 0.5) / 1000)
    found = parse_line(f"{text},{wording.rest(interface, answer, question)},{count}")
    assert found.moment == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert (found.interface, found.imei, found.software_version) == (interface, *question[:2])
    assert found.subscriber == ("" if question.imsi is None else str(question.imsi)[1:])
    assert (found.status, found.reason, found.count) == (answer.status, answer.reason, count)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(QUESTIONS, st.sampled_from(ANSWERS)), min_size=1, max_size=50))
def test_a_spool_that_keeps_everything_gives_back_everything_in_order(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[Question, Answer]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    one = spool(folder, keeping=Keeping(sample_every=1), clock=Clock())
    observe = one.observer("n17")
    for question, answer in told:
        observe(answer, 0.1, question)
    one.start()
    assert one.close()
    assert [(s.imei, s.software_version, s.subscriber, s.status, s.reason) for s in kept(folder)] == [
        (q.imei, q.software_version, "" if q.imsi is None else str(q.imsi)[1:], a.status, a.reason)
        for q, a in told
    ]
    assert (one.written, one.dropped) == (len(told), 0)


@given(
    line=st.one_of(
        st.text(max_size=300),
        st.lists(st.text(st.sampled_from("0123456789abTZ:-., "), max_size=30), min_size=8, max_size=8).map(
            ",".join
        ),
    )
)
def test_what_is_no_line_is_refused_and_never_misread(line: str) -> None:
    with pytest.raises(SightingsError):
        parse_line(line)


@given(data=st.data())
def test_a_line_with_one_character_changed_is_refused_or_means_what_it_says(data: st.DataObject) -> None:
    text = line(Keeping(), Question(1, 7, IMSI))
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :]
    try:
        found = parse_line(changed)
    except SightingsError:
        return
    imei = "" if found.imei is None else f"{found.imei:014}"
    assert changed.split(",")[1:6] == [
        found.interface,
        imei,
        "07" if found.software_version == 7 else f"{found.software_version:02}",
        found.subscriber,
        found.status.value,
    ]


def test_a_keyed_subscriber_is_known_again_and_cannot_be_told_without_the_key() -> None:
    keyed = Keeping(subscriber=Subscriber.KEYED, key=KEY)
    other = Keeping(subscriber=Subscriber.KEYED, key=KEY[::-1])
    found = [
        parse_line(line(k, Question(1, None, i))).subscriber
        for k in (keyed, other)
        for i in (IMSI, IMSI, IMSI + 1)
    ]
    # openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1e1f of the digits 001010123456789
    assert found[0] == found[1] == "4f8f258cef2d0ba3127cfe548f16a8ae"
    assert len(set(found)) == 4
    assert not any("001010123456789" in text for text in found)


def test_a_subscriber_that_is_not_to_be_kept_is_nowhere_in_the_files(tmp_path: Path) -> None:
    one = spool(tmp_path, keeping=Keeping(subscriber=Subscriber.NONE))
    one.observer("s13")(BLOCKED, 0.1, Question(35, 1, IMSI))
    one.start()
    assert one.close()
    assert [s.subscriber for s in kept(tmp_path)] == [""]
    assert b"001010123456789" not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_keyed_subscribers_need_a_key_and_never_fall_back_to_clear(tmp_path: Path) -> None:
    with pytest.raises(SightingsError):
        Keeping(subscriber=Subscriber.KEYED)
    file = tmp_path / "key"
    for text in (None, "", "no hexadecimal", "00" * 31):
        if text is not None:
            file.write_text(text)
        with pytest.raises(SightingsError) as refused:
            subscriber_key(file)
        assert text is None or text == "" or text not in str(refused.value)
    file.write_text("0a" * 32 + "\n")
    assert subscriber_key(file) == b"\n" * 32


@pytest.mark.parametrize("damage", ["no header", "cut off", "not text"])
def test_a_damaged_segment_is_refused_at_the_damage(tmp_path: Path, damage: str) -> None:
    one = spool(tmp_path)
    for imei in range(3):
        one.observer("s13")(BLOCKED, 0.1, Question(imei))
    one.start()
    assert one.close()
    (file,) = closed_segments(tmp_path)
    octets = file.read_bytes()
    file.write_bytes(
        {
            "no header": octets[10:],
            "cut off": octets[:-1],
            "not text": octets.replace(b"002,", b"\xff\xfe2,"),
        }[damage]
    )
    read = read_sightings(file)
    if damage != "no header":
        assert [next(read).imei, next(read).imei] == [0, 1]
    with pytest.raises(SightingsError):
        next(read)
