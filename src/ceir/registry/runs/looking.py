"""Looking up what was decided."""

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.runs.models import Change, Decision, Head, Run
from ceir.registry.runs.rows import number_of


def latest_run() -> Run | None:
    """The run taken over last."""
    head = Head.objects.select_related("run").filter(pk=1).first()
    return head.run if head else None


def decision_of(identity: str) -> Decision | None:
    """What holds for an identity: 14 or 15 digits, or a malformed text; None: nothing does.

    Raises:
        InvalidIdentifierError: it is no identity.
    """
    number, _ = number_of(identity)
    return Decision.objects.select_related("grounds", "run", "outcome_run").filter(imei=number).first()


def history_of(identity: str, *, actor: Actor) -> list[Change]:
    """How it came to that, oldest first.

    Raises:
        PermissionDeniedError: the actor may not see runs.
        InvalidIdentifierError: it is no identity.
    """
    require(actor, Permission.RUN_READ)
    number, _ = number_of(identity)
    return list(Change.objects.select_related("grounds", "run").filter(imei=number).order_by("run"))
