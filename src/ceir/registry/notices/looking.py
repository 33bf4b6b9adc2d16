"""Looking up who was told what, and whether a message is one of ours."""

from ceir.identifiers import Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.codes.drawing import as_typed
from ceir.registry.notices.models import Notice, NoticeState
from ceir.registry.runs.rows import number_of

_TOLD = (
    NoticeState.SENDING.value,
    NoticeState.SENT.value,
    NoticeState.DELIVERED.value,
    NoticeState.UNDELIVERED.value,
    NoticeState.UNCERTAIN.value,
    NoticeState.WAITING.value,
)


def notices_of(identity: str, *, actor: Actor) -> list[Notice]:
    """Every notice of a device, oldest first; no number is read by it.

    Raises:
        PermissionDeniedError: the actor may not.
        InvalidIdentifierError: it is no identity.
    """
    require(actor, Permission.NOTICE_READ)
    number, _ = number_of(identity)
    return list(Notice.objects.filter(imei=number).order_by("made_at", "pk").prefetch_related("sendings"))


def notice_with(number: Msisdn, code: str) -> Notice | None:
    """The last notice that this number was sent with this code; None: we sent none.

    What whoever dials the short code is answered by: a message with a code that we do not know is somebody
    else's. The caller counts wrong codes.
    """
    return (
        Notice.objects.filter(msisdn_key=number.digits, code=as_typed(code), state__in=_TOLD, tries__gt=0)
        .order_by("-pk")
        .first()
    )
