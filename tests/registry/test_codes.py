"""One-time codes: what they prove, what they do not, and what guessing costs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from at_once import at_once, need_postgresql
from django.db import transaction
from drawn import counted_draw
from people import NOW, actor

from ceir.identifiers import Msisdn
from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.codes.allowing import Limits, TooManyCodesError
from ceir.registry.codes.drawing import LETTERS, as_typed, random_draw
from ceir.registry.codes.models import Allowance, Code, Purpose, State
from ceir.registry.codes.proving import CodeError, Issued, Proof, check, forget, issue, use, verify

NUMBER = Msisdn("220000000001")
OTHER = Msisdn("220000000002")
LATER = NOW + timedelta(minutes=1)


def sent(purpose: Purpose = Purpose.CASE, number: Msisdn = NUMBER, **more: object) -> Issued:
    given: dict[str, object] = {"draw": counted_draw(), "actor": actor(Role.CONSUMER), "at": NOW, **more}
    return issue(purpose, number, **given)  # type: ignore[arg-type]


def proven(text: str, purpose: Purpose = Purpose.CASE, number: Msisdn = NUMBER, **more: object) -> Proof:
    given: dict[str, object] = {"actor": actor(Role.CONSUMER), "at": LATER, **more}
    return verify(purpose, number, text, **given)  # type: ignore[arg-type]


def test_whoever_reads_the_code_proves_the_number_once() -> None:
    proof = proven(sent().text)
    me = actor(Role.CONSUMER)
    check(proof, Purpose.CASE, actor=me, at=LATER)
    use(proof, Purpose.CASE, actor=me, at=LATER)
    for again in (use, check):
        with pytest.raises(CodeError):
            again(proof, Purpose.CASE, actor=me, at=LATER)
    assert [e.action for e in Entry.objects.all()] == ["code.issued", "code.proven", "code.used"]


def test_neither_code_nor_number_stands_in_the_database_or_the_record() -> None:
    issued = sent()
    proof = proven(issued.text)
    row = Code.objects.values().get()
    kept = repr(row) + repr(list(Entry.objects.values())) + repr(list(Allowance.objects.values()))
    assert issued.text not in kept
    assert NUMBER.digits not in kept
    assert issued.text not in repr(issued)
    assert NUMBER.digits not in repr(proof)


@pytest.mark.parametrize("typed", ["{0}-{1}", " {0} {1}\n", "{0}\u2013{1}", "arabic"])
def test_a_code_may_be_typed_as_people_do(typed: str) -> None:
    text = sent().text
    given = typed.format(text[:3], text[3:])
    if typed == "arabic":
        given = text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert proven(given).number == NUMBER


def test_a_code_is_for_one_purpose_one_subject_one_number_and_whoever_asked_for_it() -> None:
    text = sent(subject="case:1").text
    wrong: list[Callable[[], object]] = [
        lambda: proven(text),
        lambda: proven(text, subject="case:2"),
        lambda: proven(text, Purpose.TRANSFER, subject="case:1"),
        lambda: proven(text, number=OTHER, subject="case:1"),
        lambda: proven(text, subject="case:1", actor=actor(Role.CONSUMER, "another")),
    ]
    for attempt in wrong:
        with pytest.raises(CodeError) as refused:
            attempt()
        assert refused.value.detail == "The code is wrong or no longer counts."
    proof = proven(text, subject="case:1")
    with pytest.raises(CodeError):
        use(proof, Purpose.CASE, subject="case:2", actor=actor(Role.CONSUMER), at=LATER)
    with pytest.raises(CodeError):
        use(Proof(proof.code, OTHER), Purpose.CASE, subject="case:1", actor=actor(Role.CONSUMER), at=LATER)


def test_five_wrong_tries_spend_a_code_and_the_right_one_comes_too_late() -> None:
    text = sent().text
    for n in range(5):
        with pytest.raises(CodeError):
            proven(f"{n:06}" if f"{n:06}" != text else "999999")
    assert Code.objects.get().state == State.SPENT.value
    with pytest.raises(CodeError):
        proven(text)


def test_a_code_and_what_it_proved_grow_old() -> None:
    text = sent().text
    with pytest.raises(CodeError):
        proven(text, at=NOW + timedelta(minutes=10))
    text = sent(at=NOW + timedelta(minutes=11)).text
    proof = proven(text, at=NOW + timedelta(minutes=12))
    with pytest.raises(CodeError):
        use(proof, Purpose.CASE, actor=actor(Role.CONSUMER), at=NOW + timedelta(minutes=42))


def test_a_newer_code_replaces_the_older_one_but_not_a_strangers() -> None:
    stranger = actor(Role.CONSUMER, "stranger")
    theirs = sent(actor=stranger)
    first = sent(at=NOW + timedelta(minutes=1))
    second = sent(at=NOW + timedelta(minutes=2))
    with pytest.raises(CodeError):
        proven(first.text, at=NOW + timedelta(minutes=3))
    proven(second.text, at=NOW + timedelta(minutes=3))
    proven(theirs.text, actor=stranger, at=NOW + timedelta(minutes=3))


def test_a_number_is_not_flooded_and_a_day_later_everything_counts_anew() -> None:
    sent()
    with pytest.raises(TooManyCodesError, match="a moment ago"):
        sent()
    for n in (1, 2):
        sent(at=NOW + timedelta(minutes=n), actor=actor(Role.CONSUMER, f"c{n}"))
    with pytest.raises(TooManyCodesError, match="within an hour"):
        sent(at=NOW + timedelta(minutes=30))
    for n in range(1, 6):
        sent(at=NOW + timedelta(hours=n * 2))
    with pytest.raises(TooManyCodesError, match="today"):
        sent(at=NOW + timedelta(hours=23))
    sent(at=NOW + timedelta(days=1))


def test_an_actor_neither_floods_many_numbers_nor_guesses_for_ever() -> None:
    limits = Limits(actor_day=3, wrong_day=4)
    texts = [sent(number=Msisdn(f"22000000010{n}"), limits=limits).text for n in range(3)]
    with pytest.raises(TooManyCodesError):
        sent(number=Msisdn("220000000199"), limits=limits)
    for n in range(4):
        with pytest.raises(CodeError):
            proven("000000", number=Msisdn(f"22000000010{n}"), limits=limits)
    with pytest.raises(TooManyCodesError):
        proven(texts[0], number=Msisdn("220000000100"), limits=limits)
    with pytest.raises(CodeError):  # whoever guesses locks nobody else out
        proven("000000", number=Msisdn("220000000100"), limits=limits, actor=actor(Role.CONSUMER, "c2"))


def test_a_service_number_receives_no_code() -> None:
    with pytest.raises(CodeError):
        sent(number=Msisdn("112"))


@pytest.mark.parametrize(
    "given", ["", " ", "\0", "' OR 1=1 --", "<script>", "1" * 5000, "\ud800", "٠", "½", "=1+1", "١٢٣٤٥٦٧"]
)
def test_hostile_texts_are_wrong_codes_and_nothing_else(given: str) -> None:
    sent()
    with pytest.raises(CodeError):
        proven(given)
    assert Code.objects.get().tries_left == 4


def test_an_old_code_is_forgotten() -> None:
    sent()
    assert forget(NOW + timedelta(minutes=5)) == 0
    assert forget(NOW + timedelta(days=2)) == 1
    assert Allowance.objects.count() == 0


def test_drawn_codes_have_the_form_asked_for() -> None:
    draw = random_draw()
    assert len(draw.digits(6)) == 6
    assert draw.digits(6).isdigit()
    letters = draw.letters(8)
    assert len(letters) == 8
    assert set(letters) <= set(LETTERS)
    assert as_typed(letters.lower()) == letters
    assert len(draw.octets(16)) == 16


@pytest.mark.django_db(transaction=True)
def test_a_wrong_try_counts_although_what_it_was_for_fails() -> None:
    sent()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        proven("000000")
    with pytest.raises(CodeError):
        proven("000000")
    assert Code.objects.get().tries_left == 4


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_uses_a_proof() -> None:
    need_postgresql()
    proof, me = proven(sent().text), actor(Role.CONSUMER)
    came_to = at_once(*[lambda: use(proof, Purpose.CASE, actor=me, at=LATER)] * 6)
    assert sorted(type(one).__name__ for one in came_to) == ["CodeError"] * 5 + ["NoneType"]
    verify_record()
