"""Appeals: heard within days or the device works again; and what they teach."""

import io
from collections.abc import Collection
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial

import pytest
from at_once import at_once, need_postgresql
from django.db import connection
from people import NOW, actor
from world import ASKS, PLMN, POLICY, STANDINGS, imei, number, phone, proof_of, somebody

from ceir.errors import CeirError
from ceir.identifiers import EquipmentIdentity, Imsi, MalformedImei, Msisdn
from ceir.policy import load_policy, shipped_policies
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.appeals.appealing import (
    AppealError,
    AppealPolicy,
    add_evidence,
    add_line,
    make,
    withdraw,
)
from ceir.registry.appeals.deciding import ask_evidence, recommend, run_clocks
from ceir.registry.appeals.exporting import appeals
from ceir.registry.appeals.labels import write_labels
from ceir.registry.appeals.measuring import Labelled, labelled, reversal_rate
from ceir.registry.appeals.models import Appeal, Evidence, EvidenceKind, Lesson
from ceir.registry.appeals.reading import words_of
from ceir.registry.appeals.restoring import is_restored, restored
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, Proof
from ceir.registry.country.policy_part import PolicyPart
from ceir.registry.notices.models import Notice
from ceir.registry.pairings import exporting as pairings_exporting
from ceir.registry.pairings.exporting import pairings
from ceir.registry.pairings.pairing import PairingError, propose_release, release
from ceir.registry.personal.fields import Access
from ceir.registry.personal.shredding import erase_about, shred
from ceir.registry.personal.subject_access import everything_about
from ceir.registry.proposals.deciding import ProposalError, decide
from ceir.registry.proposals.deciding import withdraw as withdraw_proposal
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.owning import Seen
from ceir.registry.registrations.registering import register_own
from ceir.registry.subscribers.models import Line
from ceir.registry.subscribers.reporting import Holder, report_line
from ceir.registry.transitions import IllegalTransitionError

APPEALS = AppealPolicy(
    theft=frozenset({"stolen", "abroad"}),
    abroad=frozenset({"abroad"}),
    days=15,
    evidence_days=10,
    most_asks=1,
)
DUE = NOW + timedelta(days=15)
DECIDED: dict[tuple[EquipmentIdentity, str], int] = {}
SEEN: dict[Msisdn, list[Seen]] = {}
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def _world() -> None:
    STANDINGS.clear()
    DECIDED.clear()
    SEEN.clear()
    for n in (1, 2):
        DECIDED[imei(1), "shared_identity"] = 7
        SEEN[number(n)] = [Seen(imei(1), NOW)]
        report_line(
            number(n), Imsi(f"11101{n:010}"), plmns=(PLMN,), actor=actor(Role.OPERATOR), at=NOW,
            holder=Holder.read(f"AB12345{n}"),
        )  # fmt: skip


def decision_of(identity: EquipmentIdentity, condition: str) -> int | None:
    return DECIDED.get((identity, condition))


def seen_with(of: Msisdn) -> Collection[Seen]:
    return SEEN.get(of, [])


def appealed(
    n: int = 1,
    condition: str = "shared_identity",
    identity: EquipmentIdentity | None = None,
    why: str = "I bought it new; here is the receipt.",
    proof: Proof | None = None,
    at: datetime = NOW,
) -> Appeal:
    return make(
        identity or imei(1),
        condition,
        why,
        proof=proof or proof_of(Purpose.APPEAL, n, at=at),
        decision_of=decision_of,
        seen_with=seen_with,
        policy=APPEALS,
        actor=somebody(n),
        at=at,
    )


def appealed_by(n: int) -> Appeal:
    """The appeal of somebody about a cloned identity that is open already."""
    return Appeal.objects.get(number_key=number(n).digits, condition="shared_identity")


def evidence(appeal: Appeal, n: int = 1, at: datetime = NOW, digest: str = DIGEST, **more: str) -> Evidence:
    return add_evidence(
        appeal.pk,
        EvidenceKind.INVOICE,
        more.get("reference", "documents/12"),
        digest,
        remark=more.get("remark", ""),
        proof=proof_of(Purpose.APPEAL, n, at=at),
        actor=somebody(n),
        at=at,
    )


