"""Lists of IMEIs that are not released cannot be browsed: not on the register's pages, nor by its code."""

import ast
import contextlib
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from at_once import at_once, need_postgresql
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from imports_world import checked, imei, importing, listed, some, submitted
from logging_in import logged_in
from people import NOW, actor

from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.free_text import TextRefusedError
from ceir.registry.imports.looking_up import LookUpRefusedError, look_up
from ceir.registry.imports.models import Consignment, Finding, RejectedRow, SealedImei
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.releasing import release
from ceir.registry.imports.sealing import SealedListError, SealedModel

SOURCE = Path(__file__).resolve().parents[2] / "src" / "ceir"
SEALED = (SealedImei, RejectedRow, Finding)
ONE = imei(1)


def digits_anywhere(value: object) -> bool:
    return ONE.digits in str(value)


# --- asking for one


def test_customs_ask_for_one_imei_and_each_question_is_recorded_with_its_basis() -> None:
    one = submitted(listed(some(3)))
    customs = actor(Role.CUSTOMS)
    (found,) = look_up(ONE, actor=customs, basis="inspection 12", at=NOW)
    assert (found.consignment, found.number, found.importer, found.state.value) == (
        one.pk,
        "C-1",
        "acme",
        "submitted",
    )
    assert look_up(imei(77), actor=customs, basis="inspection 12", at=NOW) == ()
    asked = Entry.objects.filter(action="import.looked_up")
    assert [(e.actor, e.subject, e.basis, e.detail) for e in asked] == [
        (customs.id, f"imei:{ONE}", "inspection 12", f'{{"consignments":[{one.pk}]}}'),
        (customs.id, f"imei:{imei(77)}", "inspection 12", '{"consignments":[]}'),
    ]


def test_the_answer_says_what_checks_found_of_that_imei_and_its_model() -> None:
    from imports_world import TAC, Known

    checked(submitted(listed(some(3))), Known(stolen=[ONE], not_approved=[TAC]))
    (found,) = look_up(ONE, actor=actor(Role.CUSTOMS), basis="inspection", at=NOW)
    assert found.reasons == (Reason.NOT_APPROVED, Reason.STOLEN)
    (other,) = look_up(imei(2), actor=actor(Role.CUSTOMS), basis="inspection", at=NOW)
    assert other.reasons == (Reason.NOT_APPROVED,)


def test_without_a_basis_or_the_right_to_ask_there_is_no_answer() -> None:
    submitted(listed(some(3)))
    with pytest.raises(TextRefusedError):
        look_up(ONE, actor=actor(Role.CUSTOMS), basis=" ", at=NOW)
    for role in set(Role) - {Role.CUSTOMS, Role.OFFICER, Role.SYSTEM}:
        with pytest.raises(PermissionDeniedError):
            look_up(ONE, actor=actor(role), basis="curious", at=NOW)
    assert not Entry.objects.filter(action="import.looked_up").exists()


def test_who_asks_too_often_gets_no_more_answers_that_day_and_that_is_recorded() -> None:
    from datetime import timedelta

    customs = actor(Role.CUSTOMS)
    for n in range(3):
        look_up(imei(n), actor=customs, basis="inspection", at=NOW, most_a_day=3)
    with pytest.raises(LookUpRefusedError):
        look_up(imei(4), actor=customs, basis="inspection", at=NOW, most_a_day=3)
    assert Entry.objects.filter(action="import.look_up_refused").count() == 1
    look_up(imei(4), actor=actor(Role.CUSTOMS, "c2"), basis="inspection", at=NOW, most_a_day=3)
    look_up(imei(4), actor=customs, basis="inspection", at=NOW + timedelta(days=1), most_a_day=3)


@pytest.mark.django_db(transaction=True)
def test_who_asks_many_times_at_once_gets_no_more_answers_than_one_after_another() -> None:
    need_postgresql()
    customs = actor(Role.CUSTOMS)
    asks = [
        partial(look_up, imei(n), actor=customs, basis="inspection", at=NOW, most_a_day=3) for n in range(8)
    ]
    came_to = at_once(*asks)
    assert sum(isinstance(one, LookUpRefusedError) for one in came_to) == 5
    assert Entry.objects.filter(action="import.looked_up").count() == 3


def test_a_list_that_is_still_being_received_or_was_unreadable_answers_nothing() -> None:
    one = submitted(listed(some(3)))
    for state in ("receiving", "unreadable"):
        Consignment.objects.filter(pk=one.pk).update(state=state)
        assert look_up(ONE, actor=actor(Role.CUSTOMS), basis="inspection", at=NOW) == ()


# --- nothing lists them


@pytest.mark.parametrize("model", SEALED)
@pytest.mark.parametrize(
    "ask",
    [
        lambda objects: list(objects.all()),
        lambda objects: objects.count(),
        lambda objects: objects.exists(),
        lambda objects: objects.first(),
        lambda objects: objects.values_list("pk"),
        lambda objects: objects.filter(consignment_id=1),
        lambda objects: objects.get(pk=1),
        lambda objects: objects.in_bulk(),
        lambda objects: objects.raw("SELECT 1"),
        lambda objects: objects.using("default"),
        lambda objects: list(objects.iterator()),
        lambda objects: objects.none(),
        lambda objects: objects.db_manager("default").all(),
    ],
)  # fmt: skip
def test_no_query_of_a_sealed_model_is_answered(model: Any, ask: Callable[[Any], object]) -> None:
    submitted(listed(some(3)) + b"x\n")
    for manager in (model.objects, model._default_manager):
        with pytest.raises(SealedListError):
            ask(manager)
    assert list(model._base_manager.all()) == []
    assert all(list(m.get_queryset()) == [] for m in model._meta.managers if m.name == "nothing")


