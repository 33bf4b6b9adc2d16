"""Numbers in people's hands: they stay through a new SIM or operator, and go when somebody else has them."""

from datetime import timedelta

import pytest
from people import NOW, actor
from world import OTHER_PLMN, PLMN, number

from ceir.identifiers import Imsi, Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.free_text import TextRefusedError
from ceir.registry.subscribers.exporting import subscribers
from ceir.registry.subscribers.finding import canonical, line_of, line_proven, uid_of
from ceir.registry.subscribers.models import Line, Person, Sim
from ceir.registry.subscribers.reporting import Holder, ReportRefusedError, report_end, report_line

ONE = Holder.read("ab-123 456", "Ana O'Neil <b>")
TWO = Holder.read("CD987654")


def imsi(n: int, plmn: str = "11101") -> Imsi:
    return Imsi(f"{plmn}{n:010}")


def reported(n: int, sim: int, holder: Holder | None = ONE, **more: object) -> Line:
    given: dict[str, object] = {"plmns": (PLMN,), "actor": actor(Role.OPERATOR), "at": NOW, **more}
    return report_line(number(n), imsi(sim), holder=holder, **given)  # type: ignore[arg-type]


def test_a_line_stays_the_same_through_a_new_sim_and_a_new_operator() -> None:
    line = reported(1, 1)
    assert reported(1, 2, None, at=NOW + timedelta(days=1)) == line
    other = actor(Role.OPERATOR, "op2", "operator2")
    ported = report_line(
        number(1), imsi(3, "11102"), plmns=(OTHER_PLMN,), actor=other, at=NOW + timedelta(days=2)
    )
    assert ported == line
    assert list(subscribers(NOW + timedelta(days=3))) == [(uid_of(line.person_id), imsi(3, "11102").digits)]
    assert [e.action for e in Entry.objects.filter(subject=str(line))] == [
        "line.begun",
        "line.swapped",
        "line.ported",
    ]


def test_the_list_is_as_it_was_at_its_moment() -> None:
    line = reported(1, 1)
    reported(1, 2, at=NOW + timedelta(days=2))
    uid = uid_of(line.person_id)
    assert list(subscribers(NOW + timedelta(days=1))) == [(uid, imsi(1).digits)]
    assert list(subscribers(NOW + timedelta(days=2))) == [(uid, imsi(2).digits)]


def test_a_number_given_to_somebody_else_is_another_line() -> None:
    mine = reported(1, 1)
    theirs = reported(1, 2, TWO, at=NOW + timedelta(days=9))
    assert theirs != mine
    assert theirs.person != mine.person
    mine.refresh_from_db()
    assert mine.ended_at == NOW + timedelta(days=9)


def test_one_document_is_one_person_with_several_lines_and_nothing_is_in_clear() -> None:
    first, second = reported(1, 1), reported(2, 2)
    assert first.person == second.person
    kept = repr(list(Person.objects.values())) + repr(list(Line.objects.values()))
    kept += repr(list(Sim.objects.values())) + repr(list(Entry.objects.values()))
    for secret in ("AB123456", "O'Neil", number(1).digits, imsi(1).digits):
        assert secret not in kept
    assert "AB123456" not in repr(ONE)


def test_somebody_known_by_a_number_alone_becomes_who_the_operator_says() -> None:
    proven = line_proven(number(1), at=NOW)
    unnamed = proven.person
    reported(2, 2)
    line = reported(1, 1)
    assert line == proven
    unnamed.refresh_from_db()
    assert canonical(unnamed) == line_of(number(2)).person  # type: ignore[union-attr]
    assert line_proven(number(1), at=NOW) == proven
    assert len(list(subscribers(NOW))) == 2
    assert len({uid for uid, _ in subscribers(NOW)}) == 1


def test_a_number_given_out_anew_does_not_inherit_what_hung_on_it() -> None:
    proven = line_proven(number(1), at=NOW)
    fresh = reported(1, 1, active_since=NOW + timedelta(days=1), at=NOW + timedelta(days=2))
    assert fresh.person != proven.person


def test_a_sim_has_one_number() -> None:
    reported(1, 1)
    reported(2, 1, TWO, at=NOW + timedelta(days=1))
    assert [i for _, i in subscribers(NOW + timedelta(days=1))] == [imsi(1).digits]


def test_an_ended_line_is_nobodys() -> None:
    reported(1, 1)
    with pytest.raises(ReportRefusedError):
        report_end(number(1), actor=actor(Role.OPERATOR, "op2", "operator2"), at=NOW)
    report_end(number(1), actor=actor(Role.OPERATOR), at=NOW + timedelta(days=1))
    assert line_of(number(1)) is None
    assert list(subscribers(NOW + timedelta(days=1))) == []
    with pytest.raises(ReportRefusedError):
        report_end(number(1), actor=actor(Role.OPERATOR), at=NOW)


def test_an_operator_reports_only_its_own_sims_and_nobody_else_reports_any() -> None:
    with pytest.raises(ReportRefusedError, match="not of this operator"):
        report_line(number(1), imsi(1), plmns=(OTHER_PLMN,), actor=actor(Role.OPERATOR), at=NOW)
    with pytest.raises(ReportRefusedError):
        report_line(Msisdn("112"), imsi(1), plmns=(PLMN,), actor=actor(Role.OPERATOR), at=NOW)
    for role in (Role.OFFICER, Role.CONSUMER, Role.POLICE):
        with pytest.raises(PermissionDeniedError):
            report_line(number(1), imsi(1), plmns=(PLMN,), actor=actor(role), at=NOW)
    assert Line.objects.count() == 0


@pytest.mark.parametrize(
    "document", ["", "abc", "x" * 33, "'; DROP", "<script>", "AB12\0", "=1+1234", "Ä1234", "1" * 9999]
)
def test_a_hostile_document_is_refused(document: str) -> None:
    with pytest.raises(ReportRefusedError):
        Holder.read(document)


@pytest.mark.parametrize("name", ["A\0", "x" * 151, "a\nb", "\ud800", "abc\u202edef"])
def test_a_hostile_name_is_refused_and_markup_is_only_text(name: str) -> None:
    with pytest.raises(TextRefusedError):
        Holder.read("AB123456", name)
    assert Holder.read("AB123456", "'; DROP TABLE x; -- <b>").name == "'; DROP TABLE x; -- <b>"


def test_a_number_that_is_used_only_later_is_reported_later() -> None:
    mine = reported(1, 1)
    soon = NOW + timedelta(seconds=1)
    for since in (soon, NOW + timedelta(days=9999), NOW.replace(tzinfo=None)):
        with pytest.raises(ReportRefusedError, match="lies ahead"):
            reported(1, 2, None, active_since=since)
    assert line_of(number(1)) == mine
    assert reported(1, 2, TWO, active_since=soon, at=soon) != mine
