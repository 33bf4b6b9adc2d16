"""What services have people told: kept with the deed, sent afterwards, once, forgotten when it must be."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from drawn import counted_draw
from lost import CONTACT, accept, police, reported, said
from lost import NUMBER as OWNER
from people import NOW, actor

from ceir.identifiers import Msisdn
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.cases.leaving import recover, restore
from ceir.registry.cases.reporting import report
from ceir.registry.codes.allowing import TooManyCodesError
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, issue, verify
from ceir.registry.gateways import GatewayError, Receipt, ReceiptState, open_gateway
from ceir.registry.notices.looking import NotOursError, check_message, notices_about
from ceir.registry.notices.models import Event, Notice
from ceir.registry.notices.outbox import BASIS, send_code, tell
from ceir.registry.notices.preferring import choose_language, opt_out
from ceir.registry.notices.reports import give_up_reports, keep_report, settle
from ceir.registry.notices.sending import Route, Sendings, abandon, send_due
from ceir.registry.notices.terms import NoticeTerms, QuietHours
from ceir.registry.personal.shredding import shred

QUIET = QuietHours.of(time(21), time(8), "Africa/Nairobi")
TERMS = NoticeTerms("Regulator", "*123#", QUIET, languages=("en", "ar"), opt_out=True)
NIGHT = datetime(2026, 11, 22, 20, tzinfo=UTC)
NUMBER = Msisdn("220000000077")
WORDS = {"imei": "350000000000006"}


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    return tmp_path / "shown"


def send(shown: Path, at: datetime, **more: Any) -> Sendings:
    gateway = open_gateway("console", {"file": str(shown), "delivered": False}, print, lambda: NOW)
    return send_due(Route("trial", gateway), TERMS, actor=SYSTEM, at=at, **more)


def messages(shown: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in shown.read_text().splitlines()] if shown.exists() else []


@pytest.fixture
def gateways_set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "CEIR_NOTICES", tmp_path / "notices.toml")


def code(at: datetime = NOW, purpose: Purpose = Purpose.APPEAL) -> str:
    issued = issue(purpose, NUMBER, draw=counted_draw(), actor=actor(Role.CONSUMER), at=at)
    send_code(NUMBER, issued.text, purpose, at)
    return issued.text


def stored() -> bytes:
    """Everything that the database holds of notices, as octets."""
    found = b""
    with connection.cursor() as cursor:
        for table in ("notices_notice", "notices_sending", "codes_code", "audit_entry"):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                for value in row:
                    found += bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    found += b"|"
    return found


@pytest.mark.usefixtures("gateways_set_up")
def test_a_code_goes_at_once_also_at_night_and_is_forgotten_when_it_went(shown: Path) -> None:
    text = code(NIGHT)
    assert text.encode() not in stored()
    assert NUMBER.digits.encode() not in stored()
    assert send(shown, NIGHT).counts == {"sent": 1}
    (message,) = messages(shown)
    assert message["to"] == NUMBER.digits
    assert text in message["text"]
    assert "10 minutes" in message["text"]
    assert Notice.objects.get().words is None
    assert send(shown, NIGHT).counts == {}
    assert verify(Purpose.APPEAL, NUMBER, text, actor=actor(Role.CONSUMER), at=NIGHT).number == NUMBER


@pytest.mark.usefixtures("gateways_set_up")
def test_a_code_that_is_too_old_is_not_sent_and_forgotten(shown: Path) -> None:
    code()
    assert send(shown, NOW + timedelta(minutes=11)).counts == {"withdrawn": 1}
    assert messages(shown) == []
    assert Notice.objects.get().words is None


@pytest.mark.usefixtures("gateways_set_up")
def test_a_code_that_was_not_delivered_is_not_sent_again(shown: Path) -> None:
    code()
    send(shown, NOW)
    keep_report("trial", Receipt(f"n{Notice.objects.get().pk}.1", ReceiptState.NOT_DELIVERED), at=NOW)
    settle(TERMS, at=NOW)
    assert Notice.objects.get().state == "undelivered"
    send(shown, NOW + timedelta(minutes=1))
    assert len(messages(shown)) == 1


@pytest.mark.usefixtures("gateways_set_up")
def test_a_code_of_a_sender_that_died_is_forgotten_too() -> None:
    code()

    class Dies:
        def send(self, messages: object) -> list[Any]:
            raise SystemExit(str(messages))

        def close(self) -> None:
            """Nothing stays open."""

    with pytest.raises(SystemExit):
        send_due(Route("trial", Dies()), TERMS, actor=SYSTEM, at=NOW)
    assert abandon(TERMS, actor=SYSTEM, at=NOW + timedelta(hours=2)) == 1
    assert Notice.objects.get().words is None


@pytest.mark.usefixtures("gateways_set_up")
def test_what_is_asked_for_goes_before_everything_else(shown: Path) -> None:
    for number in range(5):
        with transaction.atomic():
            tell(Event.CASE_BLOCKED, f"case:{number}", NUMBER, WORDS, at=NOW)
    text = code()
    assert send(shown, NOW, most=1).counts == {"sent": 1}
    assert text in messages(shown)[0]["text"]
    assert send(shown, NOW, codes_only=True).counts == {}
    assert send(shown, NOW).counts == {"sent": 5}


def test_no_code_is_sent_where_there_is_no_gateway_or_no_code() -> None:
    with pytest.raises(GatewayError):
        code()


@pytest.mark.usefixtures("gateways_set_up")
def test_a_code_that_was_not_issued_is_not_sent() -> None:
    with pytest.raises(CodeError):
        send_code(NUMBER, "123456", Purpose.LOGIN, NOW)


def test_somebody_is_told_once_of_one_thing_and_not_of_what_was_taken_back(shown: Path) -> None:
    for _ in range(3):
        with transaction.atomic():
            tell(Event.APPEAL_UPHELD, "appeal:7", NUMBER, WORDS, at=NOW)
    with transaction.atomic():
        tell(Event.APPEAL_UPHELD, "appeal:8", NUMBER, WORDS, at=NOW)
        transaction.set_rollback(True)
    tell(Event.APPEAL_EVIDENCE, "appeal:7", NUMBER, {**WORDS, "date": NOW.isoformat()}, at=NOW, nth=1)
    tell(Event.APPEAL_EVIDENCE, "appeal:7", NUMBER, {**WORDS, "date": NOW.isoformat()}, at=NOW, nth=2)
    assert send(shown, NOW).counts == {"sent": 3}
    assert len(notices_about("appeal:7", actor=actor(Role.OFFICER))) == 3
    assert tell(Event.APPEAL_UPHELD, "appeal:9", Msisdn("112"), WORDS, at=NOW) is None
    assert tell(Event.APPEAL_UPHELD, "appeal:9", None, WORDS, at=NOW) is None


def test_at_night_people_are_told_nothing_but_codes(shown: Path) -> None:
    tell(Event.CASE_BLOCKED, "case:1", NUMBER, WORDS, at=NIGHT)
    assert send(shown, NIGHT).counts == {}
    assert send(shown, NIGHT + timedelta(hours=9)).counts == {"sent": 1}


def test_who_wants_no_notices_of_blocks_is_told_of_his_own_matters_in_his_language(shown: Path) -> None:
    opt_out(NUMBER, TERMS, actor=actor(Role.OFFICER), at=NOW)
    choose_language(NUMBER, "ar", TERMS, actor=actor(Role.OFFICER), at=NOW)
    tell(Event.CASE_BLOCKED, "case:1", NUMBER, WORDS, at=NOW)
    assert send(shown, NOW).counts == {"sent": 1}
    assert "محظور" in messages(shown)[0]["text"]


def test_whoever_got_a_message_can_find_out_whether_it_is_ours(shown: Path) -> None:
    tell(Event.TRANSFER_TAKEN, "transfer:3", NUMBER, WORDS, at=NOW)
    caller = actor(Role.CONSUMER)
    given = Notice.objects.get().code
    with pytest.raises(NotOursError):
        check_message(NUMBER, given, actor=caller, at=NOW)  # nobody got it yet
    send(shown, NOW)
    assert f"{given[:4]} {given[4:]}" in messages(shown)[0]["text"]
    assert (
        check_message(NUMBER, f"{given[:4]} {given[4:]}", actor=caller, at=NOW).event is Event.TRANSFER_TAKEN
    )
    for wrong in ("", "00000000", "'; --", given[:-1]):
        with pytest.raises(NotOursError):
            check_message(NUMBER, wrong, actor=caller, at=NOW)
    with pytest.raises(NotOursError):
        check_message(OWNER, given, actor=caller, at=NOW)


def test_who_guesses_codes_of_messages_is_stopped() -> None:
    caller = actor(Role.CONSUMER)
    for number in range(100):
        with pytest.raises(NotOursError):
            check_message(NUMBER, f"{number:08}", actor=caller, at=NOW)
    with pytest.raises(TooManyCodesError):
        check_message(NUMBER, "00000000", actor=caller, at=NOW)


def test_a_message_of_which_no_report_comes_is_uncertain_and_a_late_report_settles_it(shown: Path) -> None:
    tell(Event.CASE_BLOCKED, "case:1", NUMBER, WORDS, at=NOW)
    send(shown, NOW)
    assert give_up_reports(TERMS, at=NOW + timedelta(days=3)) == 0
    assert give_up_reports(TERMS, at=NOW + timedelta(days=4)) == 1
    assert Notice.objects.get().state == "uncertain"
    keep_report("trial", Receipt(f"n{Notice.objects.get().pk}.1", ReceiptState.DELIVERED), at=NOW)
    settle(TERMS, at=NOW + timedelta(days=5))
    assert Notice.objects.get().state == "delivered"


def test_numbers_and_words_are_shredded_in_their_time(shown: Path) -> None:
    tell(Event.CASE_BLOCKED, "case:1", NUMBER, WORDS, at=NOW)
    send(shown, NOW)
    keep_report("trial", Receipt(f"n{Notice.objects.get().pk}.1", ReceiptState.DELIVERED), at=NOW)
    settle(TERMS, at=NOW)
    assert shred(NOW + timedelta(days=179)) == {}
    assert shred(NOW + timedelta(days=181)) == {"notices.Notice.msisdn": 1, "notices.Notice.words": 1}
    notice = Notice.objects.get()
    assert (notice.msisdn, notice.words, notice.msisdn_key) == (None, None, None)


def test_the_owner_of_a_lost_device_is_told_of_his_case(shown: Path) -> None:
    case = reported()
    accept(case)
    recover(case.pk, reason="raid", actor=police(), at=NOW)
    restore(case.pk, reason="handed over", actor=actor(Role.OFFICER), at=NOW)
    told = [notice.event for notice in notices_about(str(case), actor=actor(Role.OFFICER))]
    assert told == ["case_blocked", "case_recovered", "case_ended"]
    send(shown, NOW)
    assert {message["to"] for message in messages(shown)} == {CONTACT.digits}
    reads = Entry.objects.filter(action="personal.read", basis=BASIS)
    assert reads.count() == 3


def test_whoever_reported_is_told_of_the_provisional_block_and_of_its_end(shown: Path) -> None:
    case = report(said(), actor=police(), at=NOW, provisional=ProvisionalBlock(hours=30))
    assert case.provisional_until is not None
    send(shown, NOW)
    (message,) = messages(shown)
    assert "blocked for now, until 23 November 2026" in message["text"]
    pass_deadlines(NOW + timedelta(hours=31))
    send(shown, NOW + timedelta(hours=48))
    assert "works again" in messages(shown)[1]["text"]
    assert len(messages(shown)) == 2
