"""Who uses equipment, and which equipment a number is used with: personal data, on a legal basis, recorded.

The register knows no traffic: it knows whom a run named to be told or lets go on, and with which lines
equipment is paired.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate

from ceir.identifiers import EquipmentIdentity, Imei, Msisdn
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.cases.models import CaseIdentity
from ceir.registry.cases.states import ENDED
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.organisations.models import Organisation
from ceir.registry.pairings.models import Pairing
from ceir.registry.pairings.models import State as PairingState
from ceir.registry.pairings.standing import excepted_for
from ceir.registry.personal.fields import Access, Sealed, keys
from ceir.registry.personal.reading import reading
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.registrations.models import Registration
from ceir.registry.registrations.models import State as RegistrationState
from ceir.registry.runs.models import Contact, Excepted
from ceir.registry.subscribers.models import Line, Sim

MOST = 200
"""Rows of one answer; more would be no look-up but a list."""


class Known(Enum):
    """How the register knows of it."""

    NETWORK = "network"
    """A run named the subscriber as one seen with the equipment."""
    PAIRING = "pairing"
    REGISTRATION = "registration"
    EXCEPTION = "exception"
    """A run lets the line go on although the equipment's identity is blocked."""


@dataclass(frozen=True)
class Use:
    """That a subscriber uses equipment.

    Args:
        imsi, msisdn: empty: not known, or shredded.
        last_seen: day of the run that named it last, or since when it is paired or registered.
    """

    imei: str
    known: Known
    imsi: str
    msisdn: str
    last_seen: date | None
    operator: str
    in_force: bool

    def __repr__(self) -> str:
        return "Use(...)"


@dataclass(frozen=True)
class SeenModel:
    """What is known of equipment that a number is used with."""

    imei: str
    manufacturer: str
    model: str
    registered: bool
    first_seen: date | None
    last_seen: date | None


def users_of(identity: EquipmentIdentity, *, access: Access) -> list[Use]:
    """Subscribers that equipment was seen with, is paired with or goes on with; an operator is told of its
    own.

    Raises:
        PermissionDeniedError: the actor may not; the police only where a case of their station is open.
        RuntimeError: within another transaction, whose failure would take the record of reading with it.
    """
    actor = access.actor
    require(actor, Permission.PERSONAL_READ)
    stored = StoredIdentity.of(identity)
    with reading():
        record(actor, "personal.users_asked", f"imei:{stored.text}", at=access.at, basis=access.basis)
    _require_case(actor, [stored.key])
    with reading():
        contacts = Contact.objects.filter(imei=stored.key)
        pairings = Pairing.objects.filter(imei=stored.key, state=PairingState.IN_FORCE.value)
        excepted = Excepted.objects.filter(imei=stored.key)
        return [*_seen(contacts, access), *_paired(pairings, access), *_let(excepted, access)]


def equipment_of(number: Msisdn, *, access: Access) -> tuple[list[Use], list[SeenModel]]:
    """Equipment that a number was seen with, is paired with or goes on with, or that its holder registered.

    Raises:
        PermissionDeniedError: as `users_of`.
        RuntimeError: as `users_of`.
    """
    actor = access.actor
    require(actor, Permission.PERSONAL_READ)
    hashed = keys().keyed("msisdn", number.digits)
    with reading():
        # The record holds no number in clear; whoever has the number and the keys finds the entry again.
        record(actor, "personal.number_asked", f"msisdn:{hashed.hex()}", at=access.at, basis=access.basis)
    lines = Line.objects.filter(number_key=hashed, ended_at=None)
    contacts = Contact.objects.filter(msisdn_key=hashed)
    pairings = Pairing.objects.filter(line__in=lines, state=PairingState.IN_FORCE.value)
    excepted = excepted_for(number)
    mine = Registration.objects.none()
    if actor.acts_as in (Role.OFFICER, Role.REVIEWER):
        mine = Registration.objects.filter(
            person__in=lines.values("person"), state=RegistrationState.IN_FORCE.value
        )
    with reading():
        found = {row.imei for rows in (contacts, pairings, excepted) for row in rows[:MOST]}
        _require_case(actor, found)
        uses = [*_seen(contacts, access), *_paired(pairings, access), *_let(excepted, access)]
        for registration in mine.prefetch_related("device__identifiers")[:MOST]:
            since = registration.begins_at
            for one in registration.device.identifiers.all():
                if one.imei is not None and one.ended_at is None:
                    uses.append(
                        Use(
                            f"{one.imei:014}",
                            Known.REGISTRATION,
                            "",
                            number.digits,
                            localdate(since) if since else None,
                            "",
                            True,
                        )
                    )
    return uses, _models(sorted({use.imei for use in uses}))


