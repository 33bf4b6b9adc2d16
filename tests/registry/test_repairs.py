"""Repairs: what identifies a device changes only when its holder agrees or a second person does."""

import pytest
from people import NOW, actor, organisation
from world import ASKS, POLICY, STANDINGS, imei, number, phone, proof_of, somebody

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, Proof
from ceir.registry.devices.entering import IdentifierTakenError, NoDeviceError, device_of, history, imeis_of
from ceir.registry.devices.identifying import Identifiers, IdentifiersRefusedError
from ceir.registry.proposals.deciding import decide
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import NotYoursError, give_up
from ceir.registry.registrations.exporting import registrations
from ceir.registry.registrations.models import Kind, Registration, WorkOrder
from ceir.registry.registrations.registering import register_own
from ceir.registry.registrations.repairing import Work, WorkOrderError, sign
from ceir.registry.registrations.submitting import submit
from ceir.registry.standing import Standing

SHOP = Role.DEALER


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def own(*serials: int, n: int = 1) -> Registration:
    proof = proof_of(Purpose.REGISTRATION, n)
    identifiers = Identifiers(tuple(imei(s) for s in serials))
    return register_own(identifiers, proof=proof, policy=POLICY, asks=ASKS, actor=somebody(n), at=NOW)


def work(old: int = 1, new: int = 2, tac: str = "35675904", **more: str) -> Work:
    texts = {"reference": "WO-1", "what": "Board replaced after water damage.", **more}
    return Work(imei(old), (imei(old),), phone(new, tac), **texts)


def agreed(n: int = 1) -> Proof:
    """The shop asked for the code, the holder read it out."""
    return proof_of(Purpose.REPAIR, n, by=actor(SHOP))


def signed(order: Work, consent: Proof | None) -> WorkOrder:
    return sign(order, consent=consent, asks=ASKS, actor=actor(SHOP), at=NOW)


def listed() -> list[str]:
    return [row[0] for row in registrations(NOW)]


def test_a_new_board_retires_the_old_imei_and_binds_the_new_one() -> None:
    registration = own(1, 7)
    order = signed(work(), agreed())
    assert order.state == "done"
    assert imeis_of(registration.device) == (imei(2), imei(7))
    assert listed() == [imei(2).digits, imei(7).digits]
    with pytest.raises(NoDeviceError):
        device_of(imei(1))
    ended = [row for row in history(registration.device) if row.ended_at]
    assert [(row.imei, row.ended_because) for row in ended] == [(imei(1).number, str(order))]
    entry = Entry.objects.get(action="work_order.done")
    assert bytes(order.digest).hex() in entry.detail
    verify()


def test_a_shop_changes_nobodys_device_without_his_code() -> None:
    own(1)
    own(5, n=2)
    with pytest.raises(WorkOrderError, match="has not agreed"):
        signed(work(), None)
    with pytest.raises(NotYoursError):
        signed(work(), agreed(2))
    with pytest.raises(CodeError):
        signed(work(), proof_of(Purpose.REGISTRATION, 1, by=actor(SHOP)))
    with pytest.raises(CodeError):
        signed(work(), proof_of(Purpose.REPAIR, 1, by=somebody(1)))
    for role in (Role.CONSUMER, Role.OPERATOR, Role.OFFICER, Role.IMPORTER):
        with pytest.raises(PermissionDeniedError):
            sign(work(), consent=None, asks=ASKS, actor=actor(role), at=NOW)
    assert listed() == [imei(1).digits, imei(5).digits]


@pytest.mark.parametrize("which", [1, 2])
def test_an_imei_that_was_ever_listed_takes_a_second_person(which: int) -> None:
    registration = own(1)
    STANDINGS[imei(which)] = Standing(ever_listed=True)
    order = signed(work(), agreed())
    assert order.state == "proposed"
    assert listed() == [imei(1).digits]
    proposal = Proposal.objects.get()
    with pytest.raises(PermissionDeniedError):
        decide(proposal.pk, accept=True, actor=actor(SHOP, "d2"), reason="seen", at=NOW)
    with pytest.raises(WorkOrderError, match="another one of the device waits"):
        signed(work(new=3, reference="WO-2"), agreed())
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen the board", at=NOW)
    assert imeis_of(registration.device) == (imei(2),)
    order.refresh_from_db()
    assert order.state == "done"
    verify()


