"""The golden country's runs, published by the pipeline itself, are taken over as they are."""

import csv
import itertools
import random
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from people import NOW

from building import Register
from ceir.registry.actors import SYSTEM
from ceir.registry.personal.fields import keys
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Change, Contact, Decision, Excepted, Head, Run
from ceir.registry.runs.rows import number_of
from ceir.sources._kinds import MALFORMED_KEY
from golden.replaying import replay


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """Three runs of the strict policy, whose lists carry check digits and malformed identities; and the
    changes from the first to the third."""
    root = tmp_path_factory.mktemp("golden") / "register"
    register = [register for register, _ in replay(root, "strict")][-1]
    register.publish(base=1)
    return register


def folder(register: Register, run: int, publication: int = 0) -> Path:
    found = register.workspace.catalogue().run(run)
    assert found is not None
    return register.workspace.path(found.publications[publication].path)


def rows(place: Path) -> list[dict[str, str]]:
    with place.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def held() -> dict[str, tuple[object, ...]]:
    return {
        d.identity: (d.outcome, d.since, d.block_on, d.grounds.reasons, d.grounds.conditions)
        for d in Decision.objects.select_related("grounds").all()
    }


def contacts() -> set[tuple[int, bytes, bytes, str]]:
    return {
        (c.imei, bytes(c.imsi_key), bytes(c.msisdn_key), c.operator)
        for c in Contact.objects.filter(ended_run__isnull=True)
    }


def told(published: Path) -> set[tuple[int, bytes, bytes, str]]:
    keyed = keys().keyed
    return {
        (number_of(r["imei"])[0], keyed("imsi", r["imsi"]), keyed("msisdn", r["msisdn"]), operator)
        for operator in ("operator1", "operator2", "operator3", "operator4")
        for r in rows(published / operator / "notifications.csv")
    }


def excepted() -> set[tuple[int, bytes, bytes, str]]:
    return {
        (e.imei, bytes(e.imsi_key), bytes(e.msisdn_key), e.operator)
        for e in Excepted.objects.filter(ended_run__isnull=True)
    }


def listed_exceptions(published: Path) -> set[tuple[int, bytes, bytes, str]]:
    keyed = keys().keyed
    return {
        (number_of(r["imei"])[0], keyed("imsi", r["imsi"]), keyed("msisdn", r["msisdn"]), operator)
        for operator in ("operator1", "operator2", "operator3", "operator4")
        for r in rows(published / operator / "exceptions.csv")
    }


def test_what_is_held_after_each_run_is_what_was_published(country: Register) -> None:
    for run in (1, 2, 3):
        published = folder(country, run)
        assert apply(published, actor=SYSTEM, at=NOW + timedelta(days=run)).is_new
        decisions = rows(published / "decisions.csv")
        found = held()
        assert len(found) == len(decisions) > 1000
        assert {i: v[0] for i, v in found.items()} == {
            number_of(r["imei"])[1] or r["imei"][:14]: r["outcome"] for r in decisions
        }
        blocked = {number_of(r["imei"])[0] for r in rows(published / "blocked.csv")}
        assert set(Decision.objects.filter(outcome="blocked").values_list("imei", flat=True)) == blocked
        assert contacts() == told(published)
        assert contacts()
        assert excepted() == listed_exceptions(published)


def test_the_changes_from_the_first_to_the_third_lead_to_what_the_third_says(country: Register) -> None:
    apply(folder(country, 1), actor=SYSTEM, at=NOW)
    applied = apply(folder(country, 3, 1), actor=SYSTEM, at=NOW)
    assert not applied.run.whole
    by_changes, told_by_changes = held(), contacts()
    excepted_by_changes = excepted()
    for model in (Change, Contact, Decision, Excepted, Head, Run):
        model.objects.all().delete()
    apply(folder(country, 3), actor=SYSTEM, at=NOW)
    assert held() == by_changes
    assert contacts() == told_by_changes == told(folder(country, 3))
    assert excepted() == excepted_by_changes == listed_exceptions(folder(country, 3))
    assert excepted()


def test_history_added_up_gives_what_is_held(country: Register) -> None:
    for run in (1, 2, 3):
        apply(folder(country, run), actor=SYSTEM, at=NOW)
    last = {}
    for imei, changes in itertools.groupby(Change.objects.order_by("imei", "run"), key=lambda c: c.imei):
        outcome = ""
        for change in changes:
            assert change.before == outcome
            outcome = change.after
        last[imei] = outcome
    assert {i: o for i, o in last.items() if o} == dict(Decision.objects.values_list("imei", "outcome"))


def test_a_malformed_identity_has_the_key_that_the_pipeline_gives_it() -> None:
    drawn = random.Random(7)
    texts = ["".join(drawn.choices("0123456789ABCDEF*#", k=drawn.randint(1, 13))) for _ in range(300)]
    with duckdb.connect() as database:
        for text in texts:
            ((key,),) = database.execute(f"SELECT {MALFORMED_KEY.format(x='$1')}", [text]).fetchall()
            assert number_of(text) == (key, text)
            assert number_of(text.lower()) == (key, text)