def test_every_model_of_imports_that_holds_imeis_of_lists_is_sealed() -> None:
    """Alarms name IMEIs too: of devices that a network saw, which is what customs must know."""
    open_models = {"Licence", "Consignment", "ConsignedTac", "Alarm"}
    for model in apps.get_app_config("imports").get_models():
        assert issubclass(model, SealedModel) is (model.__name__ not in open_models)
    assert {m.__name__ for m in SEALED} == {
        m.__name__ for m in apps.get_app_config("imports").get_models() if issubclass(m, SealedModel)
    }


def test_no_other_model_leads_to_a_sealed_one() -> None:
    for model in apps.get_models():
        for field in model._meta.get_fields(include_hidden=False):
            assert getattr(field, "related_model", None) not in SEALED, f"{model}.{field.name}"
    one = submitted(listed(some(3)))
    assert not any("sealed" in name or "finding" in name or "rejectedrow" in name for name in dir(one))


def test_the_administrations_pages_do_not_know_them() -> None:
    import ceir.api.urls  # noqa: F401 - all pages there are

    registered = set(admin.site._registry)
    assert not registered & set(SEALED)
    for model_admin in admin.site._registry.values():
        for inline in model_admin.inlines:
            assert inline.model not in SEALED
    paths: list[str] = []

    def walk(patterns: list[Any], before: str = "") -> None:
        for pattern in patterns:
            here = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, here)
            elif isinstance(pattern, URLPattern):
                paths.append(here)

    walk(get_resolver().url_patterns)
    assert paths
    assert not [
        path for path in paths if "sealed" in path or "rejectedrow" in path or "imports/finding" in path
    ]


def test_an_administrator_finds_no_page_of_them() -> None:
    submitted(listed(some(3)))
    browser = logged_in(Role.ADMINISTRATOR)
    for model in SEALED:
        answer = browser.get(f"/admin/imports/{model._meta.model_name}/")
        assert answer.status_code == 404
        assert not digits_anywhere(answer.content)


def test_a_dump_of_the_database_by_django_holds_none_of_them() -> None:
    submitted(listed(some(3)))
    out = io.StringIO()
    with contextlib.suppress(CommandError, SealedListError):
        call_command("dumpdata", "imports", stdout=out)
    assert not digits_anywhere(out.getvalue())
    out = io.StringIO()
    call_command("dumpdata", "imports", use_base_manager=True, stdout=out)
    assert '"imports.consignment"' in out.getvalue()
    assert not digits_anywhere(out.getvalue())


def test_the_record_of_a_submission_names_no_imei() -> None:
    one = checked(submitted(listed(some(3)) + b"x\n" + listed([ONE])))
    release_failed = False
    try:
        release(one.pk, actor=actor(Role.CUSTOMS), at=NOW)
    except Exception:  # noqa: BLE001 - what it says is looked at
        release_failed = True
    assert release_failed
    for entry in Entry.objects.all():
        assert not digits_anywhere(f"{entry.subject} {entry.basis} {entry.detail}")
    for row in Consignment.objects.values():
        assert not digits_anywhere(row)


SAID_TO_BE_UNSEEN = '"imports.SealedImei": "a sealed list"'
"""The administration names the model to say that nobody sees it."""


def test_only_imports_itself_touches_the_lists() -> None:
    """By name of module, of model or of table."""
    inside = SOURCE / "registry" / "imports"
    words = (
        "sealed_lists",
        "SealedImei",
        "sealedimei",
        "imports_finding",
        "imports_rejectedrow",
        "imports.findings",
    )
    for file in SOURCE.rglob("*.py"):
        if inside not in file.parents:
            text = file.read_text(encoding="utf-8").replace(SAID_TO_BE_UNSEEN, "")
            assert not [word for word in words if word in text], file


def test_only_these_functions_of_imports_name_an_imei_to_whoever_calls() -> None:
    """Whoever adds another reads this first: each needs a basis, is the importer's own, or is recorded."""
    inside = SOURCE / "registry" / "imports"
    readers = {"rows_of", "rows_of_tac", "all_rows", "which", "rejected_rows"}
    users: dict[str, set[str]] = {}
    for file in inside.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Name(id="sealed_lists"), attr=name) if name in readers:
                    users.setdefault(name, set()).add(file.stem)
    assert users == {
        "rows_of": {"looking_up"},
        "rows_of_tac": {"checking"},
        "all_rows": {"exporting"},
        "which": {"alarms", "releasing"},
        "rejected_rows": {"reporting"},
    }


def test_the_table_is_there_and_full_all_the_same() -> None:
    submitted(listed(some(3)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM imports_sealedimei")
        assert cursor.fetchone()[0] == 3
    assert importing().role == "importer"
