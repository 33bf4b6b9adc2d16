"""Making appeals, and what speaks for them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.identifiers import EquipmentIdentity, Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, Role
from ceir.registry.appeals.models import (
    TRANSITIONS,
    UNDECIDED,
    Appeal,
    Evidence,
    EvidenceKind,
    State,
    Theft,
)
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.free_text import free_text
from ceir.registry.pairings.pairing import end_exceptions, except_line
from ceir.registry.registrations.ending import NotYoursError, held_by
from ceir.registry.registrations.owning import SeenWith
from ceir.registry.subscribers.finding import canonical, everyone, line_of, line_proven
from ceir.registry.subscribers.models import Line
from ceir.registry.transitions import move

_LABEL = re.compile(r"[A-Za-z0-9_]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_EVIDENCE = 50


class AppealError(CeirError):
    """The appeal cannot be made, or not in this way."""

    code: ClassVar[str] = "appeal_refused"


@dataclass(frozen=True)
class AppealPolicy:
    """What a country decides about appeals.

    Args:
        theft: labels of conditions that rest on reports of theft or loss (`country.policy_part`).
        abroad: those of them that rest on reports from abroad alone.
        days: within which an appeal is decided; after them the device works again with who appeals, unless it
            was reported stolen here: there somebody else says that it is his, and only two people who heard
            both decide.
        theft_days: the same where it was reported stolen, here or abroad.
        evidence_days: for how long evidence that was asked for is waited for; the clock stands still.
        most_asks: how often evidence is asked for.
    """

    theft: frozenset[str]
    abroad: frozenset[str] = frozenset()
    days: int = 15
    theft_days: int = 5
    evidence_days: int = 10
    most_asks: int = 2

    def kind_of(self, condition: str) -> Theft:
        """Whether a condition rests on a report of theft, and where that was made."""
        if condition in self.abroad:
            return Theft.ABROAD
        return Theft.HERE if condition in self.theft else Theft.NONE


DecisionOf = Callable[[EquipmentIdentity, str], int | None]
"""The run whose decision blocks or notifies equipment for a condition now; None: there is none."""


def make(
    identity: EquipmentIdentity,
    condition: str,
    why: str,
    *,
    proof: Proof,
    decision_of: DecisionOf,
    seen_with: SeenWith,
    policy: AppealPolicy,
    actor: Actor,
    at: datetime,
) -> Appeal:
    """Somebody appeals against a decision about the device that he uses.

    Args:
        condition: its label, as the notice named it.
        proof: of the number that he uses in the device, for `Purpose.APPEAL`; while the device is blocked its
            SIM works in another one.
        seen_with: the devices that networks saw the number with. Who was never seen with the device, and does
            not have it registered, cannot appeal for it: it would work with him if nobody decided in time.
            Of devices that were blocked without notice the register keeps no trace; therefore an officer who
            sees the device with him can appeal for him.

    Raises:
        AppealError: nothing was decided for this condition, the device is not his, he appealed already, or
            he did against this very decision and it was dismissed.
    """
    require(actor, Permission.APPEAL_MAKE, owner=actor.organisation)
    why = free_text(why, "Why the decision is wrong", 2000, needed=True, lines=True)
    if not _LABEL.fullmatch(condition):
        raise AppealError("There is no such condition.", "Copy its name from the notice.")
    check(proof, Purpose.APPEAL, actor=actor, at=at)
    run = decision_of(identity, condition)
    if run is None:
        raise AppealError(
            "No decision for this condition is in force against the device.", "Ask for its status first."
        )
    seen = any(one.identity == identity for one in seen_with(proof.number))
    stored, theft = StoredIdentity.of(identity), policy.kind_of(condition)
    try:
        with transaction.atomic():
            line = line_proven(proof.number, at=at)
            at_the_counter = actor.acts_as is Role.OFFICER
            if not (seen or at_the_counter or _is_registered(identity, proof, actor)):
                raise AppealError(
                    "The device was not seen with this number, nor is it registered for you.",
                    "Appeal with the number that you use in it, or show the device to the regulator.",
                )
            if not at_the_counter and _was_dismissed(stored, condition, run, line):
                raise AppealError(
                    "An appeal of yours against this decision was dismissed.",
                    "Show to the regulator what speaks for you and was not known then.",
                )
            appeal = Appeal.objects.create(
                imei=stored.key,
                malformed=stored.malformed,
                condition=condition,
                run=run,
                line=line,
                number_key=proof.number.digits,
                why=why,
                theft=theft.value,
                state=State.OPEN.value,
                made_by=actor.id,
                made_at=at,
                decide_by=at + timedelta(days=policy.days if theft is Theft.NONE else policy.theft_days),
            )
            use(proof, Purpose.APPEAL, actor=actor, at=at)
            record(actor, "appeal.made", str(appeal), at=at, detail={"condition": condition, "run": run})
    except IntegrityError as error:
        raise AppealError(
            "You appealed against this already.", "Add to that appeal what speaks for you."
        ) from error
    return appeal


def add_line(appeal_id: int, *, proof: Proof, seen_with: SeenWith, actor: Actor, at: datetime) -> Appeal:
    """Who appealed uses another number in the device, too: it works with that one as well.

    Args:
        proof: of that number, for `Purpose.APPEAL`.

    Raises:
        AppealError: the operator has not told that both numbers are the same person's, or the device was not
            seen with it.
    """
    require(actor, Permission.APPEAL_MAKE, owner=actor.organisation)
    check(proof, Purpose.APPEAL, actor=actor, at=at)
    seen = {StoredIdentity.of(one.identity).key for one in seen_with(proof.number)}
    with transaction.atomic():
        line = line_proven(proof.number, at=at)
        appeal = locked(appeal_id)
        if appeal.state not in (*UNDECIDED, State.UPHELD.value):
            raise none_such()
        person, mine = canonical(appeal.line.person), canonical(line.person)
        if person.pk != mine.pk or mine.document_key is None or appeal.imei not in seen:
            raise none_such()
        appeal.further_lines.add(line)
        if appeal.restored_at is not None:
            let(appeal, at)
        use(proof, Purpose.APPEAL, actor=actor, at=at)
        record(actor, "appeal.line_added", str(appeal), at=at)
    return appeal


def add_evidence(
    appeal_id: int,
    kind: EvidenceKind,
    reference: str,
    digest: str,
    *,
    remark: str = "",
    proof: Proof | None,
    actor: Actor,
    at: datetime,
) -> Evidence:
    """Add a document to an undecided appeal; what was waited for is there, and the clock goes on.

    Args:
        reference: where it lies, as whoever keeps documents names it.
        digest: SHA-256 of it, 64 hexadecimal digits.
        proof: of the number of who appealed, for `Purpose.APPEAL`; None: an officer adds it.

    Raises:
        AppealError: no such appeal of his, no digest, too many documents, or this one is there already.
    """
    reference = free_text(reference, "Where a document lies", 200, needed=True)
    remark = free_text(remark, "A remark", 500, lines=True)
    if not _DIGEST.fullmatch(digest):
        raise AppealError("A document's digest has 64 hexadecimal digits.", "Give the SHA-256 of the file.")
    _may_touch(proof, actor, at)
    try:
        with transaction.atomic():
            appeal = locked(appeal_id)
            _check_theirs(appeal, proof)
            if appeal.state not in UNDECIDED:
                raise AppealError(f"The appeal is {appeal.state}.", "Appeal anew if a new decision came.")
            if appeal.evidence.count() >= _MOST_EVIDENCE:
                raise AppealError(f"There are {_MOST_EVIDENCE} documents already.", "Join some into one.")
            evidence = Evidence.objects.create(
                appeal=appeal,
                kind=kind.value,
                number_key=None if appeal.number_key is None else bytes(appeal.number_key),
                reference=reference,
                digest=bytes.fromhex(digest),
                remark=remark or None,
                added_by=actor.id,
                added_at=at,
            )
            if appeal.state == State.WAITING.value and proof is not None:
                go_on(appeal, at)
                appeal.save()
            record(actor, "appeal.evidence_added", str(appeal), at=at, detail={"sha256": digest})
    except IntegrityError as error:
        raise AppealError("This document is there already.", "Add another one.") from error
    return evidence


def withdraw(appeal_id: int, *, proof: Proof, actor: Actor, at: datetime) -> Appeal:
    """Who appealed takes it back; what was restored meanwhile ends.

    Args:
        proof: of his number, for `Purpose.APPEAL`.

    Raises:
        AppealError: no such appeal of his.
        IllegalTransitionError: somebody is deciding it, or has.
    """
    require(actor, Permission.APPEAL_MAKE, owner=actor.organisation)
    check(proof, Purpose.APPEAL, actor=actor, at=at)
    with transaction.atomic():
        appeal = locked(appeal_id)
        _check_theirs(appeal, proof)
        move(appeal, State.WITHDRAWN, TRANSITIONS, named(appeal))
        appeal.decided_at = at
        appeal.save()
        end_exceptions(str(appeal), at=at)
        use(proof, Purpose.APPEAL, actor=actor, at=at)
        record(actor, "appeal.withdrawn", str(appeal), at=at)
    return appeal


def go_on(appeal: Appeal, at: datetime) -> None:
    """Let the clock of a locked appeal that waited for evidence run again; the caller saves it."""
    assert appeal.asked_at is not None
    assert appeal.evidence_by is not None
    move(appeal, State.OPEN, TRANSITIONS, named(appeal))
    appeal.decide_by += min(at, appeal.evidence_by) - appeal.asked_at
    appeal.asked_at = appeal.evidence_by = None


def let(appeal: Appeal, at: datetime) -> None:
    """Let the device of a locked appeal work with all lines that stand in it.

    No exception names a malformed identity: it is restored by the list of appeals alone.
    """
    if appeal.malformed:
        return
    imei = Imei.from_number(appeal.imei)
    # Where it is reported stolen, only what two people decided is more than the report.
    despite = appeal.theft != Theft.NONE.value and appeal.state == State.UPHELD.value
    for line in (appeal.line, *appeal.further_lines.order_by("pk")):
        except_line(imei, line, because=str(appeal), despite_report=despite, at=at)


def has_sim(appeal: Appeal) -> bool:
    """Whether an exception for who appealed reaches networks: his operator told the SIM of his number, and
    exceptions can name the identity."""
    return (
        not appeal.malformed
        and appeal.line.ended_at is None
        and appeal.line.sims.filter(ended_at=None).exists()
    )


def locked(appeal_id: int) -> Appeal:
    """An appeal, locked.

    Raises:
        AppealError: there is none.
    """
    found = Appeal.objects.select_for_update().filter(pk=appeal_id).first()
    if found is None:
        raise none_such()
    return found


def named(appeal: Appeal) -> str:
    """As messages name it."""
    return str(appeal).replace(":", " ")


def none_such() -> AppealError:
    """The one refusal for what is another's and what does not exist."""
    return AppealError("There is no such appeal of yours.", "List your own first.")


