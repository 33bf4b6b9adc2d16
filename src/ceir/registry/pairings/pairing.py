"""Making pairings by a code, following people to new numbers, releasing."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.codes.allowing import Limits, allow_trying, note_wrong
from ceir.registry.codes.drawing import Draw, as_typed
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.pairings.models import LIVING, TRANSITIONS, Ground, PairCode, Pairing, State
from ceir.registry.personal.fields import keys
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import held_by
from ceir.registry.standing import StandingOf, standings
from ceir.registry.subscribers.finding import canonical, line_of, line_proven
from ceir.registry.subscribers.models import Line
from ceir.registry.transitions import move

_LETTERS = 8


class PairingError(CeirError):
    """The equipment cannot be paired, or the pairing is not there."""

    code: ClassVar[str] = "pairing_refused"


@dataclass(frozen=True)
class PairingPolicy:
    """What a country decides about pairings.

    Args:
        places: lines that one piece of equipment is paired with at most.
        code_days: how long a code pairs.
        kept_days: how long the place of an ended line is kept for the same person's next one.
    """

    places: int = 5
    code_days: int = 30
    kept_days: int = 90


@dataclass(frozen=True)
class Made:
    """A pair code on its way.

    Args:
        text: what people hand on; kept nowhere.
    """

    pair_code: int
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Made(pair_code={self.pair_code})"


def make_code(
    imei: Imei, *, proof: Proof | None, draw: Draw, policy: PairingPolicy, actor: Actor, at: datetime
) -> Made:
    """A code by which lines can be paired with equipment; an older one stops counting.

    Args:
        proof: of the number of whoever the device is registered for, for `Purpose.PAIRING`; None: an officer
            makes it for somebody he has seen with the device.

    Raises:
        NotYoursError: it is not registered for this holder.
        PermissionDeniedError: without a proof, and no officer.
        PairingError: another one was made in the same moment.
    """
    require(actor, Permission.PAIRING_MANAGE, owner=actor.organisation)
    if proof is not None:
        check(proof, Purpose.PAIRING, actor=actor, at=at)
    text = draw.letters(_LETTERS)
    try:
        with transaction.atomic():
            if proof is not None or actor.acts_as is not Role.OFFICER:
                held_by(imei, proof, actor)
            open_codes = PairCode.objects.select_for_update().filter(imei=imei.number, withdrawn_at=None)
            for older in open_codes:
                older.withdrawn_at = at
                older.save()
            code = PairCode.objects.create(
                imei=imei.number,
                code=text,
                made_by=actor.id,
                made_at=at,
                expires_at=at + timedelta(days=policy.code_days),
            )
            if proof is not None:
                use(proof, Purpose.PAIRING, actor=actor, at=at)
            record(actor, "pair_code.made", str(code), at=at, detail={"imei": imei.digits})
    except IntegrityError as error:  # somebody was faster with the same equipment
        raise PairingError("Another code was made in the same moment.", "Ask for a new one.") from error
    return Made(code.pk, text, code.expires_at)


def pair(
    imei: Imei,
    given: str,
    *,
    proof: Proof,
    standing_of: StandingOf,
    policy: PairingPolicy,
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Pairing:
    """Somebody with the code pairs his number with the equipment.

    Of equipment that is listed a pairing lets a blocked device work: that takes a second person. Whether the
    operator has told the line's SIM makes no difference; the pairing counts for networks once it has.

    A wrong code counts for good; therefore this is a transaction of its own.

    Args:
        proof: of the number, for `Purpose.PAIRING`.

    Returns: in force, or proposed.

    Raises:
        PairingError: no such code for this IMEI, one message for all that can be wrong; or it is stolen or
            lost, paired with this number already, or all places are taken.
        TooManyCodesError: too many wrong ones today.
    """
    require(actor, Permission.PAIRING_MANAGE, owner=actor.organisation)
    check(proof, Purpose.PAIRING, actor=actor, at=at)
    wanted = keys().keyed("pair code", as_typed(given))
    with transaction.atomic(durable=True):
        line = line_proven(proof.number, at=at)
        # Locked: whoever pairs the same equipment waits here, so that a place is counted once.
        code = (
            PairCode.objects.select_for_update()
            .filter(imei=imei.number, withdrawn_at=None, expires_at__gt=at)
            .first()
        )
        if code is not None and hmac.compare_digest(bytes(code.code), wanted):
            pairing, listed = _paired(imei, line, code, standing_of, policy, actor, at)
            allow_trying(actor, at, limits)
            use(proof, Purpose.PAIRING, actor=actor, at=at)
            record(actor, f"pairing.{pairing.state}", str(pairing), at=at, detail={"imei": imei.digits})
            if pairing.state == State.PROPOSED.value:
                reason = f"pairing of listed equipment: {', '.join(listed)}"[:300]
                propose(PAIR, str(pairing), {}, actor=actor, reason=reason, at=at)
            return pairing
        allow_trying(actor, at, limits)
        note_wrong(actor, at)
        record(actor, "pairing.wrong_code", "pair_code:none", at=at)
    raise PairingError(
        "This code pairs nothing with this IMEI.",
        "Compare both; the holder of the device can make a new code.",
    )


def follow(imei: Imei, *, proof: Proof, actor: Actor, at: datetime) -> Pairing:
    """A person with a new number takes the place of his old one; nobody has to decide again.

    Args:
        proof: of the new number, for `Purpose.PAIRING`; the operator must have told that both are the same
            person's.

    Raises:
        PairingError: no pairing of the equipment is this person's, or the new number is paired already.
    """
    require(actor, Permission.PAIRING_MANAGE, owner=actor.organisation)
    check(proof, Purpose.PAIRING, actor=actor, at=at)
    with transaction.atomic():
        line = line_proven(proof.number, at=at)
        person = canonical(line.person)
        mine = [
            pairing
            for pairing in _living(imei).select_for_update().filter(ground=Ground.CODE.value).order_by("pk")
            if canonical(pairing.line.person).pk == person.pk
        ]
        if person.document_key is None or not mine or any(pairing.line_id == line.pk for pairing in mine):
            raise PairingError(
                "No pairing of this device with another number of yours was found.",
                "Ask your operator to register both numbers on your document, or pair anew with a code.",
            )
        # The one whose number is given back already, else the oldest.
        pairing = min(mine, key=lambda one: (one.line.ended_at is None, one.pk))
        pairing.line = line
        pairing.save()
        use(proof, Purpose.PAIRING, actor=actor, at=at)
        record(actor, "pairing.followed", str(pairing), at=at)
    return pairing


def release(pairing_id: int, *, proof: Proof, actor: Actor, at: datetime) -> Pairing:
    """End a pairing: by whoever holds its number, or holds the device.

    Args:
        proof: of the number, for `Purpose.PAIRING`.

    Raises:
        PairingError: it is neither his line's nor his device's, or there is none.
    """
    require(actor, Permission.PAIRING_MANAGE, owner=actor.organisation)
    check(proof, Purpose.PAIRING, actor=actor, at=at)
    with transaction.atomic():
        pairing = _known(pairing_id)
        line = line_of(proof.number)
        if line is None or pairing.line_id != line.pk:
            try:
                held_by(Imei.from_number(pairing.imei), proof, actor)
            except CeirError as error:
                raise _none() from error
        pairing = _locked(pairing_id)
        if pairing.ground == Ground.APPEAL.value:
            raise PairingError("It belongs to an appeal.", "Withdraw the appeal to end it.")
        end(pairing, State.RELEASED, because="released", at=at)
        use(proof, Purpose.PAIRING, actor=actor, at=at)
        record(actor, "pairing.released", str(pairing), at=at)
    return pairing


def propose_release(pairing_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask for somebody else's pairing to end; without it the device may be blocked for him.

    Raises:
        PairingError: there is none, or an appeal let it; an operator asks for its own subscribers only.
    """
    with transaction.atomic():
        pairing = _known(pairing_id)
        if actor.acts_as is Role.OPERATOR:
            sims = pairing.line.sims.filter(ended_at=None, operator=actor.organisation)
            if actor.organisation is None or not sims.exists():
                raise _none()
        elif actor.acts_as is Role.CONSUMER:
            raise _none()
        if pairing.state not in LIVING:
            raise _none()
        if pairing.ground == Ground.APPEAL.value:
            raise PairingError("It belongs to an appeal.", "Decide the appeal: that keeps it or ends it.")
        return propose(RELEASE, str(pairing), {}, actor=actor, reason=reason, at=at)


