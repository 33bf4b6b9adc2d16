"""What a country gives its register: its policies, what networks saw, how codes reach phones.

The one place where web and workers look: the settings hold what the country decided (`CEIR_COUNTRY`, told to
every process by whoever starts them), or tests a `Country` itself; without it there are the defaults, and
what cannot have one is refused with `not_set_up`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from django.conf import settings
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn, Plmn, Tac
from ceir.registry.appeals.appealing import AppealPolicy
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.choosing import SeenDevice
from ceir.registry.cases.states import Reporter
from ceir.registry.codes.allowing import Limits
from ceir.registry.codes.drawing import Draw, random_draw
from ceir.registry.codes.models import Purpose
from ceir.registry.country.reading import CountryFileError, Decided
from ceir.registry.country.written import Codes, ProvisionalBlocks, QuotaWritten, Registrations, Releases
from ceir.registry.devices.identifying import Model, ModelOf, Strictness
from ceir.registry.gateways import GatewayError
from ceir.registry.imports.against_register import register_checks
from ceir.registry.imports.checking import AskSeen, AskTacs, Checks
from ceir.registry.lists_and_cases import seen_with_contacts, standing_at
from ceir.registry.notices import outbox
from ceir.registry.pairings.pairing import PairingPolicy
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.references.taking import allocated_tacs, model_of, seen_by
from ceir.registry.registrations.holding import registered_among
from ceir.registry.registrations.models import Kind
from ceir.registry.registrations.owning import SeenWith
from ceir.registry.registrations.policies import ArrivalOf, Quota, RegistrationPolicy
from ceir.registry.registrations.registering import Surroundings
from ceir.registry.releases.planning import Stage, Terms
from ceir.registry.releases.signals import all_signals
from ceir.registry.standing import StandingOf
from ceir.registry.type_approvals.models import CertificateState, CertifiedTac

_MODELS = 10_000
"""Models that one list of devices is asked for once each."""


class NotSetUpError(CeirError):
    """The register lacks what this needs: the country has not given it yet."""

    code: ClassVar[str] = "not_set_up"


def known_model(tac: Tac) -> Model | None:
    """The model of a TAC as the TAC list names it; one that is not on it, as the register's certificates."""
    return model_of(tac) or _certified_model(tac)


def _certified_model(tac: Tac) -> Model | None:
    found = (
        CertifiedTac.objects.filter(tac=tac.digits)
        .exclude(certificate__state__in=[CertificateState.DRAFT.value, CertificateState.DROPPED.value])
        .select_related("model")
        .first()
    )
    return None if found is None else Model(found.model.manufacturer, found.model.name)


def _devices_seen(number: Msisdn) -> Iterable[SeenDevice]:
    """What a run named the number to be told about, of IMEIs only."""

    for one in seen_with_contacts(number):
        if isinstance(one.identity, Imei):
            model = known_model(one.identity.tac)
            yield SeenDevice(
                one.identity,
                model.manufacturer if model else "",
                model.name if model else "",
                localdate(one.last_seen),
            )


def _send_through_notices(number: Msisdn, text: str, purpose: Purpose, at: datetime) -> None:
    try:
        outbox.send_code(number, text, purpose, at)
    except GatewayError as error:
        raise NotSetUpError(error.detail, error.hint) from error