def _was_dismissed(stored: StoredIdentity, condition: str, run: int, line: Line) -> bool:
    """Whether the person of a line was heard against this very decision: each appeal anew has its clock, so
    that whoever went on appealing would be restored some day."""
    lines = Line.objects.filter(everyone(canonical(line.person)))
    return Appeal.objects.filter(
        imei=stored.key,
        malformed=stored.malformed,
        condition=condition,
        run=run,
        line__in=lines,
        state=State.DISMISSED.value,
    ).exists()


def _is_registered(identity: EquipmentIdentity, proof: Proof, actor: Actor) -> bool:
    if not isinstance(identity, Imei):
        return False
    try:
        held_by(identity, proof, actor)
    except NotYoursError:
        return False
    return True


def _may_touch(proof: Proof | None, actor: Actor, at: datetime) -> None:
    if proof is None:
        require(actor, Permission.APPEAL_EXAMINE)
    else:
        require(actor, Permission.APPEAL_MAKE, owner=actor.organisation)
        check(proof, Purpose.APPEAL, actor=actor, at=at)


def _check_theirs(appeal: Appeal, proof: Proof | None) -> None:
    if proof is None:
        return
    line: Line | None = line_of(proof.number)
    if line is None or canonical(line.person).pk != canonical(appeal.line.person).pk:
        raise none_such()
