"""Appeals: examined by officers, decided by reviewers as proposals."""

from functools import partial

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, in_state, reason, with_reason
from ceir.registry.appeals.deciding import recommend
from ceir.registry.appeals.models import Appeal, Evidence, Lesson, State

_SEES = (Permission.APPEAL_EXAMINE, Permission.APPEAL_DECIDE, Permission.AUDIT_READ)

DESKS = (
    Desk(
        Appeal,
        sees=_SEES,
        shown=("id", "imei", "condition", "state", "made_at", "decide_by", "restored_at"),
        filters=("state", "condition"),
        imei="imei",
        deeds=tuple(
            Deed(
                name,
                label,
                Permission.APPEAL_EXAMINE,
                with_reason(partial(recommend, uphold=uphold)),
                {"reason": reason},
                in_state(State.OPEN),
            )
            for name, label, uphold in (
                ("recommend-uphold", "Recommend to uphold", True),
                ("recommend-dismiss", "Recommend to dismiss", False),
            )
        ),
    ),
    Desk(Evidence, sees=_SEES, shown=("appeal", "kind", "reference", "added_by", "added_at")),
    Desk(
        Lesson,
        sees=_SEES,
        shown=("appeal", "condition", "run", "false_positive", "learnt_at"),
        filters=("false_positive", "condition"),
        imei="imei",
    ),
)
