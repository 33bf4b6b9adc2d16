"""What makes models permitted or not takes two people: to issue, extend, suspend, reinstate and withdraw."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction

from ceir.identifiers import Tac
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.type_approvals.certificates import (
    TRANSITIONS,
    CertificateRefusedError,
    CertificateStateError,
    ModelEntry,
    extend,
    locked,
    move,
    require_issuable,
)
from ceir.registry.type_approvals.models import Certificate, CertificateState


def propose_state(
    certificate_id: int, to: CertificateState, *, actor: Actor, reason: str, at: datetime
) -> Proposal:
    """Ask that a certificate be issued, suspended, put in force again or withdrawn.

    Raises:
        PermissionDeniedError: the actor may not.
        CertificateStateError: it cannot go there from where it stands.
        CertificateRefusedError: to be issued it is incomplete or failed.
        ProposalError: the same waits already, or there is no reason.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    with transaction.atomic():
        certificate = locked(certificate_id)
        before = CertificateState(certificate.state)
        kind = _KIND_OF.get((before, to))
        if kind is None:
            could = ", ".join(sorted(s.value for s in TRANSITIONS[before])) or "nothing else"
            raise CertificateStateError(
                f"Certificate {certificate.number} is {before.value}; {to.value} cannot be proposed.",
                f"It can become: {could}.",
            )
        if kind is ISSUE:
            require_issuable(certificate)
        return propose(
            kind,
            f"certificate:{certificate.pk}",
            {"revision": certificate.revision},
            actor=actor,
            reason=reason,
            at=at,
        )


def propose_extension(
    certificate_id: int,
    models: Sequence[ModelEntry] = (),
    valid_until: date | None = None,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
) -> Proposal:
    """Ask that a certificate in force cover more models or TACs, or last longer.

    Raises:
        PermissionDeniedError: the actor may not.
        CertificateStateError: it is not in force.
        CertificateRefusedError: nothing is added, or what is added does not hold together.
        ProposalError: another extension waits, or there is no reason.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    if not any(entry.tacs for entry in models) and valid_until is None:
        raise CertificateRefusedError("The extension adds nothing.", "Name TACs or a later last day.")
    payload = {
        "models": [{**asdict(entry), "tacs": [tac.digits for tac in entry.tacs]} for entry in models],
        "valid_until": valid_until.isoformat() if valid_until else None,
    }
    with transaction.atomic():
        certificate = locked(certificate_id)
        _require_valid(certificate)
        with (
            transaction.atomic()
        ):  # tried, and taken back: who decides later is not the first to see a mistake
            extend(certificate, models, valid_until)
            transaction.set_rollback(True)
        return propose(EXTEND, f"certificate:{certificate_id}", payload, actor=actor, reason=reason, at=at)


def _move_to(to: CertificateState, proposal: Proposal, actor: Actor, at: datetime) -> None:
    certificate = locked(_certificate_of(proposal))
    if certificate.state == CertificateState.DRAFT.value:
        if certificate.revision != proposal.payload["revision"]:
            raise CertificateStateError(
                f"The draft {certificate.number} was changed since it was proposed.",
                "Reject the proposal; the draft as it is now is proposed anew.",
            )
        require_issuable(certificate)
    move(certificate, to, reason=proposal.reason, asked_by=proposal.proposed_by, actor=actor, at=at)


def _issue(proposal: Proposal, actor: Actor, at: datetime) -> None:
    _move_to(CertificateState.VALID, proposal, actor, at)


def _reinstate(proposal: Proposal, actor: Actor, at: datetime) -> None:
    _move_to(CertificateState.VALID, proposal, actor, at)


def _suspend(proposal: Proposal, actor: Actor, at: datetime) -> None:
    _move_to(CertificateState.SUSPENDED, proposal, actor, at)


def _withdraw(proposal: Proposal, actor: Actor, at: datetime) -> None:
    _move_to(CertificateState.WITHDRAWN, proposal, actor, at)


def _extend(proposal: Proposal, actor: Actor, at: datetime) -> None:
    certificate = locked(_certificate_of(proposal))
    _require_valid(certificate)
    said = proposal.payload
    extend(
        certificate,
        [
            ModelEntry(entry["manufacturer"], entry["name"], tuple(Tac(digits) for digits in entry["tacs"]))
            for entry in said["models"]
        ],
        date.fromisoformat(said["valid_until"]) if said["valid_until"] else None,
    )
    record(
        actor, "approval.extended", f"certificate:{certificate.pk}", at=at, basis=proposal.reason, detail=said
    )


def _require_valid(certificate: Certificate) -> None:
    if certificate.state != CertificateState.VALID.value:
        raise CertificateStateError(
            f"Certificate {certificate.number} is {certificate.state}.", "Only one in force is extended."
        )


def _certificate_of(proposal: Proposal) -> int:
    return int(proposal.subject.removeprefix("certificate:"))


_ASK, _DECIDE = Permission.APPROVAL_PROPOSE, Permission.APPROVAL_DECIDE
ISSUE = ProposalKind("approval.issue", "Put a drafted certificate in force.", _ASK, _DECIDE, _issue)
EXTEND = ProposalKind(
    "approval.extend", "Let a certificate cover more, or last longer.", _ASK, _DECIDE, _extend
)
SUSPEND = ProposalKind("approval.suspend", "Suspend a certificate.", _ASK, _DECIDE, _suspend)
REINSTATE = ProposalKind(
    "approval.reinstate", "Put a suspended certificate in force again.", _ASK, _DECIDE, _reinstate
)
WITHDRAW = ProposalKind("approval.withdraw", "Withdraw a certificate for good.", _ASK, _DECIDE, _withdraw)
KINDS = (ISSUE, EXTEND, SUSPEND, REINSTATE, WITHDRAW)

_KIND_OF: Mapping[tuple[CertificateState, CertificateState], ProposalKind] = {
    (CertificateState.DRAFT, CertificateState.VALID): ISSUE,
    (CertificateState.SUSPENDED, CertificateState.VALID): REINSTATE,
    (CertificateState.VALID, CertificateState.SUSPENDED): SUSPEND,
    (CertificateState.VALID, CertificateState.WITHDRAWN): WITHDRAW,
    (CertificateState.SUSPENDED, CertificateState.WITHDRAWN): WITHDRAW,
}
