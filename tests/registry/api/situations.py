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
from django.utils import timezone
from lost import blocked, police, reported
from people import NOW
from registry_publications import decided, publish, told

from ceir.api.identities import identity_of
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.appeals.models import Appeal
from ceir.registry.bulk.asking import ask, carry_out
from ceir.registry.cases.verifying import verify
from ceir.registry.devices.models import Device, Identifier
from ceir.registry.editions.issuing import issue
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.registrations.models import Registration, Submission
from ceir.registry.runs.applying import apply
from ceir.registry.subscribers.finding import unknown
from ceir.registry.subscribers.models import Line
from ceir.registry.webhooks.models import Delivery
from ceir.registry.webhooks.registering import register

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


@situation("an appeal waits")
def an_appeal_waits() -> Values:
    number = "220000000000"
    line = Line.objects.create(person=unknown(at=NOW), number=number, number_key=number, since=NOW)
    made = Appeal.objects.create(
        imei=35675904000001, condition="clone", run=1, line=line, number_key=number, why="I bought it new.",
        state="open", made_by="account:1", made_at=NOW, decide_by=NOW,
    )  # fmt: skip
    return {"path": {"appeal_id": made.pk}}


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


@situation("a registered device")
def a_registered_device() -> Values:
    device = Device.objects.create(manufacturer="Oppo", model="N1", device_type="Smartphone", entered_at=NOW)
    for slot in (1, 2):
        Identifier.objects.create(
            device=device, kind="imei", slot=slot, imei=35675904000000 + slot, bound_at=NOW, bound_because="x"
        )
    person = unknown(at=NOW)
    of = Submission.objects.create(kind="person", person=person, entered_by="x", entered_at=NOW)
    Registration.objects.create(
        submission=of, device=device, kind="person", person=person, state="in_force", entered_at=NOW,
        begins_at=NOW,
    )  # fmt: skip
    return {}


@situation("a job is done")
def a_job_is_done() -> Values:
    made = ask(["35674108000001", "356741080000019"], actor=program(Role.OPERATOR).actor, at=timezone.now())
    assert carry_out(made.pk, identity_of, timezone.now) == "done"
    return {"path": {"job": str(made.pk)}}


@situation("a webhook")
def a_webhook() -> Values:
    made = register(
        "https://operator.example/ceir", ["run."], secret=SECRET, actor=program(Role.OPERATOR).actor, at=NOW
    )
    return {"path": {"webhook": str(made.pk)}}


@situation("a dead message")
def a_dead_message() -> Values:
    webhook = a_webhook()["path"]["webhook"]
    made = Delivery.objects.create(
        webhook_id=webhook, sequence=7, event="run.applied", body="{}", made_at=NOW, tries=8, state="dead",
        answer="status 500", ended_at=NOW,
    )  # fmt: skip
    return {"path": {"webhook": webhook, "delivery": str(made.pk)}}


@situation("lists were issued")
def lists_were_issued() -> Values:
    a_run_was_taken_over()
    assert issue("", actor=SYSTEM, at=NOW) is not None
    return {}
