"""What a country gives the register for its API: its policies, what networks saw, how codes reach phones.

The settings hold it (`CEIR_COUNTRY`, made by whoever starts the server); without it there are the defaults,
and what cannot have one is refused with `not_set_up`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from django.conf import settings

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn, Plmn, Tac
from ceir.policy import Policy
from ceir.registry.appeals.appealing import AppealPolicy, appeal_policy
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.choosing import SeenDevice
from ceir.registry.codes.allowing import Limits
from ceir.registry.codes.drawing import Draw, random_draw
from ceir.registry.codes.models import Purpose
from ceir.registry.devices.identifying import Model, ModelOf
from ceir.registry.gateways import GatewayError
from ceir.registry.imports.checking import AskSeen, AskTacs
from ceir.registry.lists_and_cases import seen_with_contacts, standing_at
from ceir.registry.notices import outbox
from ceir.registry.pairings.pairing import PairingPolicy
from ceir.registry.registrations.owning import SeenWith
from ceir.registry.registrations.policies import ArrivalOf, RegistrationPolicy
from ceir.registry.registrations.registering import Surroundings
from ceir.registry.releases.planning import Terms
from ceir.registry.standing import StandingOf
from ceir.registry.type_approvals.models import CertificateState, CertifiedTac


class NotSetUpError(CeirError):
    """The register lacks what this needs: the country has not given it yet."""

    code: ClassVar[str] = "not_set_up"


def certified_model(tac: Tac) -> Model | None:
    """The model of a TAC as the register's own certificates name it; for where there is no TAC list."""
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
            model = certified_model(one.identity.tac)
            yield SeenDevice(
                one.identity,
                model.manufacturer if model else "",
                model.name if model else "",
                one.last_seen.date(),
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
        plmns: networks by the code of their operator's organisation.
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
    model_of: ModelOf = certified_model
    standing_at: Callable[[datetime], StandingOf] = standing_at
    seen_with: SeenWith = seen_with_contacts
    devices_seen: Callable[[Msisdn], Iterable[SeenDevice]] = _devices_seen
    arrival_of: ArrivalOf | None = None
    allocated: AskTacs | None = None
    seen_imeis: AskSeen | None = None

    def asks(self, at: datetime) -> Surroundings:
        """What registering asks others about."""
        return Surroundings(self.model_of, self.standing_at(at))

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

    def of_policy(self, policy: Policy) -> "Country":
        """The same with what a policy of the pipeline says: networks, and the conditions of theft."""

        return replace(
            self,
            plmns={
                operator.id: frozenset(Plmn(*plmn.split("-")) for plmn in operator.plmns)
                for operator in policy.operators
            },
            appeals=appeal_policy(policy),
        )


_DEFAULT = Country()


def country() -> Country:
    """The country whose register this is."""
    given = getattr(settings, "CEIR_COUNTRY", None)
    return given if isinstance(given, Country) else _DEFAULT
