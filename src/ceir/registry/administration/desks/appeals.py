"""Appeals: examined by officers, decided by reviewers as proposals."""

from functools import partial

from django.contrib.admin import EmptyFieldListFilter

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, in_state, reason, with_reason
from ceir.registry.appeals.deciding import recommend
from ceir.registry.appeals.models import Appeal, Evidence, Lesson, State
from ceir.registry.appeals.reading import by_name

_SEES = (Permission.APPEAL_EXAMINE, Permission.APPEAL_DECIDE, Permission.AUDIT_READ)

DESKS = (
    Desk(
        Appeal,
        sees=_SEES,
        shown=(
            "id",
            "imei",
            "condition",
            "theft",
            "state",
            "made_at",
            "decide_by",
            "overdue_at",
            "restored_at",
        ),
        filters=("state", "theft", ("overdue_at", EmptyFieldListFilter), "condition"),
        imei="imei",
        reveals=Permission.PERSONAL_READ,
        reveal=by_name,
        deeds=tuple(
            Deed(
                name,
                label,
                Permission.APPEAL_EXAMINE,
                with_reason(partial(recommend, uphold=uphold, only_him=only_him)),
                {"reason": reason},
                in_state(State.OPEN),
            )
            for name, label, uphold, only_him in (
                ("recommend-uphold", "Recommend to uphold: the condition is wrong", True, False),
                ("recommend-uphold-for-him", "Recommend to uphold for who appealed alone", True, True),
                ("recommend-dismiss", "Recommend to dismiss", False, False),
            )
        ),
    ),
    Desk(
        Evidence,
        sees=_SEES,
        shown=("appeal", "kind", "added_by", "added_at"),
        reveals=Permission.PERSONAL_READ,
    ),
    Desk(
        Lesson,
        sees=_SEES,
        shown=("appeal", "condition", "run", "false_positive", "learnt_at"),
        filters=("false_positive", "condition"),
        imei="imei",
    ),
)
