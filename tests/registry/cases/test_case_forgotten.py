"""A case that nobody does anything with ends some day; one that blocks or is looked for does not."""

from datetime import timedelta

import pytest
from lost import fresh, in_state, police, reported, said
from people import NOW, actor

from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.deadlines import FORGOTTEN, close_forgotten, pass_deadlines
from ceir.registry.cases.reporting import report
from ceir.registry.cases.states import ENDED, Mode, State
from ceir.registry.cases.verifying import ask_for_block, verify
from ceir.registry.personal.shredding import shred
from ceir.registry.proposals.deciding import expire

MOMENT = timedelta(seconds=1)
CLOSED = {
    (Mode.BLOCK, State.REPORTED): State.REJECTED,
    (Mode.BLOCK, State.VERIFIED): State.REJECTED,
    (Mode.BLOCK, State.RECOVERED): State.RESTORED,
    (Mode.RECOVERY, State.REPORTED): State.REJECTED,
    (Mode.RECOVERY, State.RECOVERED): State.RESTORED,
}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", list(State))
def test_what_nothing_happened_to_for_a_year_is_closed_unless_it_blocks_or_is_looked_for(
    mode: Mode, state: State
) -> None:
    if mode is Mode.RECOVERY and state is State.BLOCKED:
        return  # there is no such case
    case = in_state(mode, state)
    late = NOW + FORGOTTEN
    expire(late)
    assert close_forgotten(late - MOMENT) == 0
    expected = CLOSED.get((mode, state), state)
    assert close_forgotten(late) == (expected is not state)
    assert State(fresh(case).state) is expected
    assert close_forgotten(late) == 0
    verify_record()


def test_while_somebody_is_asked_or_a_device_is_blocked_provisionally_nothing_is_closed() -> None:
    case = reported()
    verify(case.pk, reason="x", actor=police(), at=NOW)
    late = NOW + FORGOTTEN
    assert close_forgotten(late) == 0
    expire(late)
    ask_for_block(case.pk, reason="again", actor=actor(Role.REVIEWER), at=late)
    assert close_forgotten(late) == 0
    assert fresh(case).state == State.VERIFIED.value


def test_personal_data_of_a_forgotten_case_is_shredded_in_time() -> None:
    case = report(said(), actor=police(), at=NOW, provisional=ProvisionalBlock(hours=72))
    assert close_forgotten(NOW + FORGOTTEN) == 0  # its block was not lifted yet
    pass_deadlines(NOW + timedelta(hours=72))
    late = NOW + timedelta(hours=72) + FORGOTTEN
    assert close_forgotten(late) == 1
    assert State(fresh(case).state) in ENDED
    shred(late + timedelta(days=366))
    assert fresh(case).owner_name is None
    assert fresh(case).msisdn_key is None