def decided(appeal: Appeal, *, uphold: bool, only_him: bool = False, at: datetime = NOW) -> Appeal:
    proposal = recommend(
        appeal.pk, uphold=uphold, only_him=only_him, reason="seen it", actor=actor(Role.OFFICER), at=at
    )
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="agreed", at=at)
    return Appeal.objects.get(pk=appeal.pk)


def paired(at: datetime = NOW) -> list[str]:
    return [msisdn for _, _, msisdn in pairings(at)]


def test_an_appeal_upheld_for_who_made_it_lets_the_device_work_with_him_and_with_no_clone() -> None:
    after = decided(appealed(), uphold=True, only_him=True)
    assert (after.state, paired()) == ("upheld", [number(1).digits])
    assert not is_restored(imei(1), "shared_identity", at=NOW)
    assert list(appeals(NOW)) == []
    assert not Lesson.objects.get().false_positive
    with pytest.raises(AppealError, match="for who made it alone"):
        recommend(appealed(2).pk, uphold=False, only_him=True, reason="x", actor=actor(Role.OFFICER), at=NOW)


def test_an_appeal_upheld_because_the_condition_was_wrong_clears_the_identity_of_it_alone() -> None:
    appeal = appealed()
    assert paired() == []
    assert decided(appeal, uphold=True).state == "upheld"
    assert paired() == [number(1).digits]
    assert is_restored(imei(1), "shared_identity", at=NOW)
    assert not is_restored(imei(1), "not_registered", at=NOW)
    verify()


def test_nobody_decided_in_time_and_the_device_works_again() -> None:
    appeal = appealed()
    assert run_clocks(DUE - timedelta(seconds=1)) == 0
    assert run_clocks(DUE) == 1
    assert run_clocks(DUE) == 0
    assert paired(DUE) == [number(1).digits]
    assert list(restored(DUE)) == [], "a clone of it does not work because one appealed"
    after = Appeal.objects.get(pk=appeal.pk)
    assert (after.restored_because, after.whole_identity, after.overdue_at) == ("undecided", False, DUE)


def test_where_no_exception_can_name_who_appealed_the_identity_itself_is_restored() -> None:
    SEEN[number(4)] = [Seen(imei(1), NOW)]
    appeal = appealed(4)
    run_clocks(DUE)
    (one,) = restored(DUE)
    assert (one.identity, one.condition, one.because) == (imei(1).digits, "shared_identity", "undecided")
    assert (one.ground, paired(DUE)) == (str(appeal), [])


def test_it_is_still_decided_afterwards_and_if_against_who_appealed_it_ends() -> None:
    appeal = appealed()
    run_clocks(DUE)
    after = decided(appeal, uphold=False, at=DUE)
    assert (after.state, paired(DUE), list(restored(DUE))) == ("dismissed", [], [])
    assert not is_restored(imei(1), "shared_identity", at=DUE)


def test_a_recommendation_stops_no_clock_and_a_refused_one_opens_the_appeal_again() -> None:
    appeal = appealed()
    later = NOW + timedelta(days=9)
    proposal = recommend(appeal.pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=later)
    with pytest.raises(IllegalTransitionError):
        recommend(appeal.pk, uphold=True, reason="x", actor=actor(Role.OFFICER), at=later)
    assert run_clocks(DUE) == 1
    assert paired(DUE) == [number(1).digits]
    decide(proposal.pk, accept=False, actor=actor(Role.REVIEWER), reason="no", at=DUE)
    assert Appeal.objects.get().state == "open"
    second = recommend(appeal.pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=DUE)
    withdraw_proposal(second.pk, actor=actor(Role.OFFICER), at=DUE)
    assert decided(appeal, uphold=True, at=DUE).state == "upheld"


