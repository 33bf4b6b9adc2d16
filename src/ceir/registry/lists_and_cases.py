"""What the lists taken over and the cases say, in the form in which registering and appealing ask it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time

from django.db.models import Q

from ceir.identifiers import EquipmentIdentity, Imei, Msisdn, normalise_imei
from ceir.registry.appeals.models import Appeal
from ceir.registry.appeals.models import State as AppealState
from ceir.registry.cases.models import CaseIdentity
from ceir.registry.cases.states import ENDED
from ceir.registry.cases.states import State as CaseState
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.pairings.standing import excepted_for
from ceir.registry.registrations.owning import Seen
from ceir.registry.runs.models import Change, Contact, Decision, Outcome
from ceir.registry.standing import Standing, StandingOf

REPORTED = "reported"
"""Stands among what is held against a device whose case nobody has verified: too little to call it stolen."""

_AGAINST = (Outcome.BLOCKED.value, Outcome.NOTIFIED.value)
_MISSING = frozenset({CaseState.VERIFIED.value, CaseState.BLOCKED.value, CaseState.SEEN.value})


def standing_at(at: datetime) -> StandingOf:
    """A function that tells how IMEIs stand at a moment."""
    return lambda imeis: _standings(imeis, at)


def decision_in_force(identity: EquipmentIdentity, condition: str) -> int | None:
    """The run that blocked or notified equipment, if it is for this condition too; None: nothing does."""
    found = (
        Decision.objects.filter(imei=StoredIdentity.of(identity).key, outcome__in=_AGAINST)
        .select_related("grounds")
        .first()
    )
    if found is None or condition not in found.grounds.conditions.split("|"):
        return None
    return found.outcome_run_id


def seen_with_contacts(number: Msisdn) -> Collection[Seen]:
    """Equipment that networks saw a number with, as far as a run named the number to be told about it, or
    lets it go on with it.

    Of other equipment the register keeps no such trace.
    """
    rows = Contact.objects.filter(msisdn_key=number.digits).select_related("run").order_by("imei")
    latest = {row.imei: row.run.as_of for row in rows}
    let = excepted_for(number).filter(ended_at=None).select_related("run").order_by("imei")
    kept = {row.imei: row.run.as_of for row in let}
    latest |= {key: max(day, latest.get(key, day)) for key, day in kept.items()}
    decided = Decision.objects.filter(imei__in=latest)
    malformed = dict(decided.filter(imei__lt=0).values_list("imei", "text"))
    against = set(decided.filter(outcome__in=_AGAINST).values_list("imei", flat=True))
    seen = []
    for key, day in latest.items():
        identity = Imei.from_number(key) if key >= 0 else normalise_imei(malformed.get(key, ""))
        if identity is not None:
            last = datetime.combine(day, time.min, UTC)
            seen.append(Seen(identity, last, goes_on=key in kept and key in against))
    return seen


def _standings(imeis: Collection[Imei], at: datetime) -> Mapping[Imei, Standing]:
    numbers = [imei.number for imei in imeis]
    listed: dict[int, set[str]] = {number: set() for number in numbers}
    decisions = Decision.objects.filter(imei__in=numbers, outcome__in=_AGAINST)
    for number, conditions in decisions.values_list("imei", "grounds__conditions"):
        listed[number] |= set(conditions.split("|"))
    ever = {number for number, conditions in listed.items() if conditions}
    ever |= set(
        Change.objects.filter(imei__in=numbers)
        .filter(Q(after__in=_AGAINST) | Q(before__in=_AGAINST))
        .values_list("imei", flat=True)
    )
    # Where an appeal showed that a condition was wrong, it is held against nobody.
    upheld = Appeal.objects.filter(imei__in=numbers, state=AppealState.UPHELD.value, whole_identity=True)
    for number, condition in upheld.values_list("imei", "condition"):
        listed[number].discard(condition)
    missing: set[int] = set()
    cases = CaseIdentity.objects.filter(imei__in=numbers)
    rows = cases.values_list("imei", "case__state", "case__provisional_until")
    for number, state, provisional_until in rows:
        ever.add(number)
        if state in _MISSING or (provisional_until is not None and provisional_until > at):
            missing.add(number)
        elif state not in {one.value for one in ENDED}:
            listed[number].add(REPORTED)
    return {
        imei: Standing(tuple(sorted(listed[imei.number])), imei.number in missing, imei.number in ever)
        for imei in imeis
    }
