"""Legal holds."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, done, reason, words
from ceir.registry.personal.holding import end_hold, hold
from ceir.registry.personal.models import LegalHold

_HOLD = Permission.LEGAL_HOLD

DESKS = (
    Desk(
        LegalHold,
        sees=(_HOLD, Permission.AUDIT_READ),
        shown=("subject", "reason", "held_by", "held_at", "ended_at"),
        find=("=subject",),
        begin=(
            Deed(
                "hold",
                "Hold something",
                _HOLD,
                done(
                    lambda _, typed, actor, at: hold(
                        typed["subject"], reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {"subject": lambda: words("What, as the record names it: case:12", 64), "reason": reason},
            ),
        ),
        deeds=(
            Deed(
                "end",
                "End the hold",
                _HOLD,
                done(
                    lambda row, typed, actor, at: end_hold(
                        row.subject, reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {"reason": reason},
                lambda row: row.ended_at is None,
            ),
        ),
    ),
)
