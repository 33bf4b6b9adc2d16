"""What is done again and again so that people are told."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections

from ceir.registry.actors import SYSTEM
from ceir.registry.cases.telling import asking
from ceir.registry.cases.tracing import ask_users
from ceir.registry.codes.drawing import random_draw
from ceir.registry.jobs import Job
from ceir.registry.notices.forgetting import forget
from ceir.registry.notices.opening import Outlet, kept_open
from ceir.registry.notices.planning import plan_notices
from ceir.registry.notices.reports import give_up_reports
from ceir.registry.notices.sending import Route, abandon, send_due
from ceir.registry.notices.unreached import hold_unreached

_NOTHING = "no gateway is set up"
_BATCHES = 20
"""Of 100 messages each, at most, in one go: then the next job looks what came in meanwhile."""


def send_all(outlet: Outlet, at: datetime, *, codes_only: bool = False) -> Mapping[str, int]:
    """Send what is due through every gateway, each at its own pace. Returns: notices by their new state."""
    if len(outlet.routes) == 1:
        return _send(outlet, outlet.routes[0], at, codes_only)
    total: Counter[str] = Counter()
    with ThreadPoolExecutor(max(len(outlet.routes), 1), thread_name_prefix="notices") as workers:
        for counts in workers.map(lambda route: _apart(outlet, route, at, codes_only), outlet.routes):
            total.update(counts)
    return total


def _apart(outlet: Outlet, route: Route, at: datetime, codes_only: bool) -> Mapping[str, int]:
    try:
        return _send(outlet, route, at, codes_only)
    finally:
        close_old_connections()


def _send(outlet: Outlet, route: Route, at: datetime, codes_only: bool) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for _ in range(_BATCHES):
        found = send_due(route, outlet.terms, actor=SYSTEM, at=at, codes_only=codes_only)
        total.update(found.counts)
        if not found.counts:
            break
    return total


def _outlet() -> Outlet | None:
    path: Path | None = settings.CEIR_NOTICES
    return kept_open(path) if path is not None else None


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count) or "nothing to do"


def _plan(at: datetime) -> str:
    outlet = _outlet()
    if outlet is None:
        return _NOTHING
    return _told({"planned": plan_notices(outlet.terms, draw=random_draw(), actor=SYSTEM, at=at)})


def _send_due(at: datetime) -> str:
    outlet = _outlet()
    return _told(send_all(outlet, at)) if outlet is not None else _NOTHING


def _send_codes(at: datetime) -> str:
    outlet = _outlet()
    return _told(send_all(outlet, at, codes_only=True)) if outlet is not None else _NOTHING


def _hold(at: datetime) -> str:
    outlet = _outlet()
    return _told(hold_unreached(outlet.terms, actor=SYSTEM, at=at)) if outlet is not None else _NOTHING


def _give_up(at: datetime) -> str:
    outlet = _outlet()
    if outlet is None:
        return _NOTHING
    return _told(
        {
            "never answered for": abandon(outlet.terms, actor=SYSTEM, at=at),
            "never reported": give_up_reports(outlet.terms, at=at),
        }
    )


def _forget(at: datetime) -> str:
    return _told(forget(at))


def _ask(at: datetime) -> str:
    return _told({"asked": ask_users(asking(at), at=at)}) if settings.CEIR_NOTICES else _NOTHING


JOBS = (
    Job("notices-plan", "Make the notices of blocks that are due today.", timedelta(minutes=15), _plan),
    Job("notices-send", "Send what is due, and take in delivery reports.", timedelta(minutes=1), _send_due),
    Job("notices-codes", "Send one-time codes at once.", timedelta(seconds=3), _send_codes),
    Job("notices-hold", "Hold back blocks that nobody could be told of.", timedelta(hours=1), _hold),
    Job("notices-give-up", "Settle notices that nothing is heard of.", timedelta(minutes=15), _give_up),
    Job("notices-forget", "Forget reports and numbers that are too old.", timedelta(days=1), _forget),
    Job("recovery-ask", "Ask who uses a lost device to come forward.", timedelta(minutes=15), _ask),
)
