"""Appeals when several people act at the same moment."""

from functools import partial

import pytest
from appeals_world import APPEALS, DUE, appealed, begin_anew, decision_of, paired, seen_with
from at_once import at_once, need_postgresql
from people import NOW, actor
from world import imei, number, proof_of, somebody

from ceir.registry.actors import Role
from ceir.registry.appeals.appealing import (
    make,
)
from ceir.registry.appeals.deciding import recommend, run_clocks
from ceir.registry.appeals.models import Appeal, Lesson
from ceir.registry.audit.chain import verify
from ceir.registry.codes.models import Purpose
from ceir.registry.proposals.deciding import ProposalError, decide
from ceir.registry.proposals.models import Proposal


@pytest.fixture(autouse=True)
def _world() -> None:
    begin_anew()


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
