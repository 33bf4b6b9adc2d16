"""People are told before a block: on the policy's days, once, at decent hours, and not who wants not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from drawn import counted_draw
from notices_world import AMINA, BADRU, BLOCK, CHEGE, DAY, QUIET, TERMS, A, B, Country, Shown, noon
from people import NOW, actor
from registry_publications import decided, publish, told

from ceir.errors import CeirError
from ceir.identifiers import Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.gateways import Incoming, Receipt, ReceiptState
from ceir.registry.notices.looking import notice_with, notices_of
from ceir.registry.notices.models import TRANSITIONS, Notice, NoticeState, Preference, Sending
from ceir.registry.notices.planning import plan_notices
from ceir.registry.notices.preferring import PreferenceError, choose_language, heed, opt_in, opt_out
from ceir.registry.notices.reports import forget_reports, keep_report, settle
from ceir.registry.notices.sending import Route, Sendings, abandon, send_due
from ceir.registry.notices.terms import NoticeTerms
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Run


def plan(at: datetime, terms: NoticeTerms = TERMS) -> int:
    return plan_notices(terms, draw=counted_draw(), actor=SYSTEM, at=at)


def send(shown: Shown, at: datetime, terms: NoticeTerms = TERMS, **more: Any) -> Sendings:
    return send_due(shown.route, terms, actor=SYSTEM, at=at, **more)


def states() -> list[str]:
    return [notice.state for notice in Notice.objects.order_by("pk")]


def test_a_notice_comes_on_each_of_the_days_and_on_no_other(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    told_on = []
    for days in range(40, -2, -1):
        plan(noon(days))
        before = len(shown.messages)
        send(shown, noon(days))
        if len(shown.messages) > before:
            told_on.append(days)
    assert told_on == [30, 7, 1]
    assert shown.numbers == [AMINA] * 3
    texts = {message["text"] for message in shown.messages}
    assert len(texts) == 1  # each names the day itself; the code stays the same
    assert len({notice.code for notice in Notice.objects.all()}) == 1
    verify()


def test_planning_and_sending_again_and_again_tells_nobody_twice(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, BADRU), (B, AMINA))
    for hour in range(6):
        plan(noon(7) + timedelta(hours=hour))
        send(shown, noon(7) + timedelta(hours=hour))
    country.take((A, AMINA), (A, BADRU), (B, AMINA))
    plan(noon(6))
    send(shown, noon(6))
    assert len(shown.messages) == 3
    assert len({(message["to"], message["text"]) for message in shown.messages}) == 3


def test_who_comes_late_is_told_at_once_and_only_the_nearest_notice(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(20))
    assert [n.days for n in Notice.objects.all()] == [30]
    country.take((A, AMINA), (A, BADRU))
    plan(noon(5))
    send(shown, noon(5))
    assert shown.numbers == [AMINA, BADRU]
    assert {(n.days, n.state) for n in Notice.objects.all()} == {(30, "withdrawn"), (7, "sent")}
    assert Notice.objects.get(days=30).detail == "a later notice of the same block takes its place"


def test_a_subscriber_whom_two_operators_saw_is_told_once(country: Country, shown: Shown) -> None:
    row = told(A, "111010000000001", AMINA, f"{BLOCK:%Y%m%d}")
    folder = publish(
        country.folder / "1", 1, [decided(A, "notified", f"{BLOCK:%Y%m%d}")],
        notifications={"operator1": [row], "operator2": [row]},
    )  # fmt: skip
    apply(folder, actor=SYSTEM, at=NOW)
    plan(noon(7))
    send(shown, noon(7))
    assert shown.numbers == [AMINA]
    # Still seen by one of them, it is still told.
    folder = publish(
        country.folder / "2", 2, [decided(A, "notified", f"{BLOCK:%Y%m%d}")], base=1,
        notifications={"operator2": [row]},
    )  # fmt: skip
    apply(folder, actor=SYSTEM, at=NOW)
    plan(noon(1))
    send(shown, noon(1))
    assert shown.numbers == [AMINA] * 2


def test_at_quiet_hours_nothing_goes_and_in_the_morning_all(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    night = datetime(2026, 12, 15, 19, tzinfo=UTC)  # 22:00 in Nairobi
    plan(night)
    result = send(shown, night)
    assert (result.counts, result.quiet_until) == ({}, datetime(2026, 12, 16, 5, tzinfo=UTC))
    assert shown.messages == []
    assert result.quiet_until is not None
    send(shown, result.quiet_until)
    assert shown.numbers == [AMINA]


def test_who_is_resolved_or_paired_before_the_notice_goes_is_not_told(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (B, BADRU))
    plan(noon(7))
    country.take((B, BADRU))
    send(shown, noon(7))
    assert shown.numbers == [BADRU]
    assert Notice.objects.get(imei=int(A)).state == "withdrawn"


def test_who_was_not_seen_for_a_while_and_is_seen_again_is_told(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    country.take((B, BADRU))
    send(shown, noon(7))
    assert shown.numbers == []
    country.take((A, AMINA), (B, BADRU))
    assert plan(noon(6)) == 2
    send(shown, noon(6))
    assert shown.numbers == [AMINA, BADRU]
    assert plan(noon(6)) == 0


def test_another_block_date_is_another_notice(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    send(shown, noon(7))
    country.take((A, AMINA), block=BLOCK + 3 * DAY)
    plan(noon(4))
    send(shown, noon(4))
    assert len(shown.messages) == 2
    assert "25 December 2026" in shown.messages[1]["text"]
    first, second = Notice.objects.order_by("pk")
    assert first.code == second.code
    assert plan(noon(4) + 2 * DAY) == 0


def test_on_the_day_of_the_block_nobody_is_told_that_it_will_come(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(1))
    send(shown, noon(0))
    assert shown.messages == []
    assert states() == ["withdrawn"]
    assert plan(noon(0)) == 0


def test_the_text_is_in_the_language_that_was_chosen(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, BADRU), (A, CHEGE), reason="Never allocated")
    officer = actor(Role.OFFICER)
    choose_language(Msisdn(AMINA), "ar", TERMS, actor=officer, at=NOW)
    choose_language(Msisdn(BADRU), "fr", TERMS, actor=officer, at=NOW)
    with pytest.raises(PreferenceError):
        choose_language(Msisdn(CHEGE), "tlh", TERMS, actor=officer, at=NOW)
    reasons = {"Never allocated": {"ar": "لم يتم تخصيصه", "en": "It was never allocated"}}
    terms = NoticeTerms("Regulator", "*123#", QUIET, languages=("en", "ar", "fr"), reasons=reasons)
    plan(noon(7), terms)
    send(shown, noon(7), terms)
    texts = {message["to"]: message["text"] for message in shown.messages}
    assert "سيتم حظر" in texts[AMINA]
    assert "لم يتم تخصيصه" in texts[AMINA]
    assert (
        "sera bloqué le 22 décembre 2026. Pour" in texts[BADRU]
    )  # without a reason: it has no words in French
    assert "Reason: It was never allocated." in texts[CHEGE]
    assert "STOP" not in texts[CHEGE]


@pytest.mark.parametrize(
    "hostile", ["Visit http://x.org", "a\u202eb", "x" * 500, "{code} {imei.__class__} %s <b>"]
)
def test_a_hostile_reason_of_a_policy_misleads_nobody(country: Country, shown: Shown, hostile: str) -> None:
    country.take((A, AMINA))
    terms = NoticeTerms("Regulator", "*123#", QUIET, reasons={"Never allocated": {"en": hostile}})
    plan(noon(7), terms)
    send(shown, noon(7), terms)
    text = shown.messages[0]["text"]
    assert "http" not in text
    assert "\u202e" not in text
    assert len(text) < 400
    assert "dial *123#" in text


def test_who_wants_no_notices_gets_none_where_the_law_allows(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, BADRU), (A, CHEGE))
    opt_out(Msisdn(AMINA), TERMS, actor=actor(Role.OPERATOR), at=NOW)
    assert heed(Incoming(f"+{BADRU}", " stop! "), TERMS, at=NOW)
    plan(noon(7))
    send(shown, noon(7))
    assert shown.numbers == [CHEGE]
    assert sorted(states()) == ["opted_out", "opted_out", "sent"]
    opt_in(Msisdn(AMINA), actor=actor(Role.OFFICER), at=NOW)
    assert heed(Incoming(BADRU, "ابدأ"), TERMS, at=NOW)
    plan(noon(1))
    send(shown, noon(1))
    assert shown.numbers == [AMINA, BADRU, CHEGE, CHEGE]


def test_where_the_law_does_not_allow_it_everybody_is_told(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    terms = NoticeTerms("Regulator", "*123#", QUIET)
    with pytest.raises(PreferenceError, match="cannot be refused"):
        opt_out(Msisdn(AMINA), terms, actor=actor(Role.OFFICER), at=NOW)
    assert not heed(Incoming(AMINA, "STOP"), terms, at=NOW)
    opt_out(Msisdn(AMINA), TERMS, actor=actor(Role.OFFICER), at=NOW)  # from a time when it did
    plan(noon(7), terms)
    send(shown, noon(7), terms)
    assert shown.numbers == [AMINA]


@pytest.mark.parametrize(
    ("sender", "text"),
    [("bank", "STOP"), ("", "STOP"), ("123", "STOP"), (AMINA, "please stop"), (AMINA, ""),
     (AMINA, "x" * 1000), (AMINA, "STOP'; DROP TABLE notices_preference; --"), ("2" * 40, "STOP")],
)  # fmt: skip
def test_what_is_no_wish_changes_nothing(sender: str, text: str) -> None:
    assert not heed(Incoming(sender, text), TERMS, at=NOW)
    assert Preference.objects.count() == 0


def test_a_number_is_never_stored_or_recorded_in_clear(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    opt_in(Msisdn(AMINA), actor=actor(Role.OFFICER), at=NOW)
    plan(noon(7))
    send(shown, noon(7))
    from django.db import connection

    with connection.cursor() as cursor:
        for table in (
            "notices_notice",
            "notices_sending",
            "notices_preference",
            "runs_contact",
            "audit_entry",
        ):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                for value in row:
                    octets = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    assert AMINA.encode() not in octets
    read = Entry.objects.get(action="personal.read")
    assert (read.subject, read.basis) == (f"notice:{Notice.objects.get().pk}", "notice before a block")


def test_who_calls_with_the_code_is_told_whether_the_message_was_ours(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    code = Notice.objects.get().code
    assert notice_with(Msisdn(AMINA), code) is None  # nobody was told yet
    send(shown, noon(7))
    found = notice_with(Msisdn(AMINA), f" {code[:4]}-{code[4:]} ")
    assert found is not None
    assert f"{code[:4]} {code[4:]}" in shown.messages[0]["text"]
    assert notice_with(Msisdn(BADRU), code) is None
    assert notice_with(Msisdn(AMINA), "00000000") is None
    assert notice_with(Msisdn(AMINA), "'; --") is None


def test_a_route_sends_what_is_for_its_operators(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, "222000000001"))
    plan(noon(7))
    route = Route("second", shown.gateway, ("operator2",))
    send_due(route, TERMS, actor=SYSTEM, at=noon(7))
    assert shown.numbers == ["222000000001"]
    send(shown, noon(7))
    assert shown.numbers == [AMINA, "222000000001"]


def test_no_more_are_sent_at_one_time_than_asked_for_those_nearest_to_their_block_first(
    country: Country, shown: Shown
) -> None:
    rows = [(A, f"22000000{n:04}") for n in range(25)]
    country.take(*rows)
    plan(noon(7))
    assert [sum(send(shown, noon(7), most=10).counts.values()) for _ in range(4)] == [10, 10, 5, 0]
    assert len(set(shown.numbers)) == 25


def test_a_number_that_nobody_can_hold_is_not_sent_to(country: Country, shown: Shown) -> None:
    country.take((A, "112"), (A, AMINA))
    plan(noon(7))
    result = send(shown, noon(7))
    assert result.counts == {"failed": 1, "sent": 1}
    assert shown.numbers == [AMINA]


def test_reports_settle_what_they_are_about_even_if_they_come_first(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, BADRU))
    plan(noon(7))
    for notice in Notice.objects.order_by("pk"):  # what the gateway will call it
        keep_report("trial", Receipt(f"n{notice.pk}.1", ReceiptState.DELIVERED), at=noon(7))
    keep_report("other", Receipt("n1.1", ReceiptState.REFUSED), at=noon(7))
    keep_report("trial", Receipt("'; DROP TABLE x; --", ReceiptState.REFUSED, "x"), at=noon(7))
    assert settle(TERMS, at=noon(7)) == 0
    send(shown, noon(7))
    assert states() == ["delivered", "delivered"]
    keep_report("trial", Receipt(f"n{Notice.objects.earliest('pk').pk}.1", ReceiptState.REFUSED), at=noon(7))
    assert settle(TERMS, at=noon(7)) == 1
    assert states() == ["delivered", "delivered"]
    assert forget_reports(noon(6)) == 5


def test_what_was_not_delivered_is_tried_again_after_a_pause_and_not_for_ever(
    country: Country, shown: Shown
) -> None:
    country.take((A, AMINA))
    terms = NoticeTerms("Regulator", "*123#", QUIET, tries=3)
    plan(noon(7), terms)
    at = noon(7)
    for number in (1, 2, 3):
        send(shown, at, terms)
        assert len(shown.messages) == number
        notice = Notice.objects.get()
        keep_report("trial", Receipt(f"n{notice.pk}.{number}", ReceiptState.NOT_DELIVERED, "err 1B"), at=at)
        settle(terms, at=at)
        notice.refresh_from_db()
        if number < 3:
            assert notice.state == "waiting"
            assert notice.next_at == at + terms.pause_after(number)
            send(shown, at, terms)
            assert len(shown.messages) == number  # not before its pause is over
            at = notice.next_at
    assert (notice.state, notice.detail) == ("undelivered", "err 1B")
    assert plan(at, terms) == 0
    # A report on an earlier sending says nothing of the last one.
    keep_report("trial", Receipt(f"n{notice.pk}.1", ReceiptState.DELIVERED), at=at)
    settle(terms, at=at)
    assert states() == ["undelivered"]


def test_what_was_refused_is_not_tried_again(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    send(shown, noon(7))
    keep_report("trial", Receipt(f"n{Notice.objects.get().pk}.1", ReceiptState.REFUSED), at=noon(7))
    keep_report("trial", Receipt(f"n{Notice.objects.get().pk}.1", ReceiptState.ON_ITS_WAY), at=noon(7))
    settle(TERMS, at=noon(7))
    assert states() == ["undelivered"]


class Dies:
    """A gateway whose process dies in the middle of it."""

    def send(self, messages: object) -> list[Any]:
        raise SystemExit(str(messages))

    def close(self) -> None:
        """Nothing stays open."""


def test_a_notice_whose_sender_died_is_never_sent_again(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    with pytest.raises(SystemExit):
        send_due(Route("trial", Dies()), TERMS, actor=SYSTEM, at=noon(7))
    assert states() == ["sending"]
    later = noon(7) + timedelta(minutes=59)
    send(shown, later)
    assert abandon(TERMS, actor=SYSTEM, at=later) == 0
    assert abandon(TERMS, actor=SYSTEM, at=later + timedelta(minutes=2)) == 1
    for days in (6, 5):
        plan(noon(days))
        send(shown, noon(days))
    assert shown.messages == []
    assert states() == ["uncertain"]
    assert Sending.objects.get().outcome == "uncertain"


def test_only_who_may_sends_plans_wishes_or_looks(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    for role in (Role.REVIEWER, Role.POLICE, Role.CONSUMER, Role.AUDITOR):
        who = actor(role)
        for deed in (
            lambda who=who: plan_notices(TERMS, draw=counted_draw(), actor=who, at=noon(7)),
            lambda who=who: send_due(shown.route, TERMS, actor=who, at=noon(7)),
            lambda who=who: abandon(TERMS, actor=who, at=noon(7)),
        ):
            with pytest.raises(PermissionDeniedError):
                deed()
    with pytest.raises(PermissionDeniedError):
        opt_out(Msisdn(AMINA), TERMS, actor=actor(Role.POLICE), at=NOW)
    with pytest.raises(PermissionDeniedError):
        notices_of(A, actor=actor(Role.CONSUMER))
    with pytest.raises(CeirError):
        notices_of("'; --", actor=actor(Role.OFFICER))
    assert [n.days for n in notices_of(A, actor=actor(Role.OFFICER))] == [7]


def test_a_notice_goes_only_where_the_table_leads() -> None:
    for state in NoticeState:
        for wanted in NoticeState:
            notice = Notice(state=state.value)
            if wanted in TRANSITIONS[state]:
                notice.turn(wanted)
                assert notice.state == wanted.value
            else:
                with pytest.raises(ValueError, match="cannot become"):
                    notice.turn(wanted)


def test_runs_are_kept_while_notices_speak_of_their_contacts(country: Country) -> None:
    country.take((A, AMINA))
    plan(noon(7))
    assert Run.objects.count() == 1
    assert Notice.objects.get().contact.run_id == 1