def test_what_the_second_person_refuses_leaves_the_device_as_it_was() -> None:
    own(1)
    STANDINGS[imei(2)] = Standing(listed=("duplicate",))
    order = signed(work(), agreed())
    decide(Proposal.objects.get().pk, accept=False, actor=actor(Role.POLICE), reason="no", at=NOW)
    order.refresh_from_db()
    assert (order.state, listed()) == ("refused", [imei(1).digits])
    STANDINGS.clear()
    assert signed(work(reference="WO-2"), agreed()).state == "done"


@pytest.mark.parametrize("which", [1, 2])
def test_a_stolen_board_is_never_bound(which: int) -> None:
    own(1)
    STANDINGS[imei(which)] = Standing(missing=True)
    with pytest.raises(WorkOrderError, match="stolen or lost"):
        signed(work(), agreed())
    assert WorkOrder.objects.count() == 0


def test_a_board_of_another_model_is_refused_also_when_every_imei_changes() -> None:
    own(1)
    with pytest.raises(WorkOrderError, match="another model"):
        signed(work(tac="86123404"), agreed())
    assert signed(work(tac="35675905"), agreed()).state == "done"


def test_an_imei_of_a_registered_device_is_not_bound_but_a_board_that_was_given_up_is() -> None:
    own(1)
    own(2, n=2)
    with pytest.raises(IdentifierTakenError):
        signed(work(), agreed())
    give_up(imei(2), proof=proof_of(Purpose.DEVICES, 2), actor=somebody(2), at=NOW)
    signed(work(), agreed())
    assert listed() == [imei(2).digits]


def test_an_organisations_device_takes_a_second_person() -> None:
    outcome = submit(
        Kind.FLEET,
        [phone(1, "35209900")],
        organisation=organisation(OrganisationKind.IMPORTER).pk,
        reason="meters",
        policy=POLICY,
        asks=ASKS,
        actor=actor(Role.OFFICER),
        at=NOW,
    )
    assert outcome.proposal is None
    order = Work(
        imei(1, "35209900"), (imei(1, "35209900"),), phone(2, "35209900"), "WO-1", "Module replaced."
    )
    assert signed(order, None).state == "proposed"
    proposal = Proposal.objects.get()
    decide(proposal.pk, accept=True, actor=actor(Role.POLICE), reason="seen", at=NOW)
    assert listed() == [imei(2, "35209900").digits]


def test_an_orders_number_is_used_once() -> None:
    own(1)
    own(5, n=2)
    signed(work(), agreed())
    with pytest.raises(WorkOrderError, match="signed before"):
        signed(work(old=5, new=6), agreed(2))


@pytest.mark.parametrize("text", ["", "a\0", "x" * 501, "\ud800", "\u202eabc"])
@pytest.mark.parametrize("name", ["reference", "what"])
def test_hostile_texts_are_refused(name: str, text: str) -> None:
    own(1)
    with pytest.raises(CeirError):
        signed(work(**{name: text}), agreed())
    assert listed() == [imei(1).digits]


@pytest.mark.parametrize("digits", ["00000000000000", "00440001000001"])
def test_a_placeholder_or_test_identity_is_never_bound(digits: str) -> None:
    own(1)
    order = Work(imei(1), (imei(1),), Identifiers((Imei(digits),)), "WO-1", "x")
    with pytest.raises(IdentifiersRefusedError):
        signed(order, agreed())


def test_a_stranger_to_the_device_learns_nothing() -> None:
    with pytest.raises(NoDeviceError):
        signed(work(), agreed())
    own(1)
    signed(work(), agreed())
    assert number(1).digits not in repr(list(Entry.objects.values())) + repr(list(WorkOrder.objects.values()))
