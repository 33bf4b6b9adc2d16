"""Exceptions over the API: an operator gets its own subscribers' and nobody else gets any."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from at_once import at_once, need_postgresql
from calling import bearer, call, program
from desk import blocked_case, line, speaks_for
from django.utils import timezone
from lost import ONE, police
from world import PLMN, imei, number

from ceir.equipment_check.keys import create_signing_key, load_trusted_keys, write_public_key
from ceir.identifiers import Imsi
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import recover, restore
from ceir.registry.editions.excepting import forget_exceptions, issue_all_exceptions, issue_exceptions
from ceir.registry.editions.models import ExceptionEdition, ExceptionEntry
from ceir.registry.pairings.models import Pairing
from ceir.registry.subscribers.models import Line, Sim
from ceir.registry.subscribers.reporting import report_line

BASIS = {"basis": "Interconnection Act 3"}
FIRST, SECOND, THIRD = "111010000000001", "111010000000002", "111010000000003"


def paired(n: int, device: int = 1) -> Pairing:
    """Number `n` with its SIM, and a device that works with it."""
    line(n)
    of = Line.objects.order_by("-pk").first()
    at = timezone.now() - timedelta(seconds=1)
    place = Pairing.objects.filter(imei=imei(device).number).count() + 1
    return Pairing.objects.create(
        imei=imei(device).number, line=of, place=place, ground="code", because=f"pair_code:{n}",
        state="in_force", made_by="system", made_at=at, in_force_at=at,
    )  # fmt: skip


def issued() -> int:
    return issue_all_exceptions(actor=SYSTEM, at=timezone.now())


def whole(of: str = "") -> str:
    answer = call("POST", "exceptions/whole", bearer(Role.OPERATOR, of=of), BASIS)
    assert answer.status_code == 200, answer.content
    assert hashlib.sha256(answer.content).hexdigest() == answer.headers["Ceir-List-Digest"]
    return str(answer.content.decode())


def changed(since: int) -> list[str]:
    answer = call("POST", "exceptions/changes", bearer(Role.OPERATOR), {**BASIS, "since": since})
    assert answer.status_code == 200, answer.content
    return list(answer.content.decode().splitlines())


def test_an_operator_gets_its_own_exceptions_and_no_others() -> None:
    program(Role.OPERATOR, of="operator9")
    paired(2)
    paired(1)
    Sim.objects.filter(line__in=[paired(3).line]).update(
        operator=speaks_for(Role.OPERATOR, "operator9").organisation
    )
    assert issued() == 2
    one = imei(1).digits
    assert whole() == f"imei,imsi\n{one},{FIRST}\n{one},{SECOND}\n"
    assert whole("operator9") == f"imei,imsi\n{one},{THIRD}\n"
    told = call("GET", "exceptions", bearer(Role.OPERATOR)).json()
    assert (told["operator"], told["sequence"], told["rows"]) == ("operator", 1, 2)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.REVIEWER, Role.POLICE, Role.AUDITOR, Role.CONSUMER])
def test_nobody_else_gets_any_not_even_the_regulator(role: Role) -> None:
    paired(1)
    issued()
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/whole", BASIS),
        ("POST", "/changes", {**BASIS, "since": 0}),
    ):
        refused = call(method, f"exceptions{path}", bearer(role), body)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_each_reading_is_recorded_with_its_basis_and_without_a_number() -> None:
    paired(1)
    issued()
    for basis in ("", " ", "a\nb"):
        refused = call("POST", "exceptions/whole", bearer(Role.OPERATOR), {"basis": basis})
        assert refused.status_code == 422, basis
    assert not Entry.objects.filter(action="personal.list_read").exists()
    whole()
    changed(0)
    read = Entry.objects.filter(action="personal.list_read", actor=speaks_for(Role.OPERATOR).id)
    assert [one.subject for one in read] == ["exceptions:operator:1"] * 2
    assert {one.basis for one in read} == {BASIS["basis"]}
    assert not any(FIRST in f"{one.subject} {one.detail}" for one in Entry.objects.all())


def test_changes_done_to_an_edition_give_the_newest_byte_for_byte() -> None:
    paired(1)
    issued()
    first = whole()
    assert issued() == 0, "nothing changed"
    paired(2)
    Pairing.objects.filter(because="pair_code:1").update(state="released", ended_at=timezone.now())
    assert issued() == 1
    rows = set(first.splitlines()[1:])
    for row in changed(1)[1:]:
        change, entry = row.split(",", 1)
        (rows.add if change == "added" else rows.remove)(entry)
    assert "\n".join(["imei,imsi", *sorted(rows)]) + "\n" == whole()
    assert changed(1)[1:] == [f"removed,{imei(1).digits},{FIRST}", f"added,{imei(1).digits},{SECOND}"]
    assert changed(2) == ["change,imei,imsi"]
    assert changed(0)[1:] == [f"added,{imei(1).digits},{SECOND}"]


def test_a_new_sim_takes_the_place_of_the_old_one() -> None:
    paired(1)
    issued()
    report_line(
        number(1), Imsi("111010000000077"), plmns=(PLMN,), actor=speaks_for(Role.OPERATOR), at=timezone.now()
    )
    assert issued() == 1
    assert changed(1)[1:] == [f"removed,{imei(1).digits},{FIRST}", f"added,{imei(1).digits},111010000000077"]


def test_stolen_equipment_is_no_exception_until_it_is_found() -> None:
    pairing = paired(1)
    Pairing.objects.filter(pk=pairing.pk).update(imei=ONE.number)
    issued()
    assert ONE.digits in whole()
    case = blocked_case("station-1")
    assert issued() == 1
    assert whole() == "imei,imsi\n"
    recover(case, reason="found", actor=police(), at=timezone.now())
    restore(case, reason="fetched", actor=police(), at=timezone.now())
    assert issued() == 1
    assert ONE.digits in whole()


def test_an_edition_that_is_not_there_or_whose_number_was_shredded_is_gone() -> None:
    missing = call("GET", "exceptions", bearer(Role.OPERATOR))
    assert (missing.status_code, missing.json()["code"]) == (404, "edition_unknown")
    paired(1)
    issued()
    paired(2)
    Pairing.objects.filter(because="pair_code:1").update(state="released", ended_at=timezone.now())
    issued()
    token = bearer(Role.OPERATOR)
    for since in (7, 3):
        gone = call("POST", "exceptions/changes", token, {**BASIS, "since": since})
        assert (gone.status_code, gone.json()["code"]) == (409, "edition_gone")
    at = timezone.now()
    Sim.objects.filter(line__pairings__because="pair_code:1").update(ended_at=at, imsi=None, imsi_key=None)
    gone = call("POST", "exceptions/changes", token, {**BASIS, "since": 1})
    assert gone.json()["code"] == "edition_gone"
    assert SECOND in whole()


def test_old_editions_are_forgotten_with_what_only_they_had() -> None:
    paired(1)
    issued()
    Pairing.objects.update(state="released", ended_at=timezone.now())
    issued()
    assert forget_exceptions(timezone.now() + timedelta(days=91)) == 1
    assert (ExceptionEdition.objects.count(), ExceptionEntry.objects.count()) == (1, 0)
    assert whole() == "imei,imsi\n"


def test_exceptions_are_signed_as_something_else_than_lists(tmp_path: Path, settings: Any) -> None:
    settings.CEIR_SIGNING_KEY = tmp_path / "signing.pem"
    own = create_signing_key(settings.CEIR_SIGNING_KEY)
    write_public_key(own.public_key(), tmp_path / "public")
    (key,) = load_trusted_keys(tmp_path / "public").values()
    paired(1)
    issued()
    told = call("GET", "exceptions", bearer(Role.OPERATOR)).json()
    lines = ["ceir-exceptions-1", "operator", "1", told["made_at"][:10], told["sha256"]]
    key.verify(base64.b64decode(told["signature"]), "".join(f"{text}\n" for text in lines).encode())


@pytest.mark.django_db(transaction=True)
def test_of_issues_at_once_one_makes_the_edition_of_exceptions() -> None:
    need_postgresql()
    paired(1)
    at = timezone.now()
    made = at_once(*[lambda: issue_exceptions("operator", actor=SYSTEM, at=at)] * 4)
    assert sorted(type(one).__name__ for one in made) == ["ExceptionEdition", *["NoneType"] * 3]
    assert whole() == f"imei,imsi\n{imei(1).digits},{FIRST}\n"
