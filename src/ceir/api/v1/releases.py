"""Releases: newly blocked devices go out to networks little by little, and come back if it was too much."""

import secrets
from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Because, In, Key, KeyIn, Reason
from ceir.api.problems import NotFoundError
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.releases import releasing
from ceir.registry.releases.models import MILLION, Release, ReleaseState, Step
from ceir.registry.releases.planning import ReleaseError, plan
from ceir.registry.releases.proposing import propose_start
from ceir.registry.releases.releasing import SecondPersonError
from ceir.registry.releases.signals import all_signals

ROUTER = Router()

_REFUSES = (
    CursorError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    ProposalError,
    ReleaseError,
    SecondPersonError,
)

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]


class PlanIn(In):
    """Devices that became blocked in a run or before; of these conditions only, none: of all."""

    run: KeyIn
    conditions: Annotated[list[Label], Field(default_factory=list, max_length=60)]
    again: Annotated[bool, Field(description="Also devices of releases that were undone.")] = False
    reason: Reason


class StageOut(Schema):
    """A step: share of the devices that are out when it is full, days until the next, at which operators."""

    share: float
    days: int
    operators: list[str]


class StepOut(Schema):
    """What was done with a release."""

    at: datetime
    what: str
    devices: int
    because: str


class ReleaseOut(Schema):
    """A release as it stands."""

    id: int
    run: int
    conditions: list[str]
    stages: list[StageOut]
    stage: int
    state: ReleaseState
    daily_cap: int | None
    reason: str
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    undone_at: datetime | None
    released: int
    steps: list[StepOut]

    @staticmethod
    def resolve_run(release: Release) -> int:
        """Its number."""
        return release.run_id

    @staticmethod
    def resolve_stages(release: Release) -> list[dict[str, object]]:
        """In their order."""
        return [
            {
                "share": stage["buckets"] / MILLION,
                "days": stage["days"],
                "operators": list(stage["operators"]),
            }
            for stage in release.stages
        ]

    @staticmethod
    def resolve_released(release: Release) -> int:
        """Devices that are out by it now."""
        return releasing.released_devices(release.pk).count()

    @staticmethod
    def resolve_steps(release: Release) -> list[Step]:
        """The oldest first."""
        return list(release.steps.all())


class UndoneOut(Schema):
    """How many devices work again."""

    devices: int


class ProgressOut(Schema):
    """What carrying on came to."""

    release: ReleaseOut
    moved: int
    stopped_by: str


@ROUTER.get("", response=Page[ReleaseOut], summary="Releases")
@terms(Permission.RELEASE_READ, refuses=_REFUSES)
def list_releases(
    request: Request,
    state: ReleaseState | None = None,
    cursor: str = "",
) -> dict[str, object]:
    """The newest first, page by page."""
    found = _releases()
    return page_of(found.filter(state=state.value) if state is not None else found, cursor, 20)


@ROUTER.post("", response={201: ReleaseOut}, summary="Plan a release")
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES)
def plan_release(request: Request, wanted: PlanIn) -> Status[Release]:
    """By the country's stages and budgets; nothing goes out yet."""
    made = plan(
        wanted.run,
        country().for_releases(),
        salt=secrets.token_bytes(32),
        reason=wanted.reason,
        actor=request.auth.actor,
        at=timezone.now(),
        conditions=tuple(wanted.conditions),
        again=wanted.again,
        signals=all_signals(),
    )
    return Status(201, made)


@ROUTER.get("/{release_id}", response=ReleaseOut, summary="One release")
@terms(Permission.RELEASE_READ, refuses=_REFUSES)
def one_release(request: Request, release_id: Key) -> Release:
    """As it stands."""
    return _release(release_id)


_SEEN = Guard(one_release, Release, "release_id")


@ROUTER.post(
    "/{release_id}/start",
    response=ReleaseOut,
    summary="Begin to let devices out, alone",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def start_release(request: Request, release_id: Key) -> Release:
    """As far as the country leaves it to one person."""
    _release(release_id)
    return releasing.start(release_id, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{release_id}/start-proposal",
    response={201: ProposalRef},
    summary="Propose to start a larger release",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def propose_release_start(request: Request, release_id: Key, said: Because) -> Status[object]:
    """A second person decides."""
    _release(release_id)
    made = propose_start(release_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())
    return Status(201, made)


@ROUTER.post(
    "/{release_id}/pause",
    response=ReleaseOut,
    summary="Let nothing more out for now",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def pause_release(request: Request, release_id: Key, said: Because) -> Release:
    """What is out stays out."""
    _release(release_id)
    return releasing.pause(release_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{release_id}/resumption",
    response=ReleaseOut,
    summary="Go on after a pause",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def resume_release(request: Request, release_id: Key, said: Because) -> Release:
    """The next carrying on looks at the budgets first."""
    _release(release_id)
    return releasing.resume(release_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{release_id}/stop",
    response=ReleaseOut,
    summary="Let nothing more out for good",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def stop_release(request: Request, release_id: Key, said: Because) -> Release:
    """What is out stays out until it is undone."""
    _release(release_id)
    return releasing.stop(release_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{release_id}/undoing",
    response=UndoneOut,
    summary="Take back all that a release let out",
)
@terms(Permission.RELEASE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def undo_release(request: Request, release_id: Key, said: Because) -> dict[str, object]:
    """One person suffices, for it restores."""
    _release(release_id)
    devices = releasing.undo(release_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())
    return {"devices": devices}


@ROUTER.post(
    "/{release_id}/carrying-on",
    response=ProgressOut,
    summary="Let out what the stage and the daily cap allow",
)
@terms(Permission.RELEASE_CARRY_ON, refuses=_REFUSES, guard=_SEEN)
def carry_release_on(request: Request, release_id: Key) -> releasing.Progress:
    """After a look at the budgets; done as often as one likes."""
    _release(release_id)
    return releasing.carry_on(release_id, actor=request.auth.actor, at=timezone.now(), signals=all_signals())


def _releases() -> QuerySet[Release]:
    return Release.objects.prefetch_related("steps")


def _release(release_id: int) -> Release:
    found = _releases().filter(pk=release_id).first()
    if found is None:
        raise NotFoundError(f"There is no release {release_id}.", "List those there are.")
    return found
