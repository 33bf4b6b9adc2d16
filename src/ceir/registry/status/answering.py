"""The status of equipment, from the facts: what networks do with it, why, and what its user can do."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from django.conf import settings

from ceir.identifiers import EquipmentIdentity, Imei, MalformedImei, is_placeholder
from ceir.identifiers.tac import is_test_tac
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, Role
from ceir.registry.cases.states import BLOCKING, ENDED, Mode
from ceir.registry.cases.states import State as CaseState
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.registrations.models import State as RegistrationState
from ceir.registry.releases.models import OverrideAnswer
from ceir.registry.runs.models import Outcome
from ceir.registry.status.asking import Level, Row, facts, level_of

MOST_AT_ONCE = 1000
"""Identities of one question."""

MISSING_REASON = "Reported stolen or lost"
SOUGHT_REASON = "Its owner asks for it back"

_ADVICE = {
    "permitted": "",
    "tracked": "It works. If a block is announced, appeal or register the device before that day.",
    "blocked": "If this is wrong, appeal: the register must answer.",
    "blocked_but": "Several devices carry this identity, or seem to. It is blocked, but the lines that used "
    "it before and were not found to be a copy's go on working. Whether yours does stands with your devices; "
    "if it should and does not, appeal: the register must answer.",
    "tracked_but": "Several devices carry this identity, or seem to. It works; when it is blocked, the lines "
    "that used it before and were not found to be a copy's go on. Whose line will stop is told before.",
    "missing": "If you bought it, take it with the bill to the police; if it is yours and was found, say so.",
}


class Answer(Enum):
    """What networks do with equipment."""

    PERMITTED = "permitted"
    TRACKED = "tracked"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Checks:
    """What the register checks of any equipment."""

    well_formed: bool
    """The identity is an IMEI, and none that no device can have."""
    tac_known: bool
    registered: bool
    registration: str | None
    """State of the registration: `in_force`, `due`, `proposed`; None: there is none."""
    stolen: str | None
    """`blocked`, `pending` or `recovered`, as the stolen list has it; None: not on it."""
    seen_in_network: bool
    first_seen: date | None
    last_seen: date | None
    paired: bool
    exempt: bool
    """Its kind of device needs no registration."""
    manufacturer: str
    model: str
    device_type: str


@dataclass(frozen=True)
class Condition:
    """A condition of the policy that is met."""

    label: str
    blocking: bool
    restored: bool
    """An appeal made it not count with whoever appealed."""


@dataclass(frozen=True)
class OwnCase:
    """A case that the caller may see."""

    case: int
    state: str
    mode: str
    provisional: bool


@dataclass(frozen=True)
class Evidence:
    """What the answer rests on."""

    outcome: str | None
    """What the last run decided; None: nothing."""
    decided_in_run: int | None
    released: str | None
    """Of a blocked one: `everywhere`, `in part` or `held back`."""
    override: str | None
    conditions: tuple[Condition, ...]
    registration: int | None
    pairings: int
    appeals: tuple[int, ...]


@dataclass(frozen=True)
class Status:
    """How equipment stands.

    Args:
        since: since when a condition matched, or the day of the first report.
        block_on: the day from which it is blocked; None: none is set.
        lines_go_on: it is, or will be, blocked, and the run lets lines go on with it all the same.
        own_lines: of those how many are of the caller's operator; None: the caller is none.
        own_pairings: pairings with lines of the caller's operator; None: the caller is none.
        checks, cases, evidence: None: not for the caller.
    """

    imei: str
    status: Answer
    reasons: tuple[str, ...]
    advice: str
    since: date | None
    block_on: date | None
    works_with_paired_numbers: bool
    lines_go_on: bool = False
    own_pairings: int | None = None
    own_lines: int | None = None
    checks: Checks | None = None
    cases: tuple[OwnCase, ...] | None = None
    evidence: Evidence | None = None


@dataclass
class _Known:
    """The facts of one identity."""

    decision: Row | None = None
    cases: list[Row] = field(default_factory=list)
    restored: list[Row] = field(default_factory=list)
    registered: Row | None = None
    paired: Row | None = None
    let: Row | None = None
    observed: Row | None = None


def status_of(identities: Sequence[EquipmentIdentity], *, actor: Actor, at: datetime) -> list[Status]:
    """How each of some identities stands, in their order; one statement for all.

    Args:
        identities: at most `MOST_AT_ONCE`.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.STATUS_READ)
    if len(identities) > MOST_AT_ONCE:
        raise ValueError(f"at most {MOST_AT_ONCE} at once")
    stored = [StoredIdentity.of(identity) for identity in identities]
    known: dict[int, _Known] = {one.key: _Known() for one in stored}
    tacs: dict[int, Row] = {}
    override: Row | None = None
    run: Row | None = None
    for row in facts(known.keys(), actor=actor, at=at):
        if row.kind == "override":
            override = row
        elif row.kind == "run":
            run = row
        elif row.kind == "tac":
            tacs[row.imei] = row
        else:
            _keep(known[row.imei], row)
    level = level_of(actor)
    exempt = frozenset(kind.casefold() for kind in settings.CEIR_EXEMPT_DEVICE_TYPES)
    return [
        _status(identity, one.text, known[one.key], override, tacs, exempt, level, actor, run)
        for identity, one in zip(identities, stored, strict=True)
    ]