def test_two_people_decide_and_who_appealed_for_somebody_is_neither() -> None:
    officer = actor(Role.OFFICER)
    appeal = make(
        imei(1), "shared_identity", "x", proof=proof_of(Purpose.APPEAL, 1, by=officer),
        decision_of=decision_of, seen_with=seen_with, policy=APPEALS, actor=officer, at=NOW,
    )  # fmt: skip
    with pytest.raises(AppealError, match="You made this appeal"):
        recommend(appeal.pk, uphold=True, reason="x", actor=officer, at=NOW)
    for role in (Role.REVIEWER, Role.CONSUMER, Role.OPERATOR, Role.POLICE):
        with pytest.raises(PermissionDeniedError):
            recommend(appeal.pk, uphold=True, reason="x", actor=actor(role), at=NOW)
    proposal = recommend(appeal.pk, uphold=True, reason="x", actor=actor(Role.OFFICER, "o2"), at=NOW)
    for role in (Role.OFFICER, Role.POLICE, Role.CUSTOMS, Role.CONSUMER):
        with pytest.raises(PermissionDeniedError):
            decide(proposal.pk, accept=True, actor=actor(role), reason="seen", at=NOW)
    assert paired() == []


def test_the_clock_stands_still_while_evidence_is_waited_for_and_goes_on_with_it() -> None:
    appeal = appealed()
    asked = NOW + timedelta(days=5)
    ask_evidence(appeal.pk, "The invoice, please.", policy=APPEALS, actor=actor(Role.OFFICER), at=asked)
    with pytest.raises(IllegalTransitionError):
        recommend(appeal.pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=asked)
    brought = asked + timedelta(days=3)
    evidence(appeal, at=brought)
    after = Appeal.objects.get()
    assert (after.state, after.decide_by) == ("open", DUE + timedelta(days=3))
    with pytest.raises(AppealError, match="1 times"):
        ask_evidence(appeal.pk, "More.", policy=APPEALS, actor=actor(Role.OFFICER), at=brought)
    assert run_clocks(DUE) == 0
    assert run_clocks(DUE + timedelta(days=3)) == 1


def test_who_brings_no_evidence_is_decided_by_what_is_there_and_in_time() -> None:
    appeal = appealed()
    ask_evidence(appeal.pk, "The invoice.", policy=APPEALS, actor=actor(Role.OFFICER), at=NOW)
    assert run_clocks(NOW + timedelta(days=9)) == 0
    assert run_clocks(NOW + timedelta(days=10)) == 0
    after = Appeal.objects.get()
    assert (after.state, after.decide_by) == ("open", DUE + timedelta(days=10))
    # Nobody looked for a long time: both steps are made at once.
    appeal = appealed(2)
    ask_evidence(appeal.pk, "The invoice.", policy=APPEALS, actor=actor(Role.OFFICER), at=NOW)
    assert run_clocks(NOW + timedelta(days=100)) == 2


def test_evidence_is_asked_for_only_while_there_is_time() -> None:
    appeal = appealed()
    with pytest.raises(AppealError, match="is over"):
        ask_evidence(appeal.pk, "The invoice.", policy=APPEALS, actor=actor(Role.OFFICER), at=DUE)


def test_each_user_of_a_shared_identity_appeals_for_himself_and_once() -> None:
    appealed(1)
    appealed(2)
    with pytest.raises(AppealError, match="already"):
        appealed(1)
    run_clocks(DUE)
    assert paired(DUE) == [number(1).digits, number(2).digits]


def test_who_was_never_seen_with_the_device_cannot_appeal_for_it_unless_it_is_registered_for_him() -> None:
    with pytest.raises(AppealError, match="not seen with this number"):
        appealed(3)
    proof = proof_of(Purpose.REGISTRATION, 3)
    register_own(phone(1), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(3), at=NOW)
    appealed(3)
    # Whoever shows it at the counter is believed by the officer who sees it.
    officer = actor(Role.OFFICER)
    make(
        imei(1), "shared_identity", "x", proof=proof_of(Purpose.APPEAL, 4, by=officer),
        decision_of=decision_of, seen_with=seen_with, policy=APPEALS, actor=officer, at=NOW,
    )  # fmt: skip


def test_who_was_heard_appeals_again_only_against_a_new_decision() -> None:
    decided(appealed(), uphold=False)
    report_line(
        number(5), Imsi(f"11101{5:010}"), holder=Holder.read("AB123451"), plmns=(PLMN,),
        actor=actor(Role.OPERATOR), at=NOW,
    )  # fmt: skip
    SEEN[number(5)] = SEEN[number(1)]
    for n in (1, 5):  # both his
        with pytest.raises(AppealError, match="was dismissed"):
            appealed(n)
    appealed(2)
    DECIDED[imei(1), "shared_identity"] = 8
    appealed()