def sweep(policy: PairingPolicy, at: datetime) -> int:
    """Release places of lines that ended so long ago that nobody followed. Returns: how many."""
    released = 0
    late = Pairing.objects.filter(state__in=LIVING, line__ended_at__lte=at - timedelta(days=policy.kept_days))
    for key in late.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            pairing = Pairing.objects.select_for_update().filter(pk=key, state__in=LIVING).first()
            if pairing is not None:
                end(pairing, State.RELEASED, because="line_ended", at=at)
                record(SYSTEM, "pairing.released", str(pairing), at=at)
                released += 1
    return released


def except_line(
    imei: Imei, line: Line, *, because: str, at: datetime, despite_report: bool = False
) -> Pairing:
    """Let a line use equipment on another ground than a code: within the caller's transaction, which records
    it. Done again it changes nothing.

    Args:
        because: the ground, as the record names it: `appeal:12`.
        despite_report: it holds although the device is reported stolen or lost: two people heard both sides.
    """
    found = _living(imei).filter(line=line, ground=Ground.APPEAL.value, because=because).first()
    if found is not None:
        if despite_report and not found.despite_report:
            found.despite_report = True
            found.save()
        return found
    return Pairing.objects.create(
        imei=imei.number,
        line=line,
        ground=Ground.APPEAL.value,
        because=because,
        despite_report=despite_report,
        state=State.IN_FORCE.value,
        made_by=SYSTEM.id,
        made_at=at,
        in_force_at=at,
    )


