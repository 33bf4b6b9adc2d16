"""Registering many devices at once for an organisation: imports, fleets, missions, test equipment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.devices import identifying
from ceir.registry.devices.entering import enter_many
from ceir.registry.devices.identifying import Identifiers, Model, Strictness
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import refuse
from ceir.registry.registrations.holding import Holding, check_quota, registered_before
from ceir.registry.registrations.models import LIVING, Duty, Kind, Registration, State, Submission
from ceir.registry.registrations.policies import DutyBasis, RegistrationPolicy
from ceir.registry.registrations.registering import (
    RegistrationRefusedError,
    Surroundings,
    assess,
    require_kind,
)
from ceir.registry.standing import standings

MOST_AT_ONCE = 100_000
"""Devices in one submission; a larger import is split."""

_AT_A_TIME = 1000
_OF_ORGANISATIONS = frozenset({Kind.IMPORT, Kind.FLEET, Kind.DIPLOMATIC, Kind.TEST})


@dataclass(frozen=True)
class RefusedRow:
    """A device of a submission that was not taken.

    Args:
        row: its place, from 1.
        code, detail, hint: of the error.
    """

    row: int
    code: str
    detail: str
    hint: str


@dataclass(frozen=True)
class Outcome:
    """What became of a submission: rows asked for = registered + refused.

    Args:
        submission: None: no row could be taken, nothing was kept.
        proposal: what a second person has to decide; None: no need.
    """

    submission: int | None
    registered: int
    refused: tuple[RefusedRow, ...]
    proposal: int | None = None


def submit(
    kind: Kind,
    wanted: Sequence[Identifiers | CeirError],
    *,
    organisation: int,
    reason: str,
    reference: str = "",
    sms_exempt: bool = False,
    policy: RegistrationPolicy,
    asks: Surroundings,
    actor: Actor,
    at: datetime,
) -> Outcome:
    """Register devices of an organisation. A row that is wrong costs no other.

    What lets devices in without anybody paying or proving anything takes a second person: diplomatic and
    test always, imports and fleets above the size that the policy gives an organisation. Until then they are
    proposed, and not in force.

    Args:
        wanted: the devices, or what was wrong with reading a row.
        organisation: whose they will be.
        reason: for whoever decides, and for the record.
        reference: of the consignment or the mission.
        sms_exempt: nobody reads messages on them; for fleets only.

    Raises:
        PermissionDeniedError: the actor may not, or is a person who acts for nobody else.
        RegistrationRefusedError: no kind for organisations, too many at once, or the organisation is none.
        QuotaExceededError: the rows that are right are more than the organisation may register.
    """
    require(actor, Permission.DEVICE_REGISTER, owner=organisation)
    if actor.acts_as is Role.CONSUMER:
        raise PermissionDeniedError(
            "A person registers his own device, with a number that he proved.", "Register it as one's own."
        )
    reference = free_text(reference, "A reference", 100)
    reason = free_text(reason, "A reason", 300, needed=True)
    if kind not in _OF_ORGANISATIONS:
        raise RegistrationRefusedError(
            f"{kind.value} is not registered for organisations.", "It is registered by the person himself."
        )
    require_kind(kind, policy)
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise RegistrationRefusedError(
            f"{len(wanted)} devices came; 1 to {MOST_AT_ONCE} can be registered at once.", "Split them."
        )
    if sms_exempt and kind is not Kind.FLEET:
        raise RegistrationRefusedError("Only fleets are exempt from messages.", "Leave it out.")
    if not Organisation.objects.filter(pk=organisation, active=True).exists():
        raise RegistrationRefusedError("There is no such organisation.", "Enter it first.")
    checked, refused = _checked(kind, wanted, policy, asks)
    with transaction.atomic():
        holding = Holding(organisation=organisation).lock()
        check_quota(holding, kind, len(checked), policy.quotas.get(kind), at=at)
        alone = _alone(holding, kind, len(checked), policy)
        submission = Submission.objects.create(
            kind=kind.value,
            organisation_id=organisation,
            reference=reference,
            days=policy.test_days if kind is Kind.TEST else None,
            sms_exempt=sms_exempt,
            entered_by=actor.id,
            entered_at=at,
        )
        entered = 0
        earlier = registered_before(holding)
        rows = iter(checked)
        while chunk := list(islice(rows, _AT_A_TIME)):
            devices = enter_many([(r.identifiers, r.model) for r in chunk], because=str(submission), at=at)
            refused += [_taken_row(r.row) for r, d in zip(chunk, devices, strict=True) if d is None]
            made = Registration.objects.bulk_create(
                Registration(
                    submission=submission,
                    device=device,
                    kind=kind.value,
                    organisation_id=organisation,
                    state=State.PROPOSED.value,
                    entered_at=at,
                    sms_exempt=sms_exempt,
                )
                for device in devices
                if device is not None
            )
            kept = [r for r, d in zip(chunk, devices, strict=True) if d is not None]
            _assess(kept, made, kind, earlier + entered, policy, at)
            entered += len(made)
        if not entered:
            submission.delete()
            return Outcome(None, 0, _in_order(refused))
        submission.devices = entered
        submission.save()
        if alone:
            begin(submission, at=at)
        detail = {"kind": kind.value, "devices": entered, "refused": len(refused), "alone": alone}
        record(actor, "submission.entered", str(submission), at=at, basis=reason, detail=detail)
        proposal = None
        if not alone:
            proposal = propose(SUBMISSION, str(submission), {}, actor=actor, reason=reason, at=at).pk
    return Outcome(submission.pk, entered, _in_order(refused), proposal)


def begin(submission: Submission, *, at: datetime) -> None:
    """Put what was proposed in force; what something must be paid for becomes due."""
    proposed = Registration.objects.filter(submission=submission, state=State.PROPOSED.value)
    proposed.filter(duty__isnull=False).update(state=State.DUE.value)
    ends_at = at + timedelta(days=submission.days) if submission.days is not None else None
    proposed.filter(duty=None).update(state=State.IN_FORCE.value, begins_at=at, ends_at=ends_at)


def accepted(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed."""
    submission = _locked(proposal)
    # The time to pay begins now.
    Duty.objects.filter(registration__submission=submission).update(
        due_by=F("due_by") + (at - submission.entered_at)
    )
    begin(submission, at=at)
    record(actor, "submission.accepted", str(submission), at=at)


