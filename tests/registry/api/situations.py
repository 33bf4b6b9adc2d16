"""Situations that the examples of endpoints speak of: each is brought about, and says what is other there.

A situation is a function decorated with `@situation("name")`; it returns values that take the place of those
of an example, by where they stand: `{"path": {"proposal_id": 7}}`.
"""

import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from calling import SECRET, program
from lost import blocked, police, reported
from people import NOW
from registry_publications import decided, publish, told

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.cases.verifying import verify
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.runs.applying import apply

Values = Mapping[str, Mapping[str, Any]]

SITUATIONS: dict[str, Callable[[], Values]] = {}


def situation(name: str) -> Callable[[Callable[[], Values]], Callable[[], Values]]:
    """Enter a situation."""

    def enter(make: Callable[[], Values]) -> Callable[[], Values]:
        assert name not in SITUATIONS, f"two situations are called {name}"
        SITUATIONS[name] = make
        return make

    return enter


@situation("nothing")
def nothing() -> Values:
    return {}


@situation("a program of an auditor")
def a_program() -> Values:
    return {"body": {"client_id": program(Role.AUDITOR).identifier, "client_secret": SECRET}}


@situation("a proposal waits")
def a_proposal_waits() -> Values:
    made = verify(reported().pk, reason="the bill fits", actor=police(), at=NOW)
    assert made is not None
    return {"path": {"proposal_id": made.pk}}


@situation("a case was verified")
def a_case_was_verified() -> Values:
    case = reported()
    verify(case.pk, reason="the bill fits", actor=police(), at=NOW)
    return {"query": {"subject": f"case:{case.pk}"}}


@situation("a stolen device")
def a_stolen_device() -> Values:
    blocked()
    TacRecord.objects.get_or_create(
        tac=35674108, defaults={"manufacturer": "Oppo", "model_name": "N1", "device_type": "Smartphone"}
    )
    Observed.objects.get_or_create(
        imei=35674108000001, defaults={"first_seen": date(2026, 1, 5), "last_seen": date(2026, 11, 20)}
    )
    return {}


@situation("a run was taken over")
def a_run_was_taken_over() -> Values:
    with tempfile.TemporaryDirectory() as folder:
        apply(publish(Path(folder) / "run", 1, [decided("35000000000000")]), actor=SYSTEM, at=NOW)
    return {}


@situation("subscribers were named")
def subscribers_were_named() -> Values:
    told_to = {"operator1": [told("35000000000000", "111010000000001", "220000000001")]}
    with tempfile.TemporaryDirectory() as folder:
        decisions = [decided("35000000000000", "notified", block="20261201")]
        apply(publish(Path(folder) / "run", 1, decisions, notifications=told_to), actor=SYSTEM, at=NOW)
    return {}