def test_without_a_decision_there_is_no_appeal() -> None:
    with pytest.raises(AppealError, match="No decision"):
        appealed(condition="not_registered")


def test_a_policy_says_which_conditions_rest_on_theft_and_which_of_them_on_theft_abroad() -> None:
    policy = load_policy(shipped_policies()["examplia"])[0]
    assert PolicyPart.of(policy).theft == ("stolen", "stolen_abroad")
    assert PolicyPart.of(policy).abroad == ("stolen_abroad",)


def test_against_every_block_there_is_an_appeal_and_of_theft_it_is_decided_sooner() -> None:
    for condition, theft, days in (("stolen", "here", 5), ("abroad", "abroad", 5)):
        DECIDED[imei(1), condition] = 7
        appeal = appealed(condition=condition)
        assert (appeal.theft, appeal.decide_by) == (theft, NOW + timedelta(days=days))
    assert appealed().theft == "none"


def test_what_was_stolen_here_does_not_work_again_because_nobody_decided_and_is_overdue() -> None:
    DECIDED[imei(1), "stolen"] = 7
    appeal = appealed(condition="stolen")
    late = NOW + timedelta(days=5)
    assert [run_clocks(late), run_clocks(late)] == [0, 0]
    after = Appeal.objects.get(pk=appeal.pk)
    assert (after.state, after.overdue_at, after.restored_at) == ("open", late, None)
    assert (paired(late), list(restored(late))) == ([], [])
    assert Entry.objects.filter(action="appeal.overdue", subject=str(appeal)).count() == 1


def test_what_is_said_to_be_stolen_abroad_works_again_undecided_with_who_appealed_alone() -> None:
    DECIDED[imei(1), "abroad"] = 7
    SEEN[number(4)] = [Seen(imei(1), NOW)]
    for n in (1, 4):  # of number 4 no operator told a SIM
        appealed(n, condition="abroad")
    late = NOW + timedelta(days=5)
    assert run_clocks(late) == 2
    assert (paired(late), list(restored(late))) == ([number(1).digits], [])


def test_a_phone_bought_honestly_works_with_its_buyer_in_spite_of_the_report_once_two_people_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    DECIDED[imei(1), "stolen"] = 7
    appeal, other = appealed(condition="stolen"), appealed(2)
    monkeypatch.setattr(pairings_exporting, "missing", lambda _: frozenset({imei(1).number}))
    decided(other, uphold=True, only_him=True)
    assert paired() == [], "what was decided about something else gives way to the report"
    decided(appeal, uphold=True, only_him=True)
    assert paired() == [number(1).digits]


def test_why_somebody_appeals_is_encrypted_read_on_a_legal_basis_told_to_him_and_shredded() -> None:
    appeal = appealed(why="My neighbour Fatou sold it to me.")
    evidence(appeal, reference="drawer 12", remark="signed by Fatou")
    ask_evidence(appeal.pk, "Fatou's address", policy=APPEALS, actor=actor(Role.OFFICER), at=NOW)
    clear = ("Fatou", "drawer 12")
    with connection.cursor() as cursor:
        for table in ("appeals_appeal", "appeals_evidence"):
            cursor.execute(f"SELECT * FROM {table}")
            assert not any(word in repr(row) for row in cursor.fetchall() for word in clear)
    assert not any(word in repr(list(Entry.objects.values())) for word in clear)
    access = Access(actor(Role.OFFICER), NOW, "appeal procedure, section 4")
    words = words_of(appeal.pk, access=access)
    assert (words.why, words.asked_for) == ("My neighbour Fatou sold it to me.", "Fatou's address")
    assert [(where, remark) for _, where, remark in words.evidence] == [("drawer 12", "signed by Fatou")]
    read = Entry.objects.filter(action="personal.read", subject=str(appeal)).exclude(actor="system")
    assert (read.count(), {entry.basis for entry in read}) == (4, {access.basis})
    with pytest.raises(PermissionDeniedError):
        words_of(appeal.pk, access=Access(actor(Role.AUDITOR), NOW, "x"))
    with pytest.raises(PermissionDeniedError):  # who reads personal data of his own matters only
        words_of(appeal.pk, access=Access(actor(Role.POLICE), NOW, "x"))
    told = everything_about(number(1), access=access)
    assert "My neighbour Fatou sold it to me." in repr(told)
    assert "signed by Fatou" in repr(told)
    assert str(appeal) in erase_about(number(1), access=access).open
    withdraw(appeal.pk, proof=proof_of(Purpose.APPEAL), actor=somebody(), at=NOW)
    shred(NOW + timedelta(days=365))
    assert Appeal.objects.get().why is not None
    assert shred(NOW + timedelta(days=366))["appeals.Appeal.why"] == 1
    after, paper = Appeal.objects.get(), Evidence.objects.get()
    assert (after.why, after.asked_for, after.number_key, paper.reference, paper.remark) == (None,) * 5
    assert words_of(appeal.pk, access=access).why == ""


