"""Telling the owner of a lost device what becomes of his report."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction

from ceir.identifiers import Imei, Msisdn
from ceir.registry.cases.models import Case
from ceir.registry.cases.states import State
from ceir.registry.notices.models import Event
from ceir.registry.notices.outbox import tell
from ceir.registry.personal.fields import Sealed

_log = structlog.get_logger()

EVENT_OF = {
    State.BLOCKED: Event.CASE_BLOCKED,
    State.RECOVERED: Event.CASE_RECOVERED,
    State.RESTORED: Event.CASE_ENDED,
    State.WITHDRAWN: Event.CASE_ENDED,
    State.REJECTED: Event.CASE_ENDED,
}
"""What the owner is told when his case comes to a state. That the device was seen is for the police alone."""


def tell_owner(case: Case, event: Event, at: datetime) -> None:
    """Have the owner told, if it is known under which number he is reached; after the deed was recorded.

    The number that was used in the device is in a stranger's hands, unless the owner read a code sent to it
    since: then he has it in another device. What cannot be told never keeps a case from moving.
    """
    words = {}
    identity = case.identities.first()
    if identity is None:
        return
    words["imei"] = Imei.from_number(identity.imei).printed
    if event is Event.CASE_PROVISIONAL:
        assert case.provisional_until is not None
        words["date"] = case.provisional_until.isoformat()
    try:
        with transaction.atomic():
            tell(event, f"case:{case.pk}", _reached(case), words, at=at, send_by=case.provisional_until)
    except Exception as error:  # noqa: BLE001 - whatever it is, a device that must work again does
        _log.error("owner_not_told", case=case.pk, told=event.value, problem=type(error).__name__)


def asking(at: datetime) -> Callable[[Msisdn, Case], None]:
    """What `tracing.ask_users` asks with: a message that names the device and not its owner."""

    def ask(number: Msisdn, case: Case) -> None:
        identity = case.identities.first()
        assert identity is not None
        words = {"imei": Imei.from_number(identity.imei).printed}
        tell(Event.CASE_ASKED, f"case:{case.pk}", number, words, at=at)

    return ask


def _reached(case: Case) -> Sealed | None:
    row = Case.objects.filter(pk=case.pk).values_list("contact", "msisdn", "number_proven_at").first()
    if row is None:
        return None
    contact, msisdn, proven_at = row
    if isinstance(contact, Sealed):
        return contact
    return msisdn if isinstance(msisdn, Sealed) and proven_at is not None else None
