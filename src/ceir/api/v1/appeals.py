"""Appeals against decisions: made with a proven number, examined by one person and decided by another."""

from datetime import datetime
from typing import Annotated

from django.db.models import Q, QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Basis, In, Key, Moment, ProofIn, ProvenIn, Reason, one_of, proof_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import Example, Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission, PermissionDeniedError
from ceir.registry.actors import Actor, Role
from ceir.registry.appeals import appealing, deciding, measuring, reading
from ceir.registry.appeals.appealing import AppealError
from ceir.registry.appeals.models import Appeal, Evidence, EvidenceKind, State, Theft
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, check
from ceir.registry.equipment_keys import StoredIdentity, read_identity
from ceir.registry.lists_and_cases import decision_in_force
from ceir.registry.pairings.pairing import PairingError
from ceir.registry.personal.fields import Access, LegalBasisError, Sealed
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.subscribers.finding import line_of
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    AppealError,
    CodeError,
    CursorError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    PairingError,
    ProposalError,
)

AppealState = Annotated[State, one_of(State)]

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]


class AppealIn(In):
    """Against which condition, for which device, and why; with the proof of the number for `appeal`."""

    identity: Annotated[
        str, StringConstraints(max_length=40), Field(description="An IMEI, or what networks saw.")
    ]
    condition: Label
    why: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    proof: ProofIn


class AppealEvidenceIn(In):
    """A document, where it lies, and its SHA-256; the proof of who appealed, none: an officer adds it."""

    kind: EvidenceKind
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    remark: Annotated[str, StringConstraints(max_length=500)] = ""
    proof: ProofIn | None = None


class AskIn(In):
    """What is asked for."""

    what: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class RecommendationIn(In):
    """How it is to be decided; upheld: the condition was wrong, or, `only_him`, must not count against who
    appealed, though it holds for the identity."""

    uphold: bool
    only_him: bool = False
    reason: Reason


class AppealEvidenceOut(Schema):
    """A document that speaks for or against an appeal; where it lies is told on a legal basis."""

    id: int
    kind: EvidenceKind
    digest: str
    added_at: datetime

    @staticmethod
    def resolve_digest(evidence: Evidence) -> str:
        """In hexadecimal digits."""
        return bytes(evidence.digest).hex()


class AppealOut(Schema):
    """An appeal as it stands; undecided at `decide_by`, the device works again with who appealed; one that is
    reported stolen here does not, and the appeal is overdue."""

    id: int
    identity: str
    condition: str
    run: int
    theft: Theft
    state: AppealState
    made_at: datetime
    decide_by: datetime
    evidence_by: datetime | None
    overdue_at: datetime | None
    restored_at: datetime | None
    restored_because: str
    whole_identity: bool
    decided_at: datetime | None
    reason: str
    evidence: list[AppealEvidenceOut]

    @staticmethod
    def resolve_identity(appeal: Appeal) -> str:
        """14 digits, or the malformed text."""
        return StoredIdentity(appeal.imei, appeal.malformed).text

    @staticmethod
    def resolve_evidence(appeal: Appeal) -> list[Evidence]:
        """In the order in which it came."""
        return sorted(appeal.evidence.all(), key=lambda one: one.pk)


class DocumentWords(Schema):
    """Where a document lies, and what was remarked."""

    id: int
    reference: str
    remark: str


class AppealWordsOut(Schema):
    """What people wrote, in clear."""

    why: str
    asked_for: str
    evidence: list[DocumentWords]


class OwnAppealOut(AppealOut):
    """An appeal for whoever made it, with what is asked of him."""

    asked_for: str


class BasisIn(In):
    """On which legal basis it is read; kept with who read."""

    basis: Basis


class ReversalsOut(Schema):
    """What became of appeals against a condition; no rate where none was decided."""

    condition: str
    decided: int
    upheld: int
    undecided: int
    rate: float | None

    @staticmethod
    def resolve_rate(reversals: measuring.Reversals) -> float | None:
        """Share of the decided ones that were upheld."""
        return None if reversals.rate is None else float(reversals.rate)


