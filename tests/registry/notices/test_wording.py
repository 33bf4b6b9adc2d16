"""What a notice says: readable in each language, and nothing in it to tap on or turned round."""

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceir.registry.gateways._texts import encode
from ceir.registry.notices.models import Event
from ceir.registry.notices.terms import NoticeTerms, NoticeTermsError, QuietHours
from ceir.registry.notices.wording import (
    Told,
    WordingError,
    has_link,
    is_plain,
    named_by,
    render,
    render_matter,
    safe,
    wording_of,
    wordings,
    wordings_with,
)

DAY = date(2026, 12, 1)
TOLD = Told("Regulator", 35_000_000_000_000, "", DAY, "*123#", "12345678", "It was never allocated.", True)
QUIET = QuietHours.of(time(21), time(8), "UTC")

HOSTILE = [
    "See http://evil.example/x", "www.evil.example", "evil.example/pay", "evil。example", "a@evil.example",
    "javascript://x", "ＨＴＴＰ://evil", "مثال.إختبار", "evil．com", "bit.ly",
]  # fmt: skip
MARK = "\u200e"
HIDDEN = ["a\u202eb", "a\u2066b", "a\nb", "a\x00b", "a\x1b[31m", "a\u200bb", "a\u2028b", "\ud800"]


def test_each_language_tells_device_day_short_code_and_code() -> None:
    days = {
        "en": "1 December 2026", "fr": "1 décembre 2026", "ar": "1 ديسمبر 2026", "ur": "1 دسمبر 2026",
        "es": "1 de diciembre de 2026", "pt": "01/12/2026",
    }  # fmt: skip
    assert set(wordings()) == set(days)
    for language, wording in wordings().items():
        text = render(wording, TOLD)
        for needed in (
            "Regulator",
            "350000000000006",
            days[language],
            "*123#",
            "1234 5678",
            "never allocated",
        ):
            assert needed in text, language
        assert wording.opt_out in text
        assert not has_link(text)
        assert is_plain(text.replace(MARK, ""))
        assert (MARK in text) == (language in ("ar", "ur"))
        assert "  " not in text
        assert len(encode(text, "n1").parts) <= 5


def test_in_english_it_reads_like_this() -> None:
    assert render(wordings()["en"], TOLD) == (
        "Regulator: The device with IMEI 350000000000006 that you use will be blocked on 1 December 2026. "
        "Reason: It was never allocated. To check this message or to object, dial *123# and give the "
        "code 1234 5678. Reply STOP for no more notices."
    )


def test_what_does_not_apply_is_left_out() -> None:
    text = render(wordings()["en"], Told("Office", -5, "*#06#", DAY, "1234", "12345678"))
    assert text == (
        "Office: The device with IMEI *#06# that you use will be blocked on 1 December 2026. To check this "
        "message or to object, dial 1234 and give the code 1234 5678."
    )


@pytest.mark.parametrize("text", HOSTILE + HIDDEN)
def test_a_reason_that_could_mislead_is_left_out_and_the_notice_stays(text: str) -> None:
    told = Told("Office", 35_000_000_000_000, "", DAY, "1234", "12345678", f"Because {text}")
    for wording in wordings().values():
        rendered = render(wording, told)
        assert "Because" not in rendered
        assert "1234 5678" in rendered
    assert safe(text) == ""


@pytest.mark.parametrize(
    "text", ["Never allocated", "3.5 devices", "Art. 12 of Act 7/2026", "IMEI n° 12", "e.g. 5"]
)
def test_an_ordinary_reason_is_told(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    "text", ["{code}{0}{name.__class__}", "%s %(name)s", "<script>alert(1)</script>", "'; DROP --"]
)
def test_markup_and_patterns_in_a_reason_are_words_like_others(text: str) -> None:
    assert text in render(wordings()["en"], Told("O", 1, "", DAY, "1234", "12345678", text))


MATTERS = "".join(
    f'{event.value} = "{" ".join("{" + name + "}" for name in sorted(named_by(event)))}"\n'
    for event in Event
    if event is not Event.BLOCK
)
GOOD = (
    'direction = "ltr"\ncheck = "{short_code} {code}"\n'
    'notice = "{name} {imei} {date} {short_code} {code} {reason}{opt_out}"\n'
    'reason = "{text}"\nopt_out = "STOP"\ndate = "j F Y"\nstop = ["STOP"]\nstart = ["START"]\n[matters]\n'
    + MATTERS
)


