"""Reports of counterfeits with photos, examined by one person and concluded by another."""

from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import StringConstraints

from ceir.api.answers import octets_answer, octets_of, octets_response
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import ImeiText, In, Key, ReadOn, Reason, imei_of, printed
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_UPLOADED
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.documents.keeping import DocumentMissingError
from ceir.registry.documents.media_types import DocumentRefusedError
from ceir.registry.personal.fields import Access
from ceir.registry.personal.keys import PersonalKeyError
from ceir.registry.type_approvals import counterfeits
from ceir.registry.type_approvals.counterfeits import CounterfeitReportError
from ceir.registry.type_approvals.models import (
    CounterfeitPhoto,
    CounterfeitReport,
    CounterfeitState,
    Shows,
    Suspicion,
)

ROUTER = Router()

_REFUSES = (
    CounterfeitReportError,
    CursorError,
    DocumentMissingError,
    DocumentRefusedError,
    InvalidIdentifierError,
    NotFoundError,
    PersonalKeyError,
)


class SeenIn(In):
    """What somebody saw; the IMEI that the device shows, the brand and model that it says it is."""

    suspicion: Suspicion
    imei: ImeiText
    brand: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    model: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    sold_at: Annotated[str, StringConstraints(max_length=200)] = ""
    text: Annotated[str, StringConstraints(max_length=1000)] = ""


class PhotoIn(In):
    """What a photo shows."""

    shows: Shows


class CounterfeitConclusionIn(In):
    """What came of a report."""

    confirmed: bool
    reason: Reason


class PhotoOut(Schema):
    """A photo of a report."""

    id: int
    shows: Shows


class CounterfeitOut(Schema):
    """A report as it stands."""

    id: int
    suspicion: Suspicion
    imei: str
    brand: str
    model: str
    sold_at: str
    text: str
    state: CounterfeitState
    conclusion: str
    reported_at: datetime
    concluded_at: datetime | None
    photos: list[PhotoOut]

    @staticmethod
    def resolve_imei(report: CounterfeitReport) -> str:
        """As printed."""
        return printed(report.imei)

    @staticmethod
    def resolve_photos(report: CounterfeitReport) -> list[CounterfeitPhoto]:
        """In the order in which they came."""
        return list(report.photos.all())


@ROUTER.get(
    "",
    response=Page[CounterfeitOut],
    summary="Reports of counterfeits that the caller may see",
)
@terms(Permission.COUNTERFEIT_READ, others=(Permission.COUNTERFEIT_REPORT,), refuses=_REFUSES)
def list_counterfeits(
    request: Request, state: CounterfeitState | None = None, cursor: str = ""
) -> dict[str, object]:
    """One's own; everybody's for who examines or concludes them."""
    found = _shown(request)
    return page_of(found.filter(state=state.value) if state is not None else found, cursor)


@ROUTER.post(
    "",
    response={201: CounterfeitOut},
    summary="Report a counterfeit",
)
@terms(Permission.COUNTERFEIT_REPORT, refuses=_REFUSES)
def report_counterfeit(request: Request, seen: SeenIn) -> Status[CounterfeitReport]:
    """By itself it has no consequence for the device."""
    said = counterfeits.Seen(
        seen.suspicion, imei_of(seen.imei), seen.brand, seen.model, seen.sold_at, seen.text
    )
    return Status(201, counterfeits.report(said, actor=request.auth.actor, at=timezone.now()))


@ROUTER.get(
    "/{report_id}",
    response=CounterfeitOut,
    summary="One report",
)
@terms(Permission.COUNTERFEIT_READ, others=(Permission.COUNTERFEIT_REPORT,), refuses=_REFUSES)
def one_counterfeit(request: Request, report_id: Key) -> CounterfeitReport:
    """As it stands."""
    return _report(request, report_id)


_SEEN = Guard(one_counterfeit, CounterfeitReport, "report_id")


@ROUTER.post(
    "/{report_id}/photos",
    response={201: PhotoOut},
    summary="Add a photo",
)
@terms(
    Permission.COUNTERFEIT_REPORT,
    others=(Permission.SURVEILLANCE_MANAGE,),
    refuses=_REFUSES,
    most_octets=MOST_UPLOADED,
    uploads=True,
)
def add_counterfeit_photo(
    request: Request, report_id: Key, photo: Form[PhotoIn], file: File[UploadedFile]
) -> Status[CounterfeitPhoto]:
    """A JPEG or PNG of at most 10 MB, whatever its name says."""
    _report(request, report_id)
    made = counterfeits.add_photo(
        report_id, photo.shows, octets_of(file), actor=request.auth.actor, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.post(
    "/{report_id}/photos/{photo_id}/reading",
    response={200: None},
    summary="See a photo, on a legal basis",
    openapi_extra=octets_answer("What the photo shows."),
)
@terms(
    Permission.COUNTERFEIT_READ, others=(Permission.COUNTERFEIT_REPORT,), refuses=_REFUSES, legal_basis=True
)
def read_counterfeit_photo(request: Request, report_id: Key, photo_id: Key, on: ReadOn) -> HttpResponse:
    """People may be on it: that it was seen is kept, with the basis."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    photo = _report(request, report_id).photos.filter(pk=photo_id).select_related("document").first()
    if photo is None:
        raise NotFoundError("The report has no such photo.", "List those of the report.")
    return octets_response(counterfeits.see_photo(photo, access), photo.document.content.media_type)


@ROUTER.post(
    "/{report_id}/taking-back",
    response=CounterfeitOut,
    summary="Take one's own report back",
)
@terms(Permission.COUNTERFEIT_REPORT, refuses=_REFUSES, guard=_SEEN)
def take_back_counterfeit(request: Request, report_id: Key) -> CounterfeitReport:
    """While nobody has examined it."""
    _report(request, report_id)
    return counterfeits.take_back(report_id, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{report_id}/examination",
    response=CounterfeitOut,
    summary="Begin to examine a report",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def examine_counterfeit(request: Request, report_id: Key) -> CounterfeitReport:
    """Not one's own."""
    _report(request, report_id)
    return counterfeits.examine(report_id, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{report_id}/conclusion",
    response=CounterfeitOut,
    summary="Say what came of a report",
)
@terms(Permission.APPROVAL_DECIDE, refuses=_REFUSES, guard=_SEEN)
def conclude_counterfeit(
    request: Request, report_id: Key, said: CounterfeitConclusionIn
) -> CounterfeitReport:
    """By neither who made it nor who examined it."""
    _report(request, report_id)
    return counterfeits.conclude(
        report_id,
        confirmed=said.confirmed,
        reason=said.reason,
        actor=request.auth.actor,
        at=timezone.now(),
    )


def _shown(request: Request) -> QuerySet[CounterfeitReport]:
    """A token that covers only reporting shows what its holder reported."""
    actor = request.auth.actor
    all_of_them = Permission.COUNTERFEIT_READ
    every = CounterfeitReport.objects.prefetch_related("photos")
    if all_of_them.value in request.auth.scopes and actor.acts_as in RULES[all_of_them].roles:
        return every
    return every.filter(reported_by=actor.id)


def _report(request: Request, report_id: int) -> CounterfeitReport:
    found = _shown(request).filter(pk=report_id).first()
    if found is None:
        raise NotFoundError(f"There is no report {report_id} for you.", "List yours.")
    return found