class ReversalRateOut(Schema):
    """By condition."""

    items: list[ReversalsOut]


@ROUTER.get(
    "",
    response=Page[AppealOut],
    summary="Appeals",
)
@terms(Permission.APPEAL_EXAMINE, others=(Permission.APPEAL_DECIDE,), refuses=_REFUSES)
def list_appeals(
    request: Request,
    state: AppealState | None = None,
    condition: Annotated[str, StringConstraints(max_length=64)] = "",
    cursor: str = "",
) -> dict[str, object]:
    """The newest first; for who examines and who decides."""
    found = _appeals(request.auth.actor)
    if state is not None:
        found = found.filter(state=state.value)
    if condition.isprintable() and condition:
        found = found.filter(condition=condition)
    return page_of(found, cursor)


@ROUTER.post(
    "",
    response={201: AppealOut},
    summary="Appeal against a decision",
)
@terms(Permission.APPEAL_MAKE, refuses=_REFUSES)
def make_appeal(request: Request, made: AppealIn) -> Status[Appeal]:
    """By whoever uses the device; a clock begins."""
    appeal = appealing.make(
        read_identity(made.identity),
        made.condition,
        made.why,
        proof=made.proof.value(),
        decision_of=decision_in_force,
        seen_with=country().seen_with,
        policy=country().for_appeals(),
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, appeal)


@ROUTER.get(
    "/reversal-rate",
    response=ReversalRateOut,
    summary="How often appeals were upheld, by condition",
)
@terms(Permission.APPEAL_EXAMINE, others=(Permission.APPEAL_DECIDE,), refuses=_REFUSES)
def reversal_rate(request: Request, since: Moment) -> dict[str, object]:
    """What a condition costs innocent people."""
    return {"items": measuring.reversal_rate(since)}


@ROUTER.get(
    "/{appeal_id}",
    response=AppealOut,
    summary="One appeal",
)
@terms(Permission.APPEAL_EXAMINE, others=(Permission.APPEAL_DECIDE,), refuses=_REFUSES)
def one_appeal(request: Request, appeal_id: Key) -> Appeal:
    """As it stands."""
    return _appeal(request, appeal_id)


_SEEN = Guard(one_appeal, Appeal, "appeal_id")


@ROUTER.post(
    "/{appeal_id}/outcome",
    response=OwnAppealOut,
    summary="How one's own appeal stands",
)
@terms(Permission.APPEAL_MAKE, refuses=_REFUSES)
def appeal_outcome(request: Request, appeal_id: Key, proven: ProvenIn) -> Appeal:
    """For whoever proved the number it was made with, as often as the proof counts."""
    proof, at = proven.proof.value(), timezone.now()
    check(proof, Purpose.APPEAL, actor=request.auth.actor, at=at)
    line = line_of(proof.number)
    found = Appeal.objects.filter(pk=appeal_id).prefetch_related("evidence")
    mine = None if line is None else found.filter(Q(line=line) | Q(further_lines=line)).first()
    if mine is None:
        raise appealing.none_such()
    # Told to the one it was asked of; that it was is recorded as every other read.
    asked = mine.asked_for
    if isinstance(asked, Sealed):
        asked = asked.reveal(Access(request.auth.actor, at, "asked of who appealed"), str(mine))
    mine.asked_for = asked or ""
    return mine


@ROUTER.post(
    "/{appeal_id}/words",
    response=AppealWordsOut,
    summary="What an appeal says, in clear",
)
@terms(
    Permission.APPEAL_EXAMINE,
    others=(Permission.APPEAL_DECIDE,),
    refuses=(*_REFUSES, LegalBasisError, PermissionDeniedError),
    examples=(
        Example(
            "Why somebody appealed",
            "an appeal waits",
            Role.OFFICER,
            path={"appeal_id": 1},
            body={"basis": "appeal procedure, section 4"},
            answer={"why": "I bought it new.", "asked_for": "", "evidence": []},
        ),
    ),
)
def appeal_words(request: Request, appeal_id: Key, on: BasisIn) -> dict[str, object]:
    """For who examines and who decides; each read is recorded with its basis."""
    _appeal(request, appeal_id)
    words = reading.words_of(appeal_id, access=Access(request.auth.actor, timezone.now(), on.basis))
    names = ("id", "reference", "remark")
    return {
        "why": words.why,
        "asked_for": words.asked_for,
        "evidence": [dict(zip(names, one, strict=True)) for one in words.evidence],
    }


