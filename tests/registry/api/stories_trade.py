"""Stories of goods: approved, imported, looked at in the market; and of what goes out to networks."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from calling import program
from desk import country, run
from django.utils import timezone
from telling import Teller, story
from test_documents import png
from world import imei

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.imports import alarms

WORDING = {
    "holder": "Oppo, Ltd.",
    "models": [{"manufacturer": "Oppo", "name": "N1", "tacs": ["35675904"]}],
    "standards": ["EN 301 511 V12.5.1"],
    "valid_from": "2026-01-01",
}
AGREED = {"accept": True, "reason": "the papers are complete"}


@story
def a_certificate_takes_two_people(tell: Teller) -> None:
    officer = Role.OFFICER
    drafted = tell("draft_certificate", "Of one model", officer, {"number": "TA-1", "wording": WORDING})["id"]
    better = {**WORDING, "holder": "Oppo (Examplia), Ltd."}
    tell("one_certificate", "A draft", officer, certificate_id=drafted)
    tell(
        "redraft_certificate",
        "The holder's full name",
        officer,
        better,
        seen=tell.tag,
        certificate_id=drafted,
    )
    report = {
        "number": "R-1",
        "manufacturer": "Oppo",
        "model": "N1",
        "sample": "S-1",
        "tested_on": "2026-01-15",
        "measurements": [
            {
                "quantity": "sar_head",
                "value": "1.2",
                "clause": "EN 50360:2017 5",
                "at_most": "2",
                "band": "GSM 900",
            }
        ],
    }
    lab = tell("enter_lab_report", "How much a head absorbs", Role.LAB, report)["id"]
    tell("one_lab_report", "As it was measured", officer, report_id=lab)
    tell("list_lab_reports", "The newest first", officer)
    tell("attach_lab_report", "It speaks for a certificate", officer, {"certificate": drafted}, report_id=lab)
    change = {"change": "issue", "reason": "the papers are complete"}
    proposed = tell(
        "propose_certificate_change", "It is to be issued", officer, change, certificate_id=drafted
    )
    tell("decide_proposal", "A certificate is issued", Role.REVIEWER, AGREED, proposal_id=proposed["id"])
    tell("one_certificate", "As importers see it", Role.IMPORTER, certificate_id=drafted)
    tell("list_certificates", "That of a TAC", Role.IMPORTER, query={"tac": "35675904"})
    more = {
        "models": [{"manufacturer": "Oppo", "name": "N1 Pro", "tacs": ["35675905"]}],
        "reason": "the same board in a larger case",
    }
    tell("propose_certificate_extension", "A further model", officer, more, certificate_id=drafted)
    second = tell("draft_certificate", "By mistake", officer, {"number": "TA-2", "wording": WORDING})["id"]
    tell(
        "drop_certificate",
        "It was there already",
        officer,
        {"reason": "the same as TA-1"},
        certificate_id=second,
    )


def _list(count: int, first: int = 0) -> tuple[str, bytes]:
    return "list.csv", "".join(f"{imei(first + n).printed}\n" for n in range(count)).encode()


@story
def a_consignment_is_checked_released_and_sold(tell: Teller) -> None:
    mine, customs = Role.IMPORTER, Role.CUSTOMS
    owner, day = program(mine).organisation_id, timezone.now().date()
    wanted = {"importer": owner, "number": "L-1", "valid_from": str(day), "most_a_year": 1000}
    licence = tell("grant_licence", "For a thousand devices a year", Role.OFFICER, wanted)["id"]
    tell("list_licences", "The importer's own", mine)
    said = {"number": "C-1", "declared": 3, "port": "Port Examplia"}
    one = tell("submit_consignment", "Three phones", mine, said, file=_list(3))["id"]
    tell("check_consignment", "Held against every list", customs, consignment_id=one)
    look = {"imei": imei(1).printed, "basis": "inspection 3"}
    tell("look_up_import", "One phone on the quay", customs, look)
    alarms.note_first_use(imei(2), timezone.now().date(), actor=SYSTEM, at=timezone.now())
    raised = tell("list_alarms", "One is used already", customs)["items"][0]["id"]
    fair = {"confirmed": False, "reason": "shown at a fair"}
    tell("conclude_alarm", "It was shown at a fair", customs, fair, alarm_id=raised)
    asked = tell("propose_consignment_release", "The papers were seen", customs, {"reason": "papers seen"},
                 consignment_id=one)  # fmt: skip
    tell("decide_proposal", "A consignment is released", Role.REVIEWER, AGREED, proposal_id=asked["id"])
    tell("one_consignment", "It is released", mine, consignment_id=one)
    tell("report_consignment", "What was found in its list", mine, consignment_id=one)
    tell("sell_consignment", "It is in the shops", mine, consignment_id=one)
    for number, operation, by in (
        ("C-2", "withdraw_consignment", mine),
        ("C-3", "refuse_consignment", customs),
    ):
        first = 10 * int(number[-1])
        other = tell("submit_consignment", f"The consignment {number}", mine, {**said, "number": number},
                     file=_list(3, first))["id"]  # fmt: skip
        tell("check_consignment", f"Of {number}", customs, consignment_id=other)
        tell(operation, "Sent back", by, {"reason": "sent back to the maker"}, consignment_id=other)
    tell("list_consignments", "Those that are on sale", mine, query={"state": "on_sale"})
    tell("end_licence", "Given back", Role.OFFICER, {"reason": "given back"}, licence_id=licence)


@story
def a_consignment_without_findings_is_released_by_one_person(tell: Teller) -> None:
    tell.arrange(country(tell.phones, allocated=lambda tacs, _: tacs, seen_imeis=lambda *_: ()))
    officer, change = Role.OFFICER, {"change": "issue", "reason": "the papers are complete"}
    wording = {"number": "TA-7", "wording": WORDING}
    drafted = tell("draft_certificate", "Of a model to be imported", officer, wording)["id"]
    proposed = tell("propose_certificate_change", "Before it is imported", officer, change,
                    certificate_id=drafted)  # fmt: skip
    tell("decide_proposal", "A model may be imported", Role.REVIEWER, AGREED, proposal_id=proposed["id"])
    mine, customs = Role.IMPORTER, Role.CUSTOMS
    day = str(timezone.now().date())
    licence = {
        "importer": program(mine).organisation_id,
        "number": "L-9",
        "valid_from": day,
        "most_a_year": 9,
    }
    tell("grant_licence", "For few", Role.OFFICER, licence)
    said = {"number": "C-9", "declared": 1, "port": "Port Examplia"}
    one = tell("submit_consignment", "One phone", mine, said, file=_list(1, 90))["id"]
    tell("check_consignment", "One phone of an approved model", customs, consignment_id=one)
    tell("release_consignment", "Nothing speaks against it", customs, consignment_id=one)


@story
def a_counterfeit_is_reported_examined_and_confirmed(tell: Teller) -> None:
    dealer, basis = Role.DEALER, {"basis": "my own report"}
    seen = {"suspicion": "counterfeit", "imei": imei(1).printed, "brand": "Oppo", "model": "N1"}
    report = tell("report_counterfeit", "It looks like an Oppo", dealer, seen)["id"]
    photo = tell("add_counterfeit_photo", "From the front", dealer, {"shows": "device"},
                 file=("p.png", png()), report_id=report)["id"]  # fmt: skip
    tell("add_counterfeit_photo", "What *#06# shows", dealer, {"shows": "imei_on_screen"},
         file=("q.png", png(2)), report_id=report)  # fmt: skip
    tell("read_counterfeit_photo", "One's own", dealer, basis, report_id=report, photo_id=photo)
    tell("one_counterfeit", "As it stands", dealer, report_id=report)
    tell("list_counterfeits", "Those that were reported", Role.OFFICER, query={"state": "reported"})
    tell("examine_counterfeit", "An officer takes it up", Role.OFFICER, report_id=report)
    said = {"confirmed": True, "reason": "the board is a copy"}
    tell("conclude_counterfeit", "It is one", Role.REVIEWER, said, report_id=report)
    other = tell("report_counterfeit", "In haste", dealer, {**seen, "imei": imei(2).printed})["id"]
    tell("take_back_counterfeit", "It was none", dealer, report_id=other)


@story
def an_audit_of_the_market_goes_to_its_end(tell: Teller) -> None:
    officer, day = Role.OFFICER, timezone.now().date()
    plan = {"number": "S-1", "place": "Old Market", "on": str(day)}
    audit = tell("plan_audit", "At the old market", officer, plan)["id"]
    bought = {"manufacturer": "Oppo", "model": "N1", "imei": imei(1).printed, "taken_from": "stall 3"}
    sample = tell("take_sample", "Bought like anybody", officer, bought, audit_id=audit)["id"]
    for aspect in ("brand", "conformity", "identifier"):
        found = {"aspect": aspect, "faulty": aspect == "brand", "text": "the logo is a sticker"}
        tell("note_finding", f"As to its {aspect}", officer, found, sample_id=sample)
    action = {"action": "warning", "text": "sell no more of them", "due_on": str(day + timedelta(days=14))}
    further = tell("add_follow_up", "The stall is warned", officer, action, audit_id=audit)["id"]
    tell("close_follow_up", "They are gone", officer, {"outcome": "taken off sale"}, follow_up_id=further)
    tell("one_audit", "As it stands", officer, audit_id=audit)
    tell("close_audit", "Nothing is left to do", officer, {"conclusion": "one copy, taken off sale"},
         audit_id=audit)  # fmt: skip
    tell("list_audits", "Those that are closed", officer, query={"state": "closed"})


def _a_run() -> None:
    with TemporaryDirectory() as folder:
        run(Path(folder))


@story
def blocks_go_out_by_stages(tell: Teller) -> None:
    _a_run()
    officer, reason = Role.OFFICER, {"reason": "the first of this year"}
    release = tell("plan_release", "Everything that the run blocks", officer, {"run": 1, **reason})["id"]
    proposed = tell("propose_release_start", "It is to begin", officer, reason, release_id=release)
    tell("decide_proposal", "A release begins", Role.REVIEWER, AGREED, proposal_id=proposed["id"])
    tell("one_release", "Half of it is out", officer, release_id=release)
    tell("carry_release_on", "Its days are not over", officer, release_id=release)
    because = {"reason": "many calls at the help desk"}
    tell("pause_release", "To look at calls", officer, because, release_id=release)
    tell(
        "resume_release",
        "They were about something else",
        officer,
        {"reason": "looked at"},
        release_id=release,
    )
    tell("stop_release", "Too many appeals", officer, because, release_id=release)
    tell("undo_release", "Everything works again", officer, because, release_id=release)
    tell("list_releases", "Those that were stopped", officer, query={"state": "stopped"})


@story
def a_small_release_is_begun_alone(tell: Teller) -> None:
    _a_run()
    planned = tell("plan_release", "Small enough for one person", Role.OFFICER, {"run": 1, "reason": "few"})
    tell("start_release", "By one person", Role.OFFICER, release_id=planned["id"])


@story
def an_emergency_lets_everything_work(tell: Teller) -> None:
    officer = Role.OFFICER
    until = (timezone.now() + timedelta(hours=12)).isoformat()
    wanted = {"answer": "permitted", "until": until, "reason": "earthquake in the north"}
    proposed = tell("propose_an_override", "For half a day", officer, wanted)
    tell("decide_proposal", "An override begins", Role.REVIEWER, AGREED, proposal_id=proposed["id"])
    made = tell("list_overrides", "One goes on", officer)["items"][0]["id"]
    tell("propose_override_end", "It is over sooner", officer, {"reason": "lines are up"}, override_id=made)