@pytest.mark.parametrize(
    "toml",
    [
        "", "notice = 1", "\0", GOOD.replace("{code}", ""), GOOD.replace("{short_code}", ""),
        GOOD.replace("{imei}", "{imei} http://x.org"), GOOD.replace("{imei}", "{imei} visit x.org"),
        GOOD.replace("{imei}", "{imei.__class__}"), GOOD.replace("{imei}", "{imei}{other}"),
        GOOD.replace("{imei}", "{imei} \u202e"), GOOD.replace("{imei}", "{imei"),
        GOOD.replace('"{text}"', '"{0}"'), GOOD.replace('"ltr"', '"up"'), GOOD.replace("[matters]", "[m]"),
        GOOD.replace("{minutes}", ""), GOOD.replace("{check}", "", 1), GOOD.replace("case_lapsed", "case_x"),
        GOOD.replace('"{short_code} {code}"', '"{short_code}"'), GOOD.replace("{check}", "{check} see x.org"),
        GOOD.replace('"STOP"\ndate', '"{code}"\ndate'), GOOD.replace('stop = ["STOP"]', "stop = 5"),
    ],
)  # fmt: skip
def test_texts_with_a_link_or_without_a_code_are_refused(toml: str) -> None:
    assert wording_of("xx", GOOD).notice
    with pytest.raises(WordingError):
        wording_of("xx", toml)


WORDS = {"imei": "350000000000006", "date": "2026-12-01", "minutes": "10", "code": "123456"}


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.BLOCK])
@pytest.mark.parametrize("language", sorted(wordings()))
def test_what_is_told_of_a_matter_names_what_it_is_of_and_how_to_check_it(
    event: Event, language: str
) -> None:
    words = {name: WORDS[name] for name in named_by(event) if name in WORDS}
    text = render_matter(
        wordings()[language], event, words, name="Regulator", short_code="*123#", code="12345678"
    )
    assert text.startswith("Regulator")
    assert not has_link(text)
    if event is Event.CODE:
        assert "123456" in text
        assert "1234 5678" not in text  # it is no code to check a message by
    else:
        assert "350000000000006" in text
        assert "*123#" in text
        assert "1234 5678" in text
    assert len(encode(text, "n1").parts) <= 5


@pytest.mark.parametrize("hostile", HOSTILE + HIDDEN)
def test_what_could_mislead_does_not_come_into_what_is_told_of_a_matter(hostile: str) -> None:
    text = render_matter(
        wordings()["en"], Event.CASE_BLOCKED, {"imei": hostile}, name="O", short_code="123", code="12345678"
    )
    assert not has_link(text)
    assert is_plain(text)


def test_what_is_typed_stands_in_its_order_among_letters_written_from_right_to_left() -> None:
    text = render(wordings()["ar"], TOLD)
    for typed in ("*123#", "1234 5678", "350000000000006"):
        assert f"{MARK}{typed}{MARK}" in text


def test_a_country_puts_its_own_texts_in_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "sw.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "readme.txt").write_text("no text", encoding="utf-8")
    found = wordings_with(tmp_path)
    assert set(found) == {*wordings(), "sw"}
    assert found["en"] != wordings()["en"]
    assert found["fr"] == wordings()["fr"]
    (tmp_path / "sw.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(WordingError):
        wordings_with(tmp_path)
    with pytest.raises(WordingError):
        wordings_with(tmp_path / "nowhere")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_whatever_a_reason_is_nothing_in_a_notice_can_be_tapped_on(reason: str) -> None:
    text = render(wordings()["en"], Told("Office", 1, "", DAY, "1234", "12345678", reason))
    assert not has_link(text.replace(safe(reason).rstrip("."), ""))
    assert not has_link(safe(reason))
    assert is_plain(text)


@pytest.mark.parametrize(
    "more",
    [
        {"name": ""}, {"name": "x" * 31}, {"name": "See x.org"}, {"name": "a\u202eb"},
        {"short_code": "call me"}, {"short_code": "+22000"}, {"short_code": "12"},
        {"days": ()}, {"days": (0,)}, {"days": (7, 7)},
        {"languages": ("xx",)}, {"languages": ()}, {"tries": 0},
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(NoticeTermsError):
        NoticeTerms(**{"name": "Regulator", "short_code": "*123#", "quiet": QUIET, **more})


def test_pauses_grow_up_to_the_longest() -> None:
    terms = NoticeTerms("Regulator", "*123#", QUIET)
    minutes = [terms.pause_after(n).total_seconds() / 60 for n in (1, 2, 3, 4, 50, 10_000)]
    assert minutes == [5, 10, 20, 40, 360, 360]
