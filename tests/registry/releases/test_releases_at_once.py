"""Two people who plan or carry on at the same time do not let a device out twice."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from at_once import at_once
from people import NOW, actor
from registry_publications import decided, imeis, publish

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify
from ceir.registry.releases.models import Member, Release
from ceir.registry.releases.planning import ReleaseError, Stage, Terms, plan
from ceir.registry.releases.releasing import carry_on, start, undo
from ceir.registry.releases.signals import Signal
from ceir.registry.runs.applying import apply

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"appeals": Signal("appeals", "For a test.", lambda release, at: 0)}  # noqa: ARG005
TERMS = Terms((Stage(Decimal(1)),), {"appeals": Decimal(5)}, daily_cap=100, alone_share=Decimal(1))


def made(tmp_path: Path) -> None:
    apply(publish(tmp_path / "1", 1, [decided(i) for i in imeis(500)]), actor=SYSTEM, at=NOW)


def test_two_plans_do_not_gather_the_same_devices(tmp_path: Path) -> None:
    made(tmp_path)
    officer = actor(Role.OFFICER)
    deed = partial(plan, 1, TERMS, salt=bytes(16), reason="x", actor=officer, at=NOW, signals=QUIET)
    results = at_once(*[deed, deed, deed])
    assert sorted(type(r).__name__ for r in results) == ["Release", "ReleaseError", "ReleaseError"]
    assert Member.objects.count() == 500
    assert all(r.hint for r in results if isinstance(r, ReleaseError))


def test_the_daily_cap_holds_when_four_carry_on_and_one_takes_back(tmp_path: Path) -> None:
    made(tmp_path)
    officer = actor(Role.OFFICER)
    release = plan(1, TERMS, salt=bytes(16), reason="x", actor=officer, at=NOW, signals=QUIET)
    start(release.pk, actor=officer, at=NOW)
    carry = partial(carry_on, release.pk, actor=SYSTEM, at=NOW, signals=QUIET)
    at_once(*[carry] * 4)
    assert Member.objects.filter(stage__isnull=False).count() == 100
    later = NOW + timedelta(days=1)
    carry = partial(carry_on, release.pk, actor=SYSTEM, at=later, signals=QUIET)
    results = at_once(*[carry, partial(undo, release.pk, reason="x", actor=officer, at=later), carry])
    assert not [r for r in results if isinstance(r, Exception)]
    release = Release.objects.get()
    assert release.state == "stopped"
    taken_back = release.steps.get(what="undone").devices
    assert taken_back == Member.objects.filter(stage__isnull=False).count()
    verify()