@dataclass(frozen=True)
class Country:
    """See the module.

    Args:
        send_code: has a code sent: number, text, what it proves, when; None: by the
            register's own gateways, if there are any.
        region: country whose habits apply to numbers without country code, two letters of ISO 3166-1.
        plmns: networks by the code of their operator's organisation, which is its id in the policy.
        appeals, terms: None: without a policy there are no appeals, no releases.
        provisional: None: no device is blocked before somebody verified its case.
        allocated, seen_imeis: what lists of importers are held against, besides the register's own tables.
    """

    registrations: RegistrationPolicy = field(default_factory=RegistrationPolicy)
    pairings: PairingPolicy = field(default_factory=PairingPolicy)
    appeals: AppealPolicy | None = None
    terms: Terms | None = None
    provisional: ProvisionalBlock | None = None
    limits: Limits = field(default_factory=Limits)
    draw: Draw = field(default_factory=random_draw)
    send_code: Callable[[Msisdn, str, Purpose, datetime], None] | None = _send_through_notices
    region: str | None = None
    plmns: Mapping[str, Collection[Plmn]] = field(default_factory=dict)
    model_of: ModelOf = known_model
    standing_at: Callable[[datetime], StandingOf] = standing_at
    seen_with: SeenWith = seen_with_contacts
    devices_seen: Callable[[Msisdn], Iterable[SeenDevice]] = _devices_seen
    arrival_of: ArrivalOf | None = None
    allocated: AskTacs | None = None
    seen_imeis: AskSeen | None = None

    def asks(self, at: datetime) -> Surroundings:
        """What registering asks others about; of a hundred thousand devices few models are asked for."""
        return Surroundings(lru_cache(maxsize=_MODELS)(self.model_of), self.standing_at(at))

    def send(self, number: Msisdn, text: str, purpose: Purpose, at: datetime) -> None:
        """Have a code sent.

        Raises:
            NotSetUpError: there is no gateway.
        """
        send = self.send_code or (outbox.send_code if settings.CEIR_NOTICES else None)
        if send is None:
            raise NotSetUpError("No gateway for messages is set up.", "Set one up: docs/notices.md.")
        send(number, text, purpose, at)

    def for_appeals(self) -> AppealPolicy:
        """The policy of appeals.

        Raises:
            NotSetUpError: there is none.
        """
        if self.appeals is None:
            raise NotSetUpError(
                "No policy is set up: which conditions rest on theft is not known.", "Give the register one."
            )
        return self.appeals

    def for_releases(self) -> Terms:
        """The numbers of releases.

        Raises:
            NotSetUpError: there are none.
        """
        if self.terms is None:
            raise NotSetUpError("No terms of releases are set up.", "Give the register its stages.")
        return self.terms

    def checks(self, at: datetime) -> Checks:
        """What lists of importers are held against: what the register has of it, and what is given besides.

        Without a TAC list nobody knows what was allocated, and without first days nobody was seen: then the
        check is not made, and says so.
        """
        allocated = self.allocated or (allocated_tacs if TacRecord.objects.exists() else None)
        seen = self.seen_imeis or (seen_by if Observed.objects.exists() else None)
        return register_checks(
            at,
            allocated=allocated,
            seen=seen,
            registered=lambda imeis: registered_among(imeis, at=at),
        )

    @classmethod
    def of(cls, decided: Decided) -> "Country":
        """What a country decided, as the parts of the register take it."""
        own, policy = decided.own, decided.policy
        return cls(
            registrations=_registrations(own.registrations),
            pairings=PairingPolicy(
                places=own.pairings.places,
                code_days=own.pairings.code_days,
                kept_days=own.pairings.kept_days,
            ),
            appeals=None
            if policy is None
            else AppealPolicy(
                frozenset(policy.theft),
                frozenset(policy.abroad),
                days=own.appeals.days,
                theft_days=own.appeals.theft_days,
                evidence_days=own.appeals.evidence_days,
                most_asks=own.appeals.most_asks,
            ),
            terms=_terms(own.releases),
            provisional=_provisional(own.provisional_blocks),
            limits=_limits(own.codes),
            region=own.region,
            plmns={}
            if policy is None
            else {
                operator: frozenset(Plmn.parse(network) for network in networks)
                for operator, networks in policy.networks.items()
            },
        )


def country() -> Country:
    """The country whose register this is: the same in every process that was told the same."""
    given = getattr(settings, "CEIR_COUNTRY", None)
    if isinstance(given, Decided):
        return _made(_Once(given))
    return given if isinstance(given, Country) else _DEFAULT


def require_obeyable(decided: Decided) -> None:
    """Go on if the register can obey what a country decided; Django is set up by now.

    Raises:
        CountryFileError: a budget speaks of what nobody counts.
    """
    counted = sorted(all_signals())
    for name in sorted(set(decided.own.releases.budgets) - set(counted)):
        raise CountryFileError(
            f"{decided.origin}: `releases.budgets.{name}`: nobody counts that; it would stop nothing.",
            f"Type what is counted: {', '.join(counted)}",
        )


class _Once:
    """What was decided, by its identity: settings hold one object, and mappings in it have no hash."""

    def __init__(self, decided: Decided) -> None:
        self.decided = decided

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Once) and other.decided is self.decided

    def __hash__(self) -> int:
        return id(self.decided)


@lru_cache(maxsize=8)
def _made(once: _Once) -> Country:
    return Country.of(once.decided)


_DEFAULT = Country()


def _registrations(own: Registrations) -> RegistrationPolicy:
    usual = RegistrationPolicy()
    quotas = dict(usual.quotas)
    for kind, written in own.quotas.items():
        quota = _quota(written)
        if quota is None:
            quotas.pop(Kind(kind), None)
        else:
            quotas[Kind(kind)] = quota
    return replace(
        usual,
        kinds=frozenset(Kind(kind) for kind in own.kinds),
        quotas=quotas,
        transfers=_quota(own.received),
        traveller_days=own.traveller_days,
        test_days=own.test_days,
        fleet_alone=own.fleet_alone,
        import_alone=own.import_alone,
        pay_within_days=own.pay_within_days,
        offer_days=own.offer_days,
        transferable=frozenset(Kind(kind) for kind in own.transferable),
        strictness=Strictness(unknown_models=own.identifiers.unknown_models),
    )


def _quota(written: QuotaWritten) -> Quota | None:
    return None if written.devices is None else Quota(written.devices, written.days)


def _provisional(own: ProvisionalBlocks) -> ProvisionalBlock | None:
    if not own.enabled:
        return None
    return ProvisionalBlock(
        hours=own.hours,
        reporters=frozenset(Reporter(name) for name in own.reporters),
        again_after_days=own.again_after_days,
        devices_a_day=own.devices_a_day,
    )


def _limits(own: Codes) -> Limits:
    return Limits(
        digits=own.digits,
        tries=own.tries,
        given_within=timedelta(minutes=own.given_within_minutes),
        used_within=timedelta(minutes=own.used_within_minutes),
        wait=timedelta(seconds=own.wait_seconds),
        number_hour=own.number_hour,
        number_day=own.number_day,
        actor_day=own.actor_day,
        wrong_day=own.wrong_day,
    )


def _terms(own: Releases) -> Terms:
    return Terms(
        stages=tuple(Stage(stage.share, stage.days, stage.operators) for stage in own.stages),
        budgets=dict(own.budgets),
        daily_cap=own.daily_cap,
        tolerated=own.tolerated,
        alone_share=own.alone_share,
    )
