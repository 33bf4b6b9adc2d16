"""Stories of devices and of who has them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from desk import country, fleet, line, proof, registered, speaks_for
from django.utils import timezone
from people import account, organisation
from registry_publications import decided, publish
from telling import Teller, story
from test_duties import owed
from world import PLMN, POLICY, imei, number

from ceir.identifiers import Imsi
from ceir.registry.actors import SYSTEM, OrganisationKind, Role
from ceir.registry.codes.models import Purpose
from ceir.registry.registrations.owning import Seen
from ceir.registry.runs.applying import apply
from ceir.registry.subscribers.reporting import Holder, report_line

PHONE = imei(1).printed


def proves(purpose: Purpose, by: Role = Role.CONSUMER, n: int = 1) -> dict[str, object]:
    return {"proof": proof(purpose, speaks_for(by), n)}


@story
def a_number_is_proven_and_a_phone_registered_shown_and_given_up(tell: Teller) -> None:
    mine = Role.CONSUMER
    asked = {"purpose": "registration", "msisdn": "+220000000001"}
    tell("send_code", "To register a phone", mine, asked)
    code = tell("prove_number", "With what the phone showed", mine, {**asked, "code": tell.phones.last})[
        "code"
    ]
    known = {"code": code, "msisdn": "+220000000001"}
    wanted = {"device": {"imeis": [PHONE], "serial": "R58M123ABC"}, "proof": known}
    made = tell("register_device", "One's own phone", mine, wanted)
    tell("list_quotas", "What is allowed", Role.OFFICER)
    tell("one_registration", "As the office sees it", Role.OFFICER, registration_id=made["id"])
    tell("list_my_devices", "What is registered to the number", mine, proves(Purpose.DEVICES))
    tell("give_up_device", "It is broken", mine, {"imei": PHONE, **proves(Purpose.DEVICES)})


@story
def a_traveller_registers_a_phone_for_a_while(tell: Teller) -> None:
    traveller = {"device": {"imeis": [PHONE]}, "document": "P 1234567", "name": "A. Traveller"}
    tell("register_traveller_device", "At the border", Role.CUSTOMS, traveller)


@story
def an_organisation_registers_many(tell: Teller) -> None:
    batch = {
        "kind": "fleet",
        "reason": "electricity meters",
        "devices": [{"imeis": [imei(1, "35209900").printed]}, {"imeis": ["123"]}],
    }
    tell("register_batch", "Two meters, one of which has no IMEI", Role.IMPORTER, batch)
    two, three = (imei(n, "35209900").printed for n in (2, 3))
    rows = f"imei1,serial\n{two},MTR20002\n{three},MTR20003\n".encode()
    said = {"kind": "fleet", "reason": "electricity meters"}
    tell("register_file", "Two meters in a file", Role.IMPORTER, said, file=("fleet.csv", rows))
    tell("list_registrations", "The organisation's own", Role.IMPORTER, query={"kind": "fleet"})


@story
def a_phone_goes_from_hand_to_hand(tell: Teller) -> None:
    registered(1)
    mine = Role.CONSUMER
    offered = tell(
        "offer_transfer", "To whoever has the code", mine, {"imei": PHONE, **proves(Purpose.TRANSFER)}
    )
    taken = {"imei": PHONE, "code": offered["code"], **proves(Purpose.TRANSFER, n=2)}
    tell("accept_transfer", "With the code, by another number", mine, taken)
    again = tell("offer_transfer", "And on", mine, {"imei": PHONE, **proves(Purpose.TRANSFER, n=2)})
    tell(
        "withdraw_transfer",
        "Kept after all",
        mine,
        proves(Purpose.TRANSFER, n=2),
        transfer_id=again["transfer"],
    )


@story
def a_shop_replaces_a_board(tell: Teller) -> None:
    registered(1)
    work = {
        "device": PHONE,
        "retired": [PHONE],
        "bound": {"imeis": [imei(2).printed]},
        "reference": "WO-1",
        "what": "Board replaced after water damage.",
        "consent": proof(Purpose.REPAIR, speaks_for(Role.DEALER)),
    }
    made = tell("sign_repair", "The holder agreed", Role.DEALER, work)
    tell("one_repair", "As it stands", Role.DEALER, order_id=made["id"])
    tell("list_repairs", "The shop's own", Role.DEALER)


@story
def somebody_says_that_a_phone_is_not_his(tell: Teller) -> None:
    registered(1)
    said = {"imei": PHONE, "remark": "I never had an Oppo.", **proves(Purpose.DEVICES)}
    tell("disown_device", "Registered to the number by mistake", Role.CONSUMER, said)
    reviews = tell("list_reviews", "Those that wait", Role.OFFICER, query={"state": "open"})
    decision = {"detach": True, "reason": "the shop mixed up two numbers"}
    tell("decide_review", "It is taken off the number", Role.REVIEWER, decision,
         review_id=reviews["items"][0]["id"])  # fmt: skip


@story
def a_duty_is_disputed_settled_paid_and_paid_back(tell: Teller) -> None:
    tell.arrange(country(tell.phones, registrations=replace(POLICY, duty_of=owed)))
    mine = Role.CONSUMER
    for n in (1, 2, 3):
        wanted = {"device": {"imeis": [imei(n).printed]}, **proves(Purpose.REGISTRATION)}
        tell("register_device", f"The phone number {n} of one person", mine, wanted)
    waiting = tell("list_duties", "Those that are owed", Role.CUSTOMS, query={"state": "assessed"})["items"]
    later, sooner = waiting[0]["id"], waiting[1]["id"]
    tell("one_duty", "What is owed", Role.CUSTOMS, duty_id=sooner)
    paid = {"amount": "150.50", "currency": "XTS", "payment": "PAY-1"}
    tell("pay_duty", "At the counter", Role.CUSTOMS, paid, duty_id=sooner)
    dispute = {"imei": imei(3).printed, "why": "I paid at the border.", **proves(Purpose.DEVICES)}
    tell("dispute_duty", "Paid twice", mine, dispute)
    settlement = {"amount": "100.00", "reason": "the receipt was seen"}
    proposed = tell("propose_duty_settlement", "A part is right", Role.CUSTOMS, settlement, duty_id=later)
    decision = {"accept": True, "reason": "the receipt was seen"}
    tell("decide_proposal", "A duty is lowered", Role.REVIEWER, decision, proposal_id=proposed["id"])
    tell(
        "pay_duty", "The rest", Role.CUSTOMS, {**paid, "amount": "100.00", "payment": "PAY-2"}, duty_id=later
    )
    lowered = tell("propose_duty_settlement", "Nothing was owed", Role.CUSTOMS,
                   {"amount": "0", "reason": "the border paid back"}, duty_id=sooner)  # fmt: skip
    tell("decide_proposal", "A duty is waived", Role.REVIEWER, decision, proposal_id=lowered["id"])
    tell("refund_duty", "The money went back", Role.CUSTOMS, {"payment": "BACK-1"}, duty_id=sooner)


@story
def a_phone_is_paired_with_further_numbers(tell: Teller) -> None:
    line(1)
    line(2)
    registered(1)
    mine = Role.CONSUMER
    code = tell("make_pair_code", "To be typed by whoever uses it too", mine,
                {"imei": PHONE, **proves(Purpose.PAIRING)})["code"]  # fmt: skip
    wanted = {"imei": PHONE, "code": code, **proves(Purpose.PAIRING, n=2)}
    paired = tell("pair_number", "The second number", mine, wanted)
    tell("list_pairings", "Of one phone", Role.OFFICER, query={"imei": PHONE})
    tell("propose_pairing_release", "The number was stolen", Role.OFFICER, {"reason": "the SIM was stolen"},
         pairing_id=paired["id"])  # fmt: skip
    tell("release_pairing", "Not used any more", mine, proves(Purpose.PAIRING, n=2), pairing_id=paired["id"])


@story
def a_line_is_told_by_its_operator_and_ends(tell: Teller) -> None:
    told = {"msisdn": "+220000000005", "imsi": "111010000000005", "holder": {"document": "AB 999"}}
    tell("tell_line", "A new line", Role.OPERATOR, told)
    tell("tell_line", "A new SIM", Role.OPERATOR, {**told, "imsi": "111010000000006"})
    tell("tell_end", "The contract is over", Role.OPERATOR, {"msisdn": "+220000000005"})


@story
def an_appeal_is_heard(tell: Teller) -> None:
    at = timezone.now()
    for n in (1, 2):  # two numbers of one person
        sim, who = Imsi(f"11101{n:010}"), Holder.read("AB123451")
        report_line(number(n), sim, plmns=(PLMN,), actor=speaks_for(Role.OPERATOR), at=at, holder=who)
    with TemporaryDirectory() as folder:
        rows = [decided(imei(1).digits, conditions="shared_identity", reasons="Used by many")]
        apply(publish(Path(folder) / "run", 1, rows), actor=SYSTEM, at=at)
    seen = {number(n): [Seen(imei(1), at - timedelta(days=1))] for n in (1, 2)}
    tell.arrange(country(tell.phones, seen_with=lambda of: seen.get(of, [])))
    mine = Role.CONSUMER
    why = "I bought it new; here is the receipt."
    wanted = {"identity": PHONE, "condition": "shared_identity", "why": why, **proves(Purpose.APPEAL)}
    appeal = tell("make_appeal", "The phone was bought new", mine, wanted)["id"]
    tell("add_appeal_line", "The second SIM in it", mine, proves(Purpose.APPEAL, n=2), appeal_id=appeal)
    tell("request_evidence", "The bill", Role.OFFICER, {"what": "the bill of the shop"}, appeal_id=appeal)
    paper = {"kind": "invoice", "reference": "documents/12", "digest": "ab" * 32, **proves(Purpose.APPEAL)}
    tell("add_evidence", "The bill", mine, paper, appeal_id=appeal)
    tell("one_appeal", "As it stands", Role.OFFICER, appeal_id=appeal)
    tell("list_appeals", "Those of one condition", Role.OFFICER, query={"condition": "shared_identity"})
    recommended = tell("recommend_outcome", "The bill is right", Role.OFFICER,
                       {"uphold": True, "reason": "the bill is right"}, appeal_id=appeal)  # fmt: skip
    tell("decide_proposal", "The appeal is upheld", Role.REVIEWER, {"accept": True, "reason": "so it is"},
         proposal_id=recommended["id"])  # fmt: skip
    tell("appeal_outcome", "Upheld", mine, proves(Purpose.APPEAL), appeal_id=appeal)
    since = (at - timedelta(days=30)).isoformat()
    tell("reversal_rate", "Of the last month", Role.OFFICER, query={"since": since})


@story
def an_appeal_is_withdrawn(tell: Teller) -> None:
    line(1)
    at = timezone.now()
    with TemporaryDirectory() as folder:
        rows = [decided(imei(1).digits, conditions="shared_identity", reasons="Used by many")]
        apply(publish(Path(folder) / "run", 1, rows), actor=SYSTEM, at=at)
    seen = [Seen(imei(1), at - timedelta(days=1))]
    tell.arrange(country(tell.phones, seen_with=lambda _: seen))
    wanted = {"identity": PHONE, "condition": "shared_identity", "why": "mine", **proves(Purpose.APPEAL)}
    appeal = tell("make_appeal", "Made in haste", Role.CONSUMER, wanted)["id"]
    tell("withdraw_appeal", "It was another phone", Role.CONSUMER, proves(Purpose.APPEAL), appeal_id=appeal)


@story
def programs_get_credentials(tell: Teller) -> None:
    fleet(speaks_for(Role.IMPORTER), 1)
    administrator = Role.ADMINISTRATOR
    operator = organisation(OrganisationKind.OPERATOR, "operator9").pk
    tell("list_organisations", "The operators", administrator, query={"kind": "operator"})
    tell("one_organisation", "One of them", administrator, organisation_id=operator)
    wanted = {
        "name": "gateway",
        "role": "operator",
        "scopes": ["status.read", "subscriber.report"],
        "responsible": account(Role.OPERATOR, "operator-9", "operator9").pk,
        "reason": "their new gateway of messages",
    }
    tell(
        "make_program",
        "One half of the secret is told, once",
        administrator,
        wanted,
        organisation_id=operator,
    )
    tell("list_clients", "Whose secrets are never told", administrator, organisation_id=operator)


@story
def a_pairing_follows_its_person_to_a_new_number(tell: Teller) -> None:
    line(1)
    line(2)
    registered(1)
    mine, at = Role.CONSUMER, timezone.now()
    offer = {"imei": PHONE, **proves(Purpose.PAIRING)}
    code = tell("make_pair_code", "For a friend", mine, offer)["code"]
    tell(
        "pair_number",
        "The friend's number",
        mine,
        {"imei": PHONE, "code": code, **proves(Purpose.PAIRING, n=2)},
    )
    sim, who = Imsi("111010000000003"), Holder.read("AB123452")
    report_line(number(3), sim, plmns=(PLMN,), actor=speaks_for(Role.OPERATOR), at=at, holder=who)
    moved = {"imei": PHONE, **proves(Purpose.PAIRING, n=3)}
    tell("follow_pairing", "The friend's new number, on the same document", mine, moved)
