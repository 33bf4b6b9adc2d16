"""Reports of counterfeits: who noticed what, photos that show it, and what came of it.

A report by itself has no consequence for the device: what blocks one is decided elsewhere, by two people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.documents.keeping import keep, read
from ceir.registry.documents.media_types import PHOTOS
from ceir.registry.free_text import free_text
from ceir.registry.personal.fields import Access
from ceir.registry.type_approvals.models import (
    CounterfeitPhoto,
    CounterfeitReport,
    CounterfeitState,
    Shows,
    Suspicion,
)

MOST_PHOTOS = 12
"""Of one report: three of each kind."""

NEEDED = (
    frozenset({Shows.DEVICE, Shows.PACKAGING}),
    frozenset({Shows.IMEI_ON_SCREEN, Shows.IMEI_ON_PACKAGING}),
)
"""To confirm one, a photo of each of these: the thing, and the IMEI that it shows."""

TRANSITIONS: Mapping[CounterfeitState, frozenset[CounterfeitState]] = {
    CounterfeitState.REPORTED: frozenset({CounterfeitState.EXAMINED, CounterfeitState.TAKEN_BACK}),
    CounterfeitState.EXAMINED: frozenset({CounterfeitState.CONFIRMED, CounterfeitState.UNFOUNDED}),
    CounterfeitState.CONFIRMED: frozenset({CounterfeitState.UNFOUNDED}),
    CounterfeitState.UNFOUNDED: frozenset(),
    CounterfeitState.TAKEN_BACK: frozenset(),
}
"""What was confirmed can turn out unfounded; never the other way without a new report."""


class CounterfeitReportError(CeirError):
    """A report of a counterfeit cannot be taken, or cannot go on like this."""

    code: ClassVar[str] = "counterfeit_report"


@dataclass(frozen=True)
class Seen:
    """What somebody saw.

    Args:
        imei: that the device shows.
        brand, model: that it says it is.
        sold_at: shop or market; empty: unknown.
    """

    suspicion: Suspicion
    imei: Imei
    brand: str
    model: str
    sold_at: str = ""
    text: str = ""


def report(seen: Seen, *, actor: Actor, at: datetime) -> CounterfeitReport:
    """Take a report.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.COUNTERFEIT_REPORT)
    with transaction.atomic():
        made = CounterfeitReport.objects.create(
            suspicion=seen.suspicion.value,
            imei=seen.imei.number,
            brand=free_text(seen.brand, "A brand", 128, needed=True),
            model=free_text(seen.model, "A model", 128, needed=True),
            sold_at=free_text(seen.sold_at, "A shop", 200),
            text=free_text(seen.text, "A text", 1000, lines=True),
            reported_by=actor.id,
            reported_organisation=actor.organisation,
            reported_at=at,
        )
        record(actor, "counterfeit.reported", _subject(made), at=at, detail={"suspicion": made.suspicion})
    return made


def add_photo(
    report_id: int, shows: Shows, source: bytes | BinaryIO, *, actor: Actor, at: datetime
) -> CounterfeitPhoto:
    """Add a photo to a report that is not concluded: by whoever made it, or by who examines it.

    Raises:
        PermissionDeniedError: the actor may not, or the report is another's.
        CounterfeitReportError: it is concluded, or has enough photos.
        DocumentRefusedError: no JPEG or PNG, or too large.
    """
    with transaction.atomic():
        found = _locked(report_id)
        _require_own(found, actor)
        if found.state not in (CounterfeitState.REPORTED.value, CounterfeitState.EXAMINED.value):
            raise CounterfeitReportError(f"Report {report_id} is {found.state}.", "Make another report.")
        if found.photos.count() >= MOST_PHOTOS:
            raise CounterfeitReportError(f"Report {report_id} has {MOST_PHOTOS} photos.", "They are enough.")
        document = keep(source, _subject(found), actor=actor, at=at, allowed=PHOTOS)
        photo, _ = CounterfeitPhoto.objects.get_or_create(
            report=found, document=document, defaults={"shows": shows.value}
        )
    return photo


def see_photo(photo: CounterfeitPhoto, access: Access) -> bytes:
    """What a photo shows; that it was seen is recorded.

    Raises:
        PermissionDeniedError: the actor may not, or the report is another's.
        DocumentMissingError: it was shredded or lost.
    """
    _require_own(photo.report, access.actor)
    return read(photo.document, access)


def take_back(report_id: int, *, actor: Actor, at: datetime) -> CounterfeitReport:
    """Take back a report of one's own that nobody has examined.

    Raises:
        CounterfeitReportError: it is another's, or was examined.
    """
    with transaction.atomic():
        found = _locked(report_id)
        if found.reported_by != actor.id:
            raise CounterfeitReportError(
                f"Report {report_id} is not yours.", "Only who made it takes it back."
            )
        _move(found, CounterfeitState.TAKEN_BACK)
        record(actor, "counterfeit.taken_back", _subject(found), at=at)
    return found


def examine(report_id: int, *, actor: Actor, at: datetime) -> CounterfeitReport:
    """Begin to examine a report.

    Raises:
        PermissionDeniedError: the actor may not.
        CounterfeitReportError: it was examined, or is the actor's own.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    with transaction.atomic():
        found = _locked(report_id)
        if same_person(found.reported_by, actor.id):
            raise CounterfeitReportError("Nobody examines his own report.", "Ask a colleague.")
        found.examined_by = actor.id
        _move(found, CounterfeitState.EXAMINED)
        record(actor, "counterfeit.examined", _subject(found), at=at)
    return found


def conclude(
    report_id: int, *, confirmed: bool, reason: str, actor: Actor, at: datetime
) -> CounterfeitReport:
    """Say what came of a report; neither who made it nor who examined it does.

    Raises:
        PermissionDeniedError: the actor may not.
        CounterfeitReportError: it was not examined, photos are missing, or the actor had a hand in it.
    """
    require(actor, Permission.APPROVAL_DECIDE)
    with transaction.atomic():
        found = _locked(report_id)
        if any(same_person(by, actor.id) for by in (found.reported_by, found.examined_by)):
            raise CounterfeitReportError(
                "Who reported or examined it does not conclude it.", "Ask a colleague."
            )
        shown = {Shows(photo.shows) for photo in found.photos.all()}
        if confirmed and not all(shown & kinds for kinds in NEEDED):
            raise CounterfeitReportError(
                "Photos are missing.", "Add one of the device or its packaging, and one of the IMEI it shows."
            )
        found.conclusion = free_text(reason, "A reason", 500, needed=True)
        found.concluded_at = at
        _move(found, CounterfeitState.CONFIRMED if confirmed else CounterfeitState.UNFOUNDED)
        record(actor, f"counterfeit.{found.state}", _subject(found), at=at, basis=found.conclusion)
    return found


def _move(found: CounterfeitReport, to: CounterfeitState) -> None:
    if to not in TRANSITIONS[CounterfeitState(found.state)]:
        raise CounterfeitReportError(
            f"Report {found.pk} is {found.state} and cannot become {to.value}.", "Make another report."
        )
    found.state = to.value
    found.save()


def _require_own(found: CounterfeitReport, actor: Actor) -> None:
    if found.reported_by != actor.id:
        require(actor, Permission.COUNTERFEIT_READ)


def _locked(report_id: int) -> CounterfeitReport:
    found = CounterfeitReport.objects.select_for_update().filter(pk=report_id).first()
    if found is None:
        raise CounterfeitReportError(f"There is no report {report_id}.", "List those that there are.")
    return found


def _subject(found: CounterfeitReport) -> str:
    return f"counterfeit:{found.pk}"