@ROUTER.post(
    "/{appeal_id}/lines",
    response=AppealOut,
    summary="Add another number that one uses in the device",
)
@terms(Permission.APPEAL_MAKE, refuses=_REFUSES)
def add_appeal_line(request: Request, appeal_id: Key, proven: ProvenIn) -> Appeal:
    """With the proof of that number for `appeal`."""
    return appealing.add_line(
        appeal_id,
        proof=proven.proof.value(),
        seen_with=country().seen_with,
        actor=request.auth.actor,
        at=timezone.now(),
    )


@ROUTER.post(
    "/{appeal_id}/evidence",
    response={201: AppealEvidenceOut},
    summary="Add a document to an undecided appeal",
)
@terms(Permission.APPEAL_MAKE, others=(Permission.APPEAL_EXAMINE,), refuses=_REFUSES)
def add_evidence(request: Request, appeal_id: Key, given: AppealEvidenceIn) -> Status[Evidence]:
    """What was waited for is there, and the clock goes on."""
    made = appealing.add_evidence(
        appeal_id,
        given.kind,
        given.reference,
        given.digest,
        remark=given.remark,
        proof=proof_of(given.proof),
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/{appeal_id}/withdrawal",
    response=AppealOut,
    summary="Take one's appeal back",
)
@terms(Permission.APPEAL_MAKE, refuses=_REFUSES)
def withdraw_appeal(request: Request, appeal_id: Key, proven: ProvenIn) -> Appeal:
    """What was restored meanwhile ends."""
    return appealing.withdraw(
        appeal_id, proof=proven.proof.value(), actor=request.auth.actor, at=timezone.now()
    )


@ROUTER.post(
    "/{appeal_id}/evidence-request",
    response=AppealOut,
    summary="Ask who appealed for more",
)
@terms(Permission.APPEAL_EXAMINE, refuses=_REFUSES, guard=_SEEN)
def request_evidence(request: Request, appeal_id: Key, asked: AskIn) -> Appeal:
    """The clock stands still until it comes, for so many days at most."""
    _appeal(request, appeal_id)
    return deciding.ask_evidence(
        appeal_id,
        asked.what,
        policy=country().for_appeals(),
        actor=request.auth.actor,
        at=timezone.now(),
    )


@ROUTER.post(
    "/{appeal_id}/recommendation",
    response={201: ProposalRef},
    summary="Propose how an appeal is decided",
)
@terms(Permission.APPEAL_EXAMINE, refuses=_REFUSES, guard=_SEEN)
def recommend_outcome(request: Request, appeal_id: Key, said: RecommendationIn) -> Status[object]:
    """A second person decides; the clock runs on until then."""
    _appeal(request, appeal_id)
    made = deciding.recommend(
        appeal_id,
        uphold=said.uphold,
        only_him=said.only_him,
        reason=said.reason,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


def _appeals(actor: Actor) -> QuerySet[Appeal]:
    every = Appeal.objects.prefetch_related("evidence")
    roles = RULES[Permission.APPEAL_EXAMINE].roles | RULES[Permission.APPEAL_DECIDE].roles
    return every if actor.acts_as in roles else every.none()


def _appeal(request: Request, appeal_id: int) -> Appeal:
    found = _appeals(request.auth.actor).filter(pk=appeal_id).first()
    if found is None:
        raise NotFoundError(f"There is no appeal {appeal_id} for you.", "List those there are.")
    return found