def test_no_decision_stands_without_a_reason() -> None:
    proposal = recommend(appealed().pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=NOW)
    for reason in ("", "  "):
        with pytest.raises(CeirError):
            decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason=reason, at=NOW)
    assert Appeal.objects.get().state == "recommended"


def test_a_withdrawn_appeal_ends_what_it_restored() -> None:
    appeal = appealed()
    run_clocks(DUE)
    with pytest.raises(AppealError):
        withdraw(appeal.pk, proof=proof_of(Purpose.APPEAL, 2, at=DUE), actor=somebody(2), at=DUE)
    pairing = Appeal.objects.get().line.pairings.get()
    with pytest.raises(PairingError, match="belongs to an appeal"):
        release(pairing.pk, proof=proof_of(Purpose.PAIRING, at=DUE), actor=somebody(), at=DUE)
    withdraw(appeal.pk, proof=proof_of(Purpose.APPEAL, at=DUE), actor=somebody(), at=DUE)
    assert paired(DUE) == []
    with pytest.raises(IllegalTransitionError):
        withdraw(appeal.pk, proof=proof_of(Purpose.APPEAL, at=DUE), actor=somebody(), at=DUE)


def test_a_second_number_of_the_same_person_in_the_same_device_is_let_too() -> None:
    appeal = appealed()
    SEEN[number(5)] = [Seen(imei(1), NOW)]

    def add(n: int) -> Appeal:
        return add_line(
            appeal.pk, proof=proof_of(Purpose.APPEAL, n), seen_with=seen_with, actor=somebody(n), at=NOW
        )

    for n in (2, 5):  # another's; nobody knows whose
        with pytest.raises(AppealError):
            add(n)
    report_line(
        number(5), Imsi(f"11101{5:010}"), holder=Holder.read("AB123451"), plmns=(PLMN,),
        actor=actor(Role.OPERATOR), at=NOW,
    )  # fmt: skip
    add(5)
    run_clocks(DUE)
    assert paired(DUE) == [number(1).digits, number(5).digits]


def test_an_appeal_for_a_malformed_identity_is_heard_and_kept_apart() -> None:
    malformed = MalformedImei("ABC")
    DECIDED[malformed, "malformed"] = 8
    SEEN[number(1)] = [Seen(malformed, NOW)]
    decided(appealed(identity=malformed, condition="malformed"), uphold=True)
    assert [one.identity for one in restored(NOW)] == ["ABC"]
    assert is_restored(malformed, "malformed", at=NOW)
    assert paired() == []


def test_what_was_decided_is_a_labelled_case_and_the_rate_is_of_the_decided() -> None:
    DECIDED.update({(imei(2), "not_registered"): 9, (imei(3), "shared_identity"): 9})
    SEEN[number(1)] += [Seen(imei(2), NOW), Seen(imei(3), NOW)]
    decided(appealed(), uphold=True)
    decided(appealed(2), uphold=False)
    appealed(condition="not_registered", identity=imei(2))
    appealed(identity=imei(3))
    run_clocks(DUE)
    assert [(r.condition, r.decided, r.upheld, r.undecided, r.rate) for r in reversal_rate(NOW)] == [
        ("not_registered", 0, 0, 1, None),
        ("shared_identity", 2, 1, 1, Fraction(1, 2)),
    ]
    assert reversal_rate(NOW + timedelta(days=99)) == ()
    assert list(labelled(NOW)) == [
        Labelled(imei(1).digits, "shared_identity", 7, True),
        Labelled(imei(1).digits, "shared_identity", 7, False),
    ]


