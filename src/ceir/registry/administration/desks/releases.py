"""Releases of newly blocked devices, and emergency overrides."""

from django import forms

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import (
    Deed,
    Desk,
    choice,
    done,
    in_state,
    plain,
    reason,
    with_reason,
    words,
)
from ceir.registry.releases import overriding, proposing, releasing
from ceir.registry.releases.models import Hold, Member, Override, OverrideAnswer, Release, ReleaseState, Step

_READ = (Permission.RELEASE_READ,)
_MANAGE, _OVERRIDE = Permission.RELEASE_MANAGE, Permission.OVERRIDE_PROPOSE
_BEGUN = in_state(ReleaseState.RUNNING, ReleaseState.PAUSED, ReleaseState.PLANNED)

DESKS = (
    Desk(
        Release,
        sees=_READ,
        shown=("id", "run", "state", "stage", "reason", "planned_at", "started_at", "ended_at"),
        filters=("state",),
        hidden=frozenset({"salt"}),
        deeds=(
            Deed(
                "start",
                "Start it alone",
                _MANAGE,
                plain(releasing.start),
                when=in_state(ReleaseState.PLANNED),
            ),
            Deed(
                "ask-to-start",
                "Ask a second person to start it",
                _MANAGE,
                with_reason(proposing.propose_start),
                {"reason": reason},
                in_state(ReleaseState.PLANNED),
            ),
            Deed(
                "pause",
                "Pause",
                _MANAGE,
                with_reason(releasing.pause),
                {"reason": reason},
                in_state(ReleaseState.RUNNING),
            ),
            Deed(
                "resume",
                "Go on",
                _MANAGE,
                with_reason(releasing.resume),
                {"reason": reason},
                in_state(ReleaseState.PAUSED),
            ),
            Deed("stop", "Stop", _MANAGE, with_reason(releasing.stop), {"reason": reason}, _BEGUN),
            Deed(
                "undo",
                "Take everything back",
                _MANAGE,
                with_reason(releasing.undo),
                {"reason": reason},
                lambda row: row.undone_at is None,
            ),
        ),
    ),
    Desk(Member, sees=_READ, shown=("release", "imei", "stage", "everywhere", "moved_at"), imei="imei"),
    Desk(
        Hold,
        sees=_READ,
        shown=("id", "imei", "block_on", "until", "because", "ended_at"),
        filters=("because",),
        imei="imei",
    ),
    Desk(Step, sees=_READ, shown=("release", "at", "by", "what", "devices", "because")),
    Desk(
        Override,
        sees=_READ,
        shown=("id", "operator", "answer", "reason", "begun_at", "until", "ended_at"),
        begin=(
            Deed(
                "ask",
                "Ask for an emergency override",
                _OVERRIDE,
                done(
                    lambda _, typed, actor, at: overriding.propose_override(
                        OverrideAnswer(typed["answer"]),
                        typed["until"],
                        operator=typed["operator"],
                        reason=typed["reason"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "answer": lambda: choice("Networks are told", tuple(a.value for a in OverrideAnswer)),
                    "until": lambda: forms.DateTimeField(label="Until (UTC)"),
                    "operator": lambda: words("At this operator only", 16, needed=False),
                    "reason": reason,
                },
            ),
        ),
        deeds=(
            Deed(
                "end",
                "Ask for its end",
                _OVERRIDE,
                with_reason(overriding.propose_end),
                {"reason": reason},
                lambda row: row.ended_at is None,
            ),
        ),
    ),
)