def end_exceptions(because: str, *, at: datetime) -> int:
    """End what was let on a ground; within the caller's transaction. Returns: how many."""
    pairings = Pairing.objects.select_for_update().filter(
        because=because, ground=Ground.APPEAL.value, state=State.IN_FORCE.value
    )
    for pairing in pairings:
        end(pairing, State.RELEASED, because=because, at=at)
    return len(pairings)


def end(pairing: Pairing, to: State, *, because: str, at: datetime) -> None:
    """End a locked pairing; the caller records it."""
    move(pairing, to, TRANSITIONS, str(pairing).replace(":", " "))
    pairing.ended_at, pairing.ended_because = at, because
    pairing.save()


def accepted(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed to a pairing."""
    pairing = _locked(proposal.subject_key)
    move(pairing, State.IN_FORCE, TRANSITIONS, str(pairing).replace(":", " "))
    pairing.in_force_at = at
    pairing.save()
    record(actor, "pairing.in_force", str(pairing), at=at)


def refused(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person did not agree: the place is free again."""
    pairing = _locked(proposal.subject_key)
    if pairing.state == State.PROPOSED.value:  # it may have been released meanwhile
        end(pairing, State.REFUSED, because=f"proposal:{proposal.pk}", at=at)
        record(actor, "pairing.refused", str(pairing), at=at)


def released(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed to end a pairing."""
    pairing = _locked(proposal.subject_key)
    end(pairing, State.RELEASED, because=f"proposal:{proposal.pk}", at=at)
    record(actor, "pairing.released", str(pairing), at=at)


PAIR = ProposalKind(
    name="pairing.make",
    doc="Pair a line with equipment that is listed, so that it works there although it is blocked.",
    may_propose=Permission.PAIRING_MANAGE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=accepted,
    turned_down=refused,
)

RELEASE = ProposalKind(
    name="pairing.release",
    doc="End somebody's pairing, so that his device may be blocked.",
    may_propose=Permission.PAIRING_MANAGE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=released,
)


def _paired(
    imei: Imei,
    line: Line,
    code: PairCode,
    standing_of: StandingOf,
    policy: PairingPolicy,
    actor: Actor,
    at: datetime,
) -> tuple[Pairing, tuple[str, ...]]:
    standing = standings([imei], standing_of)[imei]
    if standing.missing:
        raise PairingError("The device is reported stolen or lost.", "Bring it to the police.")
    living = list(_living(imei).select_for_update().filter(ground=Ground.CODE.value))
    if any(pairing.line_id == line.pk for pairing in living):
        raise PairingError("The device is paired with this number already.", "There is nothing to do.")
    place = _free_place(living, policy, at)
    listed = bool(standing.listed)
    pairing = Pairing.objects.create(
        imei=imei.number,
        line=line,
        place=place,
        ground=Ground.CODE.value,
        because=str(code),
        state=(State.PROPOSED if listed else State.IN_FORCE).value,
        made_by=actor.id,
        made_at=at,
        in_force_at=None if listed else at,
    )
    return pairing, standing.listed


def _free_place(living: list[Pairing], policy: PairingPolicy, at: datetime) -> int:
    """The first free place; if there is none, that of a line that has ended."""
    taken = {pairing.place for pairing in living}
    for place in range(1, policy.places + 1):
        if place not in taken:
            return place
    for pairing in living:
        if pairing.line.ended_at is not None and pairing.place is not None:
            end(pairing, State.RELEASED, because="line_ended", at=at)
            return pairing.place
    raise PairingError(
        f"The device is paired with {policy.places} numbers already.",
        "Release one that is not used any more.",
    )


def _living(imei: Imei) -> QuerySet[Pairing]:
    return Pairing.objects.filter(imei=imei.number, state__in=LIVING)


def _known(pairing_id: int) -> Pairing:
    found = Pairing.objects.filter(pk=pairing_id).first()
    if found is None:
        raise _none()
    return found


def _locked(pairing_id: int) -> Pairing:
    return Pairing.objects.select_for_update().get(pk=pairing_id)


def _none() -> PairingError:
    return PairingError("There is no such pairing of yours.", "List your own first.")