def _require_case(actor: Actor, imeis: Iterable[int]) -> None:
    """The police ask for whoever uses a device of a case of their own, and for nobody else."""
    if actor.acts_as is not Role.POLICE:
        return
    wanted = set(imeis)
    open_cases = CaseIdentity.objects.filter(imei__in=wanted, case__police_id=actor.organisation).exclude(
        case__state__in=[state.value for state in ENDED]
    )
    if not wanted or wanted - set(open_cases.values_list("imei", flat=True)):
        raise PermissionDeniedError(
            "No open case of this station is about it.", "Open a case, or ask the regulator."
        )


def _own_operator(actor: Actor) -> str | None:
    """The operator whose subscribers alone are told; None: everybody's."""
    if actor.acts_as is not Role.OPERATOR:
        return None
    found = Organisation.objects.filter(pk=actor.organisation or 0).values_list("code", flat=True).first()
    return found or "nobody's"


def _seen(contacts: QuerySet[Contact], access: Access) -> list[Use]:
    own = _own_operator(access.actor)
    rows = contacts.select_related("run").order_by("imei", "pk")
    if own is not None:
        rows = rows.filter(operator=own)
    return [
        Use(
            f"{row.imei:014}" if row.imei >= 0 else "",
            Known.NETWORK,
            _open(row.imsi, access, f"contact:{row.pk}"),
            _open(row.msisdn, access, f"contact:{row.pk}"),
            row.run.as_of,
            row.operator,
            row.ended_run is None,
        )
        for row in rows[:MOST]
    ]


def _paired(pairings: QuerySet[Pairing], access: Access) -> list[Use]:
    sims = Q(line__sims__ended_at=None)
    rows = pairings.select_related("line").order_by("imei", "pk")
    if access.actor.acts_as is Role.OPERATOR:
        rows = rows.filter(sims, line__sims__operator_id=access.actor.organisation)
    found = []
    for row in rows[:MOST]:
        sim = Sim.objects.filter(line=row.line, ended_at=None).select_related("operator").first()
        found.append(
            Use(
                f"{row.imei:014}",
                Known.PAIRING,
                _open(sim.imsi if sim else None, access, f"line:{row.line_id}"),
                _open(row.line.number, access, f"line:{row.line_id}"),
                localdate(row.in_force_at or row.made_at),
                sim.operator.code if sim else "",
                True,
            )
        )
    return found


def _let(excepted: QuerySet[Excepted], access: Access) -> list[Use]:
    own = _own_operator(access.actor)
    rows = excepted.select_related("run").order_by("imei", "pk")
    if own is not None:
        rows = rows.filter(operator=own)
    return [
        Use(
            f"{row.imei:014}" if row.imei >= 0 else "",
            Known.EXCEPTION,
            _open(row.imsi, access, f"excepted:{row.pk}"),
            "",
            row.run.as_of,
            row.operator,
            row.ended_run is None,
        )
        for row in rows[:MOST]
    ]


def _open(value: object, access: Access, subject: str) -> str:
    return value.reveal(access, subject) if isinstance(value, Sealed) else ""


def _models(imeis: list[str]) -> list[SeenModel]:
    numbers = [int(imei) for imei in imeis if imei]
    tacs = {one.tac: one for one in TacRecord.objects.filter(pk__in={number // 10**6 for number in numbers})}
    seen = {one.imei: one for one in Observed.objects.filter(pk__in=numbers)}
    registered = set(
        Registration.objects.filter(
            device__identifiers__imei__in=numbers,
            device__identifiers__ended_at=None,
            state=RegistrationState.IN_FORCE.value,
        ).values_list("device__identifiers__imei", flat=True)
    )
    found = []
    for number in numbers:
        tac, observed = tacs.get(Imei.from_number(number).number // 10**6), seen.get(number)
        found.append(
            SeenModel(
                f"{number:014}",
                tac.manufacturer if tac else "",
                tac.model_name if tac else "",
                number in registered,
                observed.first_seen if observed else None,
                observed.last_seen if observed else None,
            )
        )
    return found
