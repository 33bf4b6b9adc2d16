"""How a one-time code gets to a phone: whatever the installation has for messages, named in its settings."""

from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from ceir.errors import CeirError
from ceir.identifiers import Msisdn
from ceir.registry.codes.models import Purpose
from ceir.registry.notices import outbox


class NoWayToSendError(CeirError):
    """The register has no way to send messages."""

    code: ClassVar[str] = "no_way_to_send"


def send_code(number: Msisdn, code: str) -> None:
    """Hand a code over to be sent, in the language of whoever asks, with what it is for and no link.

    Raises:
        NoWayToSendError: nothing is set up.
    """
    name = settings.CEIR_SEND_TEXT
    if not name and settings.CEIR_NOTICES:
        outbox.send_code(number, code, Purpose.LOGIN, timezone.now())
        return
    if not name:
        raise NoWayToSendError("Codes cannot be sent here.", "Set up a gateway for messages.")
    send: Callable[[Msisdn, str], None] = import_string(name)
    text = gettext("%(code)s is your code for the device register. Nobody will ask you for it.")
    send(number, text % {"code": code})