def _keep(known: _Known, row: Row) -> None:
    if row.kind == "case":
        known.cases.append(row)
    elif row.kind == "restored":
        known.restored.append(row)
    else:
        setattr(known, row.kind, row)


def _status(
    identity: EquipmentIdentity,
    text: str,
    known: _Known,
    override: Row | None,
    tacs: Mapping[int, Row],
    exempt: frozenset[str],
    level: Level,
    actor: Actor,
    run: Row | None,
) -> Status:
    answer, reasons, missing = _answer(known, override, outright=run is not None and run.b == "1")
    decision = known.decision
    since = _day(decision.b) if decision is not None and decision.a in _TOLD else None
    lines_go_on = known.let is not None and _lets_lines(decision, run)
    reported = [_day(row.d) for row in known.cases if CaseState(row.b) not in ENDED]
    since = min((day for day in (since, *reported) if day is not None), default=None)
    if answer is Answer.PERMITTED:
        since = None
    told = Status(
        imei=text,
        status=answer,
        reasons=reasons,
        advice=_ADVICE[_advice(answer, missing=missing, lines_go_on=lines_go_on)],
        since=since,
        block_on=_day(decision.c) if decision is not None and decision.a in _TOLD else None,
        works_with_paired_numbers=bool(known.restored) and answer is Answer.BLOCKED,
        lines_go_on=lines_go_on,
    )
    if level is Level.PUBLIC:
        return told
    tac = tacs.get(identity.number // 10**6) if isinstance(identity, Imei) else None
    own = int(known.paired.b or 0) if known.paired else 0
    let = int(known.let.b or 0) if known.let and told.lines_go_on else 0
    return Status(
        imei=told.imei,
        status=told.status,
        reasons=told.reasons,
        advice=told.advice,
        since=told.since,
        block_on=told.block_on,
        works_with_paired_numbers=told.works_with_paired_numbers,
        lines_go_on=told.lines_go_on,
        own_pairings=own if actor.acts_as is Role.OPERATOR else None,
        own_lines=let if actor.acts_as is Role.OPERATOR else None,
        checks=_checks(identity, known, tac, exempt),
        cases=_cases(known, level, actor),
        evidence=_evidence(known, override) if level is Level.REGULATOR else None,
    )


_TOLD = frozenset({Outcome.BLOCKED.value, Outcome.NOTIFIED.value, Outcome.TRACKED.value})
_LETTING = frozenset({Outcome.BLOCKED.value, Outcome.NOTIFIED.value})


def _lets_lines(decision: Row | None, run: Row | None) -> bool:
    """Whether equipment is, or will be, blocked by a condition that lets lines go on."""
    if decision is None or run is None or decision.a not in _LETTING:
        return False
    return not set(json.loads(run.a or "[]")).isdisjoint((decision.e or "").split("|"))


def _advice(answer: Answer, *, missing: bool, lines_go_on: bool) -> str:
    if missing and answer is Answer.BLOCKED:
        return "missing"
    if lines_go_on and answer is not Answer.PERMITTED:
        return f"{answer.value}_but"
    return answer.value


def _answer(known: _Known, override: Row | None, *, outright: bool) -> tuple[Answer, tuple[str, ...], bool]:
    """What networks do, why, and whether the owner misses it.

    Args:
        outright: the network in question cannot hold exceptions: it serves equipment that has some.
    """
    standing = _stolen(known)
    decision = known.decision
    outcome = decision.a if decision is not None else None
    reasons: list[str] = []
    if standing == "blocked":
        reasons.append(MISSING_REASON)
    elif standing == "pending":
        reasons.append(f"{MISSING_REASON}; not confirmed yet")
    sought = any(row.c == Mode.RECOVERY.value and CaseState(row.b) not in _FOUND for row in known.cases)
    if sought:
        reasons.append(SOUGHT_REASON)
    if decision is not None and outcome in _TOLD:
        reasons += [reason for reason in (decision.d or "").split("|") if reason and reason not in reasons]
    out = outcome == Outcome.BLOCKED.value and decision is not None and decision.g in ("1", "2")
    out = out and not (outright and (known.let is not None or known.paired is not None))
    blocked = out or standing == "blocked"
    if blocked and override is None:
        return Answer.BLOCKED, tuple(reasons), standing == "blocked"
    if override is not None and override.a == OverrideAnswer.PERMITTED.value:
        return Answer.PERMITTED, (), False
    if reasons or override is not None:
        return Answer.TRACKED, tuple(reasons), standing == "blocked"
    return Answer.PERMITTED, (), False


_FOUND = ENDED | {CaseState.RECOVERED}


def _stolen(known: _Known) -> str | None:
    """What the stolen list says, the gravest of its cases."""
    said = set()
    for row in known.cases:
        state = CaseState(row.b)
        if row.c != Mode.BLOCK.value or state in ENDED:
            continue
        if state in BLOCKING or row.e:
            said.add("blocked")
        else:
            said.add("recovered" if state is CaseState.RECOVERED else "pending")
    return next((one for one in ("blocked", "pending", "recovered") if one in said), None)


def _checks(identity: EquipmentIdentity, known: _Known, tac: Row | None, exempt: frozenset[str]) -> Checks:
    registered, observed, paired = known.registered, known.observed, known.paired
    whole = (
        isinstance(identity, Imei) and not is_placeholder(identity) and not is_test_tac(identity.tac.digits)
    )
    kind = (tac.c if tac else "") or ""
    return Checks(
        well_formed=not isinstance(identity, MalformedImei) and whole,
        tac_known=tac is not None,
        registered=registered is not None and registered.a == RegistrationState.IN_FORCE.value,
        registration=registered.a if registered else None,
        stolen=_stolen(known),
        seen_in_network=observed is not None,
        first_seen=_day(observed.a) if observed else None,
        last_seen=_day(observed.b) if observed else None,
        paired=paired is not None,
        exempt=bool(kind) and kind.casefold() in exempt,
        manufacturer=(tac.a if tac else "") or "",
        model=(tac.b if tac else "") or "",
        device_type=kind,
    )


def _cases(known: _Known, level: Level, actor: Actor) -> tuple[OwnCase, ...]:
    own = str(actor.organisation)
    return tuple(
        OwnCase(int(row.a or 0), row.b or "", row.c or "", bool(row.e))
        for row in sorted(known.cases, key=lambda row: int(row.a or 0))
        if level is Level.REGULATOR or (actor.acts_as in _WITH_CASES and own in (row.f, row.g))
    )


_WITH_CASES = frozenset({Role.POLICE, Role.OPERATOR})


def _evidence(known: _Known, override: Row | None) -> Evidence:
    decision, registered, paired = known.decision, known.registered, known.paired
    restored = {row.a for row in known.restored}
    blocking = decision is not None and decision.a in _BLOCKING_OUTCOMES
    labels = (decision.e or "").split("|") if decision is not None else []
    return Evidence(
        outcome=decision.a if decision is not None else None,
        decided_in_run=int(decision.f) if decision is not None and decision.f else None,
        released=_RELEASED[decision.g or ""]
        if decision is not None and decision.a == Outcome.BLOCKED.value
        else None,
        override=override.a if override is not None else None,
        conditions=tuple(Condition(label, blocking, label in restored) for label in labels if label),
        registration=int(registered.e) if registered is not None and registered.e else None,
        pairings=int(paired.a or 0) if paired is not None else 0,
        appeals=_numbers(row.c for row in known.restored),
    )


_BLOCKING_OUTCOMES = frozenset({Outcome.BLOCKED.value, Outcome.NOTIFIED.value, Outcome.SPARED.value})
_RELEASED = {"2": "everywhere", "1": "in part", "": "held back"}


def _numbers(texts: Iterable[str | None]) -> tuple[int, ...]:
    return tuple(sorted(int(text) for text in texts if text))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
