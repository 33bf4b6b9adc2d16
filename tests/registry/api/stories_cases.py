"""Stories of lost devices: from the report to the owner."""

from datetime import timedelta

from calling import program
from desk import blocked_case, country
from django.utils import timezone
from lost import ONE
from telling import Teller, story
from test_documents import PDF
from test_exceptions import paired
from world import imei

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.cases.choosing import SeenDevice
from ceir.registry.editions.excepting import issue_all_exceptions

LOST = {
    "loss": "stolen",
    "place": "Old Market",
    "msisdn": "+220000000001",
    "owner_name": "Amina Yusuf",
    "description": "Black, a crack in the glass.",
}


def ago(hours: int = 2) -> str:
    return (timezone.now() - timedelta(hours=hours)).isoformat()


@story
def a_phone_is_lost_by_its_number_blocked_found_and_fetched(tell: Teller) -> None:
    seen = [SeenDevice(ONE, "Oppo", "N1", timezone.now().date())]
    tell.arrange(country(tell.phones, devices_seen=lambda _: seen))
    owner, police = Role.CONSUMER, Role.POLICE
    station = program(police, of="p1").organisation_id
    body = {**LOST, "happened_at": ago(), "station": station}
    case = tell("report_case", "A stolen phone of which only the number is known", owner, body)["id"]
    number = {"msisdn": "+220000000001"}
    tell("send_case_code", "A code to the number that was lost", owner, number, case_id=case)
    code = {**number, "code": tell.phones.last}
    tell("offer_candidates", "The devices that were seen with the number", owner, code, case_id=case)
    tell("choose_candidates", "It is the first", owner, {"numbers": [1]}, case_id=case)
    said = {"reason": "the bill fits", "police_reference": "OM 12/2026"}
    verified = tell("verify_case", "The police believe it", police, said, of="p1", case_id=case)
    decision = {"accept": True, "reason": "seen"}
    tell("decide_proposal", "A second person agrees to the block", Role.REVIEWER, decision,
         proposal_id=verified["proposal"]["id"])  # fmt: skip
    tell("one_case", "It is blocked", owner, case_id=case)
    tell("list_cases", "Those that are blocked", police, of="p1", query={"state": "blocked"})
    tell("recover_case", "The police found it", police, {"reason": "found in a raid"}, of="p1", case_id=case)
    tell("restore_case", "The owner has it again", police, {"reason": "fetched"}, of="p1", case_id=case)


@story
def a_case_is_withdrawn_another_is_rejected(tell: Teller) -> None:
    owner, police = Role.CONSUMER, Role.POLICE
    station = program(police, of="p1").organisation_id
    body = {**LOST, "happened_at": ago(), "imeis": [ONE.printed], "mode": "recovery"}
    case = tell("report_case", "A phone whose IMEI is on the bill", owner, body)["id"]
    tell("withdraw_case", "It lay under the sofa", owner, {"reason": "found at home"}, case_id=case)
    other = tell("report_case", "Told at a police station", police, {**body, "station": station}, of="p1")[
        "id"
    ]
    moved = {"station": program(police, of="p2").organisation_id}
    tell("one_case", "As the station sees it", police, of="p1", case_id=other)
    tell("assign_case_station", "It happened in another district", police, moved, of="p1", seen=tell.tag,
         case_id=other)  # fmt: skip
    tell(
        "reject_case", "The bill is forged", police, {"reason": "the bill is forged"}, of="p2", case_id=other
    )


@story
def a_verified_case_is_blocked_after_all(tell: Teller) -> None:
    police = Role.POLICE
    station = program(police, of="p1").organisation_id
    body = {**LOST, "happened_at": ago(), "imeis": [ONE.printed], "station": station}
    case = tell("report_case", "Lost on a bus", police, {**body, "loss": "lost"}, of="p1")["id"]
    verified = tell(
        "verify_case", "Nothing speaks against it", police, {"reason": "asked"}, of="p1", case_id=case
    )
    decision = {"accept": False, "reason": "the number is another's"}
    tell("decide_proposal", "A second person does not agree", Role.REVIEWER, decision,
         proposal_id=verified["proposal"]["id"])  # fmt: skip
    tell("propose_case_block", "The number was explained", police, {"reason": "it is his wife's"}, of="p1",
         case_id=case)  # fmt: skip


@story
def the_police_read_what_a_case_holds_on_a_basis(tell: Teller) -> None:
    case = blocked_case("station-1")
    police, of, basis = Role.POLICE, "station-1", {"basis": "Criminal Procedure Act 7"}
    program(police, of=of)
    tell("read_case_person", "The owner, to be told", police, basis, of=of, case_id=case)
    document = tell("add_case_document", "The bill", police, of=of, file=("bill.pdf", PDF), case_id=case)[
        "id"
    ]
    tell("list_case_documents", "One bill", police, of=of, case_id=case)
    tell("read_case_document", "The bill again", police, basis, of=of, case_id=case, document_id=document)
    traces = tell("list_case_traces", "It was used again", police, of=of, case_id=case)
    tell("read_trace", "By whom and where", police, basis, of=of, case_id=case,
         trace_id=traces["items"][0]["id"])  # fmt: skip


@story
def a_network_tells_where_devices_were_seen(tell: Teller) -> None:
    blocked_case("station-1")
    code = program(Role.OPERATOR).organisation.code
    seen = {"seen_at": ago(1), "operator": code, "imsi": "111010000000666", "msisdn": "+220000000666"}
    items = [{**seen, "imei": ONE.printed, "cell": "111-01-17-4"}, {**seen, "imei": imei(1).printed}]
    tell("tell_sightings", "One that is sought and one that is not", Role.OPERATOR, {"items": items})


@story
def an_operator_fetches_its_exceptions(tell: Teller) -> None:
    paired(1)
    issue_all_exceptions(actor=SYSTEM, at=timezone.now())
    basis = {"basis": "Interconnection Act 3"}
    tell("current_exceptions", "One subscriber", Role.OPERATOR)
    tell("whole_exceptions", "One subscriber", Role.OPERATOR, basis)
    tell("exception_changes", "Since nothing", Role.OPERATOR, {**basis, "since": 0})
