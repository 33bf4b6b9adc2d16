"""Devices as their holders see them, and what people say is not theirs."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import ImeiText, In, Key, ProofIn, ProvenIn, Reason, imei_of, printed
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.codes.proving import CodeError
from ceir.registry.registrations import owning
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.registrations.models import Review, ReviewState
from ceir.registry.registrations.owning import ReviewError
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    CodeError,
    CursorError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    NotYoursError,
    ReviewError,
)


class MyDeviceOut(Schema):
    """A device as its holder sees it; `identities` are its IMEIs, or what networks saw it as.

    `goes_on`: its identity is, or will be, blocked, and the proven number goes on with it all the same.
    """

    identities: list[str]
    manufacturer: str
    model: str
    state: str
    kind: str
    begins_at: datetime | None
    ends_at: datetime | None
    usable: bool
    last_seen: datetime | None
    in_review: bool
    goes_on: bool

    @staticmethod
    def resolve_identities(device: owning.MyDevice) -> list[str]:
        """As printed; malformed ones as they were seen."""
        return [getattr(one, "printed", str(one)) for one in device.identities]


class MyDevicesOut(Schema):
    """What counts now, registered or only seen."""

    items: list[MyDeviceOut]


class NotMineIn(In):
    """A device that stands with a number whose holder says that it is not his."""

    imei: ImeiText
    remark: Annotated[str, StringConstraints(max_length=500)] = ""
    proof: ProofIn


class ReviewOut(Schema):
    """What somebody says is not his, and what came of it."""

    id: int
    imei: str
    registration: int | None
    state: ReviewState
    opened_at: datetime
    decided_at: datetime | None
    reason: str

    @staticmethod
    def resolve_imei(review: Review) -> str:
        """As printed."""
        return printed(review.imei)

    @staticmethod
    def resolve_registration(review: Review) -> int | None:
        """Key; none: the device was only seen with the number."""
        return review.registration_id


class ReviewDecision(In):
    """Whether the device is his; detached, it goes on working as nobody's."""

    detach: bool
    reason: Reason


@ROUTER.post(
    "/mine",
    response=MyDevicesOut,
    summary="The devices that stand with a proven number",
)
@terms(Permission.DEVICE_READ, refuses=_REFUSES)
def list_my_devices(request: Request, proven: ProvenIn) -> dict[str, object]:
    """With the proof of the number for `devices`, as often as the proof counts."""
    found = owning.my_devices(
        proven.proof.value(), seen_with=country().seen_with, actor=request.auth.actor, at=timezone.now()
    )
    return {"items": found}


@ROUTER.post(
    "/not-mine",
    response={201: ReviewOut},
    summary="Say that a device is not one's own",
)
@terms(Permission.DEVICE_READ, refuses=_REFUSES)
def disown_device(request: Request, said: NotMineIn) -> Status[Review]:
    """It is looked into; nothing changes until somebody decides."""
    made = owning.not_mine(
        imei_of(said.imei),
        said.remark,
        proof=said.proof.value(),
        seen_with=country().seen_with,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.get(
    "/reviews",
    response=Page[ReviewOut],
    summary="What people say is not theirs",
)
@terms(Permission.REVIEW_DECIDE, refuses=_REFUSES)
def list_reviews(request: Request, state: ReviewState | None = None, cursor: str = "") -> dict[str, object]:
    """The newest first, page by page."""
    found = Review.objects.all()
    return page_of(found.filter(state=state.value) if state is not None else found, cursor)


@ROUTER.post(
    "/reviews/{review_id}/decision",
    response=ReviewOut,
    summary="Say whether a device is somebody's",
)
@terms(Permission.REVIEW_DECIDE, refuses=_REFUSES)
def decide_review(request: Request, review_id: Key, said: ReviewDecision) -> Review:
    """Detached, it goes on being registered, as nobody's."""
    if not Review.objects.filter(pk=review_id).exists():
        raise NotFoundError(f"There is no review {review_id}.", "List those there are.")
    return owning.decide_review(
        review_id, detach=said.detach, reason=said.reason, actor=request.auth.actor, at=timezone.now()
    )