def test_a_document_is_added_once_to_an_undecided_appeal_of_ones_own() -> None:
    appeal = appealed()
    evidence(appeal)
    with pytest.raises(AppealError, match="there already"):
        evidence(appeal)
    with pytest.raises(AppealError):
        evidence(appeal, 2, digest="cd" * 32)
    with pytest.raises(PermissionDeniedError):
        add_evidence(
            appeal.pk, EvidenceKind.PHOTO, "x", "ef" * 32, proof=None, actor=actor(Role.POLICE), at=NOW
        )
    add_evidence(appeal.pk, EvidenceKind.MAKER, "x", "ef" * 32, proof=None, actor=actor(Role.OFFICER), at=NOW)
    decided(appeal, uphold=False)
    with pytest.raises(AppealError, match="dismissed"):
        evidence(appeal, digest="01" * 32)


@pytest.mark.parametrize("text", ["", "a\0", "x" * 2001, "\ud800", "\u202eabc"])
def test_hostile_texts_are_refused_and_nothing_is_kept(text: str) -> None:
    with pytest.raises(CeirError):
        appealed(why=text)
    assert Appeal.objects.count() == 0
    appeal = appealed(why="'; DROP TABLE appeals_appeal; -- <script>\n=1+1")
    with pytest.raises(CeirError):
        evidence(appeal, reference=text)
    with pytest.raises(CeirError):
        evidence(appeal, remark=text or "\0")
    with pytest.raises(CeirError):
        ask_evidence(appeal.pk, text, policy=APPEALS, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(CeirError):
        recommend(appeal.pk, uphold=True, reason=text, actor=actor(Role.OFFICER), at=NOW)
    assert Appeal.objects.get().state == "open"
    assert Proposal.objects.count() == Evidence.objects.count() == 0


@pytest.mark.parametrize("text", ["", "a b", "'; --", "x" * 65, "ä", "\0"])
def test_a_hostile_condition_or_digest_is_refused(text: str) -> None:
    with pytest.raises(AppealError):
        appealed(condition=text)
    with pytest.raises(AppealError):
        evidence(appealed(), digest=text)


def test_without_a_proven_number_there_is_no_appeal_and_none_stands_in_the_record() -> None:
    with pytest.raises(CodeError):
        appealed(proof=proof_of(Purpose.CASE))
    with pytest.raises(CodeError):
        appealed(proof=proof_of(Purpose.APPEAL, 2))
    appealed()
    assert number(1).digits not in repr(list(Entry.objects.values())) + repr(list(Appeal.objects.values()))


def test_two_appeals_let_a_line_each_by_itself_so_that_the_end_of_one_leaves_the_other() -> None:
    DECIDED[imei(1), "not_registered"] = 7
    first, second = appealed(), appealed(condition="not_registered")
    assert run_clocks(DUE) == 2
    decided(first, uphold=False, at=DUE)
    assert paired(DUE) == [number(1).digits]
    withdraw(second.pk, proof=proof_of(Purpose.APPEAL, at=DUE), actor=somebody(), at=DUE)
    assert paired(DUE) == []


def test_what_an_appeal_let_ends_by_deciding_the_appeal_and_in_no_other_way() -> None:
    appeal = appealed()
    run_clocks(DUE)
    pairing = Appeal.objects.get().line.pairings.get()
    for who in (actor(Role.OFFICER), actor(Role.OPERATOR)):
        with pytest.raises(PairingError, match="belongs to an appeal"):
            propose_release(pairing.pk, reason="x", actor=who, at=DUE)
    decided(appeal, uphold=False, at=DUE)
    assert paired(DUE) == []


def test_what_appeals_taught_is_written_without_anybody_being_named() -> None:
    decided(appealed(), uphold=True)
    decided(appealed(2), uphold=False)
    file = io.StringIO()
    assert write_labels(file, NOW, actor=actor(Role.AUDITOR), at=NOW) == 2
    assert file.getvalue().splitlines() == [
        "imei,condition,run,label",
        f"{imei(1).digits},shared_identity,7,false_positive",
        f"{imei(1).digits},shared_identity,7,true_positive",
    ]
    for role in (Role.CONSUMER, Role.POLICE, Role.IMPORTER):
        with pytest.raises(PermissionDeniedError):
            write_labels(file, NOW, actor=actor(role), at=NOW)
    assert Entry.objects.filter(action="appeal.labels_written").count() == 1


def test_the_list_of_appeals_names_each_identity_and_condition_once() -> None:
    appealed()
    appealed(2)
    DECIDED[MalformedImei("ABC"), "malformed"] = 7
    SEEN[number(1)].append(Seen(MalformedImei("ABC"), NOW))
    appealed(identity=MalformedImei("ABC"), condition="malformed")
    assert list(appeals(NOW)) == []
    SEEN[number(4)] = [Seen(imei(1), NOW)]
    appealed(4)
    decided(appealed_by(2), uphold=True)
    run_clocks(DUE)
    assert list(appeals(DUE)) == [("ABC", "malformed"), (imei(1).digits, "shared_identity")]


def test_an_appeal_that_cannot_go_on_keeps_no_other_from_being_restored() -> None:
    broken, other = appealed(), appealed(2)
    Appeal.objects.filter(pk=broken.pk).update(state="waiting", evidence_by=NOW, asked_at=None)
    with pytest.raises(AssertionError):
        run_clocks(DUE)
    assert Appeal.objects.get(pk=other.pk).restored_because == "undecided"
    assert paired(DUE) == [number(2).digits]


@pytest.mark.django_db(transaction=True)
def test_of_several_who_decide_an_appeal_at_once_one_does_and_the_clock_takes_nothing_back() -> None:
    need_postgresql()
    appeal = appealed()
    against = recommend(appeal.pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=NOW)
    reviewers = [actor(Role.REVIEWER, f"r{n}") for n in range(3)]
    came_to = at_once(
        *(
            partial(decide, against.pk, accept=n != 1, actor=who, reason="x", at=NOW)
            for n, who in enumerate(reviewers)
        ),
        partial(run_clocks, DUE),
        partial(run_clocks, DUE),
    )
    assert sum(isinstance(one, Proposal) for one in came_to[:3]) == 1
    assert all(isinstance(one, Proposal | ProposalError) for one in came_to[:3])
    after = Appeal.objects.get()
    run_clocks(DUE)
    if after.state == "dismissed":
        assert (paired(DUE), Lesson.objects.count()) == ([], 1)
    else:
        assert (after.state, paired(DUE)) == ("open", [number(1).digits])
    verify()


@pytest.mark.django_db(transaction=True)
def test_who_appeals_several_times_at_once_has_appealed_once() -> None:
    need_postgresql()
    proofs = [proof_of(Purpose.APPEAL, 1, by=somebody(n)) for n in range(1, 5)]
    came_to = at_once(
        *(
            partial(
                make, imei(1), "shared_identity", "x", proof=proof, decision_of=decision_of,
                seen_with=seen_with, policy=APPEALS, actor=somebody(n), at=NOW,
            )
            for n, proof in enumerate(proofs, 1)
        )
    )  # fmt: skip
    assert sorted(type(one).__name__ for one in came_to) == ["Appeal", *["AppealError"] * 3]
    assert Appeal.objects.count() == 1


def test_who_appealed_is_told_what_becomes_of_it_and_nobody_else() -> None:
    first, second = appealed(), appealed(2)
    ask_evidence(first.pk, "The receipt, please.", policy=APPEALS, actor=actor(Role.OFFICER), at=NOW)
    evidence(first)
    decided(first, uphold=True)
    run_clocks(DUE)
    decided(second, uphold=False, at=DUE)
    access = Access(SYSTEM, NOW, "a test")
    told = [
        (notice.about, notice.event, notice.msisdn.reveal(access, "test:1"))
        for notice in Notice.objects.order_by("pk")
    ]
    mine, other = number(1).digits, number(2).digits
    assert told == [
        (str(first), "appeal_evidence", mine), (str(first), "appeal_upheld", mine),
        (str(second), "appeal_restored", other), (str(second), "appeal_dismissed", other),
    ]  # fmt: skip


def test_a_number_that_went_to_somebody_else_is_told_nothing() -> None:
    appeal = appealed()
    Line.objects.filter(pk=appeal.line_id).update(ended_at=NOW)
    decided(appeal, uphold=True)
    assert not Notice.objects.exists()
