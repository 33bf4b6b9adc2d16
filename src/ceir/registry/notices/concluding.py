"""How a notice ends, and how long it waits before another try."""

from datetime import datetime, timedelta

from ceir.registry.notices.models import Notice, NoticeState, Rank
from ceir.registry.notices.terms import NoticeTerms


def conclude(notice: Notice, state: NoticeState, detail: str = "", *, at: datetime) -> None:
    """Let a notice come to its outcome; it is not saved. A one-time code is forgotten with it."""
    notice.turn(state, detail)
    notice.settled_at = at
    if notice.rank == Rank.ASKED_FOR.value:
        notice.words = None


def pause_of(notice: Notice, terms: NoticeTerms) -> timedelta:
    """How long a notice waits after the tries it had."""
    if notice.rank == Rank.ASKED_FOR.value:
        return terms.code_pause
    return terms.pause_after(notice.tries)