def given_up(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person did not agree, or nobody decided: the identifiers are free again."""
    submission = _locked(proposal)
    waiting = Registration.objects.select_for_update().filter(
        submission=submission, state=State.PROPOSED.value
    )
    while chunk := list(waiting[:_AT_A_TIME]):
        Duty.objects.filter(registration__in=chunk).delete()
        refuse(chunk, because=f"proposal:{proposal.pk}", at=at)
    record(actor, "submission.refused", str(submission), at=at)


SUBMISSION = ProposalKind(
    name="registration.submit",
    doc="Register an importer's devices, a fleet, a mission's devices or test equipment.",
    may_propose=Permission.DEVICE_REGISTER,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=accepted,
    turned_down=given_up,
)


def read_rows(rows: Iterable[tuple[tuple[str, ...], str, str]]) -> list[Identifiers | CeirError]:
    """Rows of IMEIs, EID and serial number as a file has them; what is wrong with one stands in its place."""
    read: list[Identifiers | CeirError] = []
    for imeis, eid, serial in rows:
        try:
            read.append(Identifiers.read(imeis, eid, serial))
        except CeirError as error:
            read.append(error)
    return read


@dataclass(frozen=True)
class _Row:
    row: int
    identifiers: Identifiers
    model: Model | None


def _checked(
    kind: Kind, wanted: Sequence[Identifiers | CeirError], policy: RegistrationPolicy, asks: Surroundings
) -> tuple[list[_Row], list[RefusedRow]]:
    strictness = Strictness(policy.strictness.unknown_models, kind is Kind.TEST)
    good: list[_Row] = []
    refused: list[RefusedRow] = []
    for row, identifiers in enumerate(wanted, 1):
        try:
            if isinstance(identifiers, CeirError):
                raise identifiers
            good.append(_Row(row, identifiers, identifying.check(identifiers, asks.model_of, strictness)))
        except CeirError as error:
            refused.append(RefusedRow(row, error.code, error.detail, error.hint))
    clear: list[_Row] = []
    for start in range(0, len(good), _AT_A_TIME):
        chunk = good[start : start + _AT_A_TIME]
        found = standings([imei for r in chunk for imei in r.identifiers.imeis], asks.standing_of)
        for r in chunk:
            if any(found[imei].missing for imei in r.identifiers.imeis):
                refused.append(
                    RefusedRow(
                        r.row,
                        RegistrationRefusedError.code,
                        "The device is reported stolen or lost.",
                        "Bring it to the police.",
                    )
                )
            else:
                clear.append(r)
    return clear, refused


def _alone(holding: Holding, kind: Kind, more: int, policy: RegistrationPolicy) -> bool:
    """Whether no second person is needed. All that the organisation has of the kind counts: who splits a
    fleet into small ones gains nothing."""
    most = {Kind.FLEET: policy.fleet_alone, Kind.IMPORT: policy.import_alone}.get(kind, 0)
    if more > most:
        return False
    has = Registration.objects.filter(holding.whose, kind=kind.value, state__in=LIVING).count()
    return has + more <= most


def _assess(
    rows: Sequence[_Row],
    made: Sequence[Registration],
    kind: Kind,
    earlier: int,
    policy: RegistrationPolicy,
    at: datetime,
) -> None:
    if policy.duty_of is None:
        return
    duties = []
    for place, (row, registration) in enumerate(zip(rows, made, strict=True)):
        owed = policy.duty_of(DutyBasis(kind, row.model, len(row.identifiers.imeis), earlier + place, at))
        if owed is not None:
            duties.append(assess(registration, owed, policy, at))
    Duty.objects.bulk_create(duties)


def _taken_row(row: int) -> RefusedRow:
    return RefusedRow(
        row,
        "identifier_taken",
        "One of its identifiers is a registered device's already, or stands twice in this list.",
        "Compare the row with the device.",
    )


def _in_order(refused: list[RefusedRow]) -> tuple[RefusedRow, ...]:
    return tuple(sorted(refused, key=lambda one: one.row))


def _locked(proposal: Proposal) -> Submission:
    return Submission.objects.select_for_update().get(pk=proposal.subject_key)
