"""What certificates rest on and what happens afterwards: laboratories, audits of the market, counterfeits."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from people import NOW, actor, organisation
from test_documents import PDF, jpeg, png
from test_type_approvals import drafted, issued, moved

from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.audit.models import Entry
from ceir.registry.documents.media_types import DocumentRefusedError
from ceir.registry.free_text import TextRefusedError
from ceir.registry.personal.fields import Access
from ceir.registry.type_approvals import counterfeits, lab_reports, surveillance
from ceir.registry.type_approvals.certificates import CertificateRefusedError, CertificateStateError
from ceir.registry.type_approvals.counterfeits import CounterfeitReportError, Seen
from ceir.registry.type_approvals.lab_reports import LabReportRefusedError, Measured, Specimen
from ceir.registry.type_approvals.models import (
    Action,
    Aspect,
    CertificateState,
    CounterfeitReport,
    CounterfeitState,
    LabReport,
    Measurement,
    Shows,
    Suspicion,
)
from ceir.registry.type_approvals.quantities import QUANTITIES
from ceir.registry.type_approvals.surveillance import SurveillanceRefusedError

SAR = Measured("sar_head", Decimal("1.2"), "EN 50360:2017 5", at_most=Decimal(2), band="GSM 900")
TESTED = Specimen("Oppo", "N1", "serial 12", date(2026, 10, 1))
IMEI = Imei("35675904000001")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: object) -> None:
    settings.CEIR_DOCUMENTS = tmp_path / "documents"  # type: ignore[attr-defined]


def reported(number: str = "R-1", *measured: Measured, **more: object) -> LabReport:
    lab = organisation(OrganisationKind.LAB)
    return lab_reports.report(
        lab, number, TESTED, measured or (SAR,), actor=actor(Role.LAB), at=NOW, **more  # type: ignore[arg-type]
    )  # fmt: skip


# --- laboratories


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "passed"),
    [
        ("2", None, "2", True),
        ("2.0001", None, "2", False),
        ("-102.1", None, "-102", True),
        ("-101.9999", None, "-102", False),
        ("33", "31", "35", True),
        ("30.9999", "31", "35", False),
        ("35.0001", "31", "35", False),
        ("0", "0", None, True),
    ],
)
def test_a_value_passes_if_it_keeps_its_limits(
    value: str, at_least: str | None, at_most: str | None, passed: bool
) -> None:
    limits = [None if text is None else Decimal(text) for text in (at_least, at_most)]
    made = reported("R-1", Measured("transmit_power", Decimal(value), "EN 301 511 4.2.5", *limits))
    assert Measurement.objects.get().passed is made.passed is passed
    assert Measurement.objects.get().unit == "dBm"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(Measured("beauty", Decimal(1), "x", at_most=Decimal(2)), id="no quantity"),
        pytest.param(Measured("sar_head", Decimal(1), "x"), id="no limit"),
        pytest.param(Measured("sar_head", Decimal(1), "", at_most=Decimal(2)), id="no clause"),
        pytest.param(
            Measured("sar_head", Decimal(1), "x", at_least=Decimal(3), at_most=Decimal(2)), id="no room"
        ),
        pytest.param(Measured("sar_head", Decimal("NaN"), "x", at_most=Decimal(2)), id="no number"),
        pytest.param(Measured("sar_head", Decimal("-Infinity"), "x", at_most=Decimal(2)), id="infinite"),
        pytest.param(Measured("sar_head", Decimal("1E+30"), "x", at_most=Decimal(2)), id="too large"),
        pytest.param(
            Measured("sar_head", Decimal("2.00004"), "x", at_most=Decimal(2)),
            id="would be rounded to its limit",
        ),
        pytest.param(Measured("sar_head", Decimal(1), "x", at_most=Decimal("sNaN")), id="a limit of nothing"),
        pytest.param(
            Measured("sar_head", Decimal(1), "x", at_least=Decimal("NaN"), at_most=Decimal(2)),
            id="one limit of nothing",
        ),
    ],
)
def test_measurements_that_do_not_hold_together_are_refused_whole(wrong: Measured) -> None:
    with pytest.raises((LabReportRefusedError, TextRefusedError)):
        reported("R-1", SAR, wrong)
    assert LabReport.objects.count() == Measurement.objects.count() == Entry.objects.count() == 0


def test_a_report_is_of_a_laboratory_and_entered_by_its_people_or_an_officer() -> None:
    lab, other = (organisation(OrganisationKind.LAB, code) for code in ("lab", "lab-2"))
    lab_reports.report(lab, "R-0", TESTED, (SAR,), actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(PermissionDeniedError):
        lab_reports.report(other, "R-1", TESTED, (SAR,), actor=actor(Role.LAB), at=NOW)
    with pytest.raises(PermissionDeniedError):
        lab_reports.report(lab, "R-1", TESTED, (SAR,), actor=actor(Role.IMPORTER), at=NOW)
    with pytest.raises(LabReportRefusedError, match="no laboratory"):
        lab_reports.report(
            organisation(OrganisationKind.IMPORTER), "R-1", TESTED, (SAR,), actor=actor(Role.OFFICER), at=NOW
        )
    with pytest.raises(LabReportRefusedError, match="already"):
        reported("R-0")
    with pytest.raises(LabReportRefusedError, match="is not yet"):
        lab_reports.report(
            lab, "R-2", Specimen("a", "b", "c", NOW.date() + timedelta(days=1)), (SAR,),
            actor=actor(Role.LAB), at=NOW,
        )  # fmt: skip


def test_the_signed_paper_is_kept_with_the_report() -> None:
    made = reported(paper=PDF)
    assert made.paper is not None
    assert made.paper.subject == f"lab-report:{made.pk}"
    with pytest.raises(DocumentRefusedError):
        reported("R-2", paper=b"<html>")
    assert LabReport.objects.count() == 1


def test_what_failed_in_a_laboratory_is_not_issued_until_a_report_replaces_it() -> None:
    officer = actor(Role.OFFICER)
    certificate = drafted()
    failed = reported("R-1", Measured("sar_head", Decimal("2.5"), "EN 50360", at_most=Decimal(2)))
    lab_reports.attach(failed.pk, certificate.pk, actor=officer, at=NOW)
    with pytest.raises(CertificateRefusedError, match="R-1"):
        moved(certificate, CertificateState.VALID)
    better = reported("R-2", SAR, replaces=failed.pk)
    assert better.certificate == certificate
    with pytest.raises(LabReportRefusedError, match="was replaced"):
        reported("R-3", SAR, replaces=failed.pk)
    assert moved(certificate, CertificateState.VALID).state == "valid"
    with pytest.raises(CertificateStateError):
        reported("R-4", SAR, replaces=better.pk)


def test_a_report_is_attached_only_to_a_draft_that_names_its_model() -> None:
    officer = actor(Role.OFFICER)
    lab = organisation(OrganisationKind.LAB)
    made = reported()
    other = lab_reports.report(
        lab, "R-9", Specimen("Oppo", "N2", "x", TESTED.tested_on), (SAR,), actor=actor(Role.LAB), at=NOW
    )
    with pytest.raises(CertificateStateError):
        lab_reports.attach(made.pk, issued().pk, actor=officer, at=NOW)
    draft = drafted("TA-2")
    with pytest.raises(LabReportRefusedError, match="names no Oppo N2"):
        lab_reports.attach(other.pk, draft.pk, actor=officer, at=NOW)
    with pytest.raises(PermissionDeniedError):
        lab_reports.attach(made.pk, draft.pk, actor=actor(Role.LAB), at=NOW)
    lab_reports.attach(made.pk, draft.pk, actor=officer, at=NOW)
    with pytest.raises(LabReportRefusedError, match="another certificate"):
        lab_reports.attach(made.pk, drafted("TA-3").pk, actor=officer, at=NOW)


def test_every_quantity_has_one_unit_and_says_what_it_is() -> None:
    assert all(q.unit and q.doc.endswith(".") and q.name == name for name, q in QUANTITIES.items())
    assert max(map(len, QUANTITIES)) <= 40


# --- audits of the market


def test_an_audit_goes_from_plan_to_samples_findings_follow_up_and_end() -> None:
    by = {"actor": actor(Role.OFFICER), "at": NOW}
    audit = surveillance.plan("M-1", "Market street", NOW.date(), **by)  # type: ignore[arg-type]
    sample = surveillance.take_sample(audit.pk, "Oppo", "N1", IMEI, "Stall 12", **by)  # type: ignore[arg-type]
    audit.refresh_from_db()
    assert audit.state == "begun"
    with pytest.raises(SurveillanceRefusedError, match="1 samples were not judged"):
        surveillance.close(audit.pk, "done", **by)  # type: ignore[arg-type]
    surveillance.find(sample.pk, Aspect.BRAND, faulty=False, text="genuine", **by)  # type: ignore[arg-type]
    surveillance.find(sample.pk, Aspect.CONFORMITY, faulty=True, text="no mark", **by)  # type: ignore[arg-type]
    with pytest.raises(SurveillanceRefusedError, match="was judged already"):
        surveillance.find(sample.pk, Aspect.BRAND, faulty=True, text="or not", **by)  # type: ignore[arg-type]
    with pytest.raises(SurveillanceRefusedError, match="nothing followed"):
        surveillance.close(audit.pk, "done", **by)  # type: ignore[arg-type]
    due = NOW.date() + timedelta(days=30)
    step = surveillance.follow_up(audit.pk, Action.WARNING, "letter", due, **by)  # type: ignore[arg-type]
    with pytest.raises(SurveillanceRefusedError, match="are open"):
        surveillance.close(audit.pk, "done", **by)  # type: ignore[arg-type]
    surveillance.done(step.pk, "answered", **by)  # type: ignore[arg-type]
    with pytest.raises(SurveillanceRefusedError, match="is not open"):
        surveillance.done(step.pk, "again", **by)  # type: ignore[arg-type]
    assert surveillance.close(audit.pk, "one fault", **by).state == "closed"  # type: ignore[arg-type]
    for late in (
        lambda: surveillance.take_sample(audit.pk, "a", "b", None, "c", **by),  # type: ignore[arg-type]
        lambda: surveillance.find(sample.pk, Aspect.IDENTIFIER, faulty=True, text="x", **by),  # type: ignore[arg-type]
        lambda: surveillance.follow_up(audit.pk, Action.POLICE, "x", due, **by),  # type: ignore[arg-type]
        lambda: surveillance.close(audit.pk, "again", **by),  # type: ignore[arg-type]
    ):
        with pytest.raises(SurveillanceRefusedError, match="is not open"):
            late()


def test_a_suspension_as_follow_up_names_its_certificate_and_suspends_nothing_by_itself() -> None:
    by = {"actor": actor(Role.OFFICER), "at": NOW}
    audit = surveillance.plan("M-1", "Market street", NOW.date(), **by)  # type: ignore[arg-type]
    certificate = issued()
    with pytest.raises(SurveillanceRefusedError, match="Nothing is named"):
        surveillance.follow_up(audit.pk, Action.SUSPENSION, "x", NOW.date(), **by)  # type: ignore[arg-type]
    with pytest.raises(SurveillanceRefusedError, match="past"):
        surveillance.follow_up(audit.pk, Action.RECALL, "x", date(2026, 1, 1), **by)  # type: ignore[arg-type]
    surveillance.follow_up(audit.pk, Action.SUSPENSION, "x", NOW.date(), certificate, **by)  # type: ignore[arg-type]
    certificate.refresh_from_db()
    assert certificate.state == "valid"


def test_only_officers_audit_the_market() -> None:
    for role in (Role.CONSUMER, Role.DEALER, Role.IMPORTER, Role.LAB, Role.REVIEWER, Role.OPERATOR):
        with pytest.raises(PermissionDeniedError):
            surveillance.plan("M-1", "x", NOW.date(), actor=actor(role), at=NOW)


# --- counterfeits

SEEN = Seen(Suspicion.COUNTERFEIT, IMEI, "Oppo", "N1", "Market street", "the label is\ncrooked")


def photographed(*shown: Shows) -> CounterfeitReport:
    consumer = actor(Role.CONSUMER)
    made = counterfeits.report(SEEN, actor=consumer, at=NOW)
    for n, shows in enumerate(shown):
        counterfeits.add_photo(made.pk, shows, png(text=f"Comment\0{n}".encode()), actor=consumer, at=NOW)
    return made


def test_a_report_is_confirmed_by_a_third_person_with_photos_of_thing_and_imei() -> None:
    made = photographed(Shows.DEVICE)
    reviewer = actor(Role.REVIEWER)
    with pytest.raises(CounterfeitReportError, match="Photos are missing"):
        counterfeits.conclude(made.pk, confirmed=True, reason="x", actor=reviewer, at=NOW)
    counterfeits.examine(made.pk, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(CounterfeitReportError, match="Photos are missing"):
        counterfeits.conclude(made.pk, confirmed=True, reason="x", actor=reviewer, at=NOW)
    counterfeits.add_photo(made.pk, Shows.IMEI_ON_SCREEN, jpeg(), actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(PermissionDeniedError):
        counterfeits.conclude(made.pk, confirmed=True, reason="x", actor=actor(Role.OFFICER), at=NOW)
    found = counterfeits.conclude(made.pk, confirmed=True, reason="fake logo", actor=reviewer, at=NOW)
    assert (found.state, found.conclusion) == ("confirmed", "fake logo")
    assert counterfeits.conclude(
        made.pk, confirmed=False, reason="the maker says it is his", actor=reviewer, at=NOW
    ).state == CounterfeitState.UNFOUNDED.value  # fmt: skip


def test_who_reported_or_examined_does_not_conclude_and_nobody_examines_his_own() -> None:
    officer = actor(Role.OFFICER)
    own = counterfeits.report(SEEN, actor=officer, at=NOW)
    with pytest.raises(CounterfeitReportError, match="his own"):
        counterfeits.examine(own.pk, actor=officer, at=NOW)
    counterfeits.examine(own.pk, actor=actor(Role.OFFICER, "o2"), at=NOW)
    CounterfeitReport.objects.update(examined_by=actor(Role.REVIEWER).id)
    with pytest.raises(CounterfeitReportError, match="does not conclude"):
        counterfeits.conclude(own.pk, confirmed=False, reason="x", actor=actor(Role.REVIEWER), at=NOW)


def test_photos_are_seen_by_whose_they_are_and_by_who_may_and_each_time_is_recorded() -> None:
    made = photographed(Shows.DEVICE)
    photo = made.photos.get()
    assert counterfeits.see_photo(photo, Access(actor(Role.CONSUMER), NOW, "my own")).startswith(b"\x89PNG")
    counterfeits.see_photo(photo, Access(actor(Role.OFFICER), NOW, "examination"))
    for other in (actor(Role.CONSUMER, "another"), actor(Role.DEALER), actor(Role.AUDITOR)):
        with pytest.raises(PermissionDeniedError):
            counterfeits.see_photo(photo, Access(other, NOW, "curious"))
    assert [e.basis for e in Entry.objects.filter(action="document.read")] == ["my own", "examination"]


@pytest.mark.parametrize("octets", [b"<svg onload=alert(1)>", PDF, b"PK\x03\x04", png()[:-1], b""])
def test_what_is_no_photo_is_refused(octets: bytes) -> None:
    made = photographed()
    with pytest.raises(DocumentRefusedError):
        counterfeits.add_photo(made.pk, Shows.DEVICE, octets, actor=actor(Role.CONSUMER), at=NOW)
    assert made.photos.count() == 0


def test_photos_are_limited_and_strangers_add_none() -> None:
    made = photographed(*[Shows.DEVICE] * counterfeits.MOST_PHOTOS)
    with pytest.raises(CounterfeitReportError, match="has 12 photos"):
        counterfeits.add_photo(made.pk, Shows.DEVICE, jpeg(), actor=actor(Role.CONSUMER), at=NOW)
    with pytest.raises(PermissionDeniedError):
        counterfeits.add_photo(made.pk, Shows.DEVICE, jpeg(), actor=actor(Role.DEALER), at=NOW)


def test_a_report_is_taken_back_only_by_who_made_it_and_before_it_is_examined() -> None:
    made = photographed()
    with pytest.raises(CounterfeitReportError, match="not yours"):
        counterfeits.take_back(made.pk, actor=actor(Role.OFFICER), at=NOW)
    counterfeits.examine(made.pk, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(CounterfeitReportError, match="cannot become taken_back"):
        counterfeits.take_back(made.pk, actor=actor(Role.CONSUMER), at=NOW)
    assert counterfeits.take_back(
        photographed().pk, actor=actor(Role.CONSUMER), at=NOW
    ).state == CounterfeitState.TAKEN_BACK.value  # fmt: skip
