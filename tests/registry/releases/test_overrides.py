"""In an emergency nothing is blocked: two people begin it, and it ends by itself."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from people import NOW, actor
from registry_publications import decided, imeis, publish

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify
from ceir.registry.proposals.deciding import FourEyesError, ProposalError, decide
from ceir.registry.releases.models import Override, OverrideAnswer
from ceir.registry.releases.outgoing import held_back, is_out, released, write_outgoing
from ceir.registry.releases.overriding import OverrideError, in_force, propose_end, propose_override
from ceir.registry.releases.planning import Stage, Terms, plan
from ceir.registry.releases.releasing import carry_on, start
from ceir.registry.releases.signals import Signal
from ceir.registry.runs.applying import apply

DAY = timedelta(days=1)
DEVICES = imeis(20)


@pytest.fixture(autouse=True)
def _out(tmp_path: Path) -> None:
    apply(publish(tmp_path / "1", 1, [decided(i) for i in DEVICES]), actor=SYSTEM, at=NOW)
    quiet = {"appeals": Signal("appeals", "For a test.", lambda release, at: 0)}  # noqa: ARG005
    terms = Terms((Stage(Decimal(1)),), {"appeals": Decimal(5)}, alone_share=Decimal(1))
    officer = actor(Role.OFFICER)
    release = plan(1, terms, salt=bytes(16), reason="x", actor=officer, at=NOW, signals=quiet)
    start(release.pk, actor=officer, at=NOW)
    carry_on(release.pk, actor=SYSTEM, at=NOW, signals=quiet)


def begun(operator: str = "", answer: OverrideAnswer = OverrideAnswer.PERMITTED) -> Override:
    proposal = propose_override(
        answer, NOW + 3 * DAY, operator=operator, reason="an earthquake", actor=actor(Role.OFFICER), at=NOW
    )
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    return Override.objects.latest("pk")


def out(at: object, operator: str = "") -> int:
    return len(list(released(at, operator)))  # type: ignore[arg-type]


def test_while_it_is_in_force_nothing_is_blocked_and_then_everything_is_again() -> None:
    assert out(NOW) == 20
    begun()
    assert out(NOW) == 0
    assert len(list(held_back(NOW))) == 20
    assert not is_out(int(DEVICES[0]), NOW)
    assert out(NOW + 3 * DAY) == 20
    assert is_out(int(DEVICES[0]), NOW + 3 * DAY)
    verify()


def test_one_person_alone_begins_nothing() -> None:
    officer = actor(Role.OFFICER)
    proposal = propose_override(OverrideAnswer.TRACKED, NOW + DAY, reason="x", actor=officer, at=NOW)
    for other in (officer, actor(Role.OFFICER, "officer-2"), actor(Role.AUDITOR)):
        with pytest.raises((PermissionDeniedError, FourEyesError)):
            decide(proposal.pk, accept=True, actor=other, reason="ok", at=NOW)
    assert in_force(NOW) is None
    for role in (Role.REVIEWER, Role.POLICE, Role.OPERATOR, Role.CONSUMER, Role.ADMINISTRATOR):
        with pytest.raises(PermissionDeniedError):
            propose_override(
                OverrideAnswer.TRACKED, NOW + DAY, operator="op", reason="x", actor=actor(role), at=NOW
            )
    with pytest.raises(ProposalError, match="reason"):
        propose_override(OverrideAnswer.TRACKED, NOW + DAY, operator="op", reason=" ", actor=officer, at=NOW)


def test_at_one_operator_it_holds_there_only() -> None:
    begun("operator1")
    assert (out(NOW, "operator1"), out(NOW, "operator2"), out(NOW)) == (0, 20, 20)


def test_two_end_it_before_its_time() -> None:
    override = begun()
    with pytest.raises(OverrideError, match="in force"):
        propose_override(OverrideAnswer.TRACKED, NOW + DAY, reason="x", actor=actor(Role.OFFICER), at=NOW)
    proposal = propose_end(override.pk, reason="it is over", actor=actor(Role.OFFICER), at=NOW + DAY)
    assert out(NOW + DAY) == 0
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW + DAY)
    assert (out(NOW), out(NOW + DAY)) == (0, 20)
    with pytest.raises(OverrideError, match="not in force"):
        propose_end(override.pk, reason="again", actor=actor(Role.OFFICER), at=NOW + DAY)


@pytest.mark.parametrize("until", [NOW, NOW - DAY, NOW + 32 * DAY])
def test_it_lasts_a_month_at_most(until: object) -> None:
    with pytest.raises(OverrideError):
        propose_override(
            OverrideAnswer.PERMITTED,
            until,
            reason="x",
            actor=actor(Role.OFFICER),
            at=NOW,  # type: ignore[arg-type]
        )


def test_a_decision_that_comes_after_its_end_begins_nothing() -> None:
    proposal = propose_override(
        OverrideAnswer.PERMITTED, NOW + DAY / 2, reason="x", actor=actor(Role.OFFICER), at=NOW
    )
    with pytest.raises(CeirError, match="over already"):
        decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="late", at=NOW + DAY * 0.9)
    assert Override.objects.count() == 0


def test_the_lists_that_go_out_say_that_it_holds(tmp_path: Path) -> None:
    begun("operator1", OverrideAnswer.TRACKED)
    rows = write_outgoing(tmp_path / "out", ("operator1", "operator2"), actor=SYSTEM, at=NOW)
    assert rows["operator1/blocked.csv"] == rows["operator1/tracked.csv"] == 0
    assert rows["operator2/blocked.csv"] == 20
    assert '"override": "tracked"' in (tmp_path / "out/manifest.json").read_text()
