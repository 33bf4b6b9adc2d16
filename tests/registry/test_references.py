"""Reference lists taken over: whole, or not at all."""

from datetime import date
from pathlib import Path

import pytest
from people import NOW, actor

from ceir.identifiers import Tac
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.references.taking import ReferenceListError, model_of, take_observed, take_tacs

HEAD = (
    "TAC|Marketing Name|Manufacturer|Bands|Allocation Date|Brand Name|Model Name|Device Type|SIMSlot"
    "|Country\n"
)
ROW = "35675904|One|Oppo|LTE|05-Mar-2019|Oppo|N1|Smartphone|2|Examplia\n"


def file(tmp_path: Path, text: str) -> Path:
    made = tmp_path / "tac.txt"
    made.write_text(text, encoding="utf-8")
    return made


def test_a_list_of_models_is_taken_over_with_all_its_columns(tmp_path: Path) -> None:
    assert take_tacs(file(tmp_path, HEAD + ROW), actor=SYSTEM, at=NOW) == 1
    found = TacRecord.objects.get(pk=35675904)
    assert (found.manufacturer, found.model_name, found.sim_slots) == ("Oppo", "N1", 2)
    assert (found.allocated_on, found.further) == (date(2019, 3, 5), {"country": "Examplia"})
    model = model_of(Tac("35675904"))
    assert model is not None
    assert (model.name, model.sim_slots) == ("N1", 2)
    assert model_of(Tac("35675905")) is None
    assert Entry.objects.filter(action="reference.taken").count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        "TAC|Manufacturer\n35675904|Oppo\n",
        HEAD + ROW + ROW,
        HEAD + "3567590|One|Oppo|LTE|05-Mar-2019|Oppo|N1|Smartphone|2|E\n",
        HEAD + "35675904|One|Oppo\n",
        HEAD + "35675904|One|Oppo|LTE|2019-03-05|Oppo|N1|Smartphone|2|E\n",
        HEAD + f"35675904|One|Oppo|{'x' * 20001}|05-Mar-2019|Oppo|N1|Smartphone|2|E\n",
    ],
)
def test_what_is_no_list_is_refused_and_the_one_before_stays(text: str, tmp_path: Path) -> None:
    take_tacs(file(tmp_path, HEAD + ROW), actor=SYSTEM, at=NOW)
    with pytest.raises(ReferenceListError):
        take_tacs(file(tmp_path, text), actor=SYSTEM, at=NOW)
    assert TacRecord.objects.count() == 1


def test_a_list_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "tac.txt"
    made.write_bytes(HEAD.encode() + b"\xff\xfe")
    with pytest.raises(ReferenceListError):
        take_tacs(made, actor=SYSTEM, at=NOW)


def test_days_are_replaced_as_a_whole() -> None:
    days = (date(2026, 1, 2), date(2026, 3, 4))
    assert take_observed([(35675904000001, *days), (-7, *days)], actor=SYSTEM, at=NOW) == 2
    assert take_observed([(35675904000002, *days)], actor=SYSTEM, at=NOW) == 1
    assert Observed.objects.values_list("imei", "first_seen", "last_seen").get() == (35675904000002, *days)
    with pytest.raises(ReferenceListError):
        take_observed([(1, *days), (1, *days)], actor=SYSTEM, at=NOW)
    assert Observed.objects.count() == 1


def test_only_who_takes_runs_over_takes_lists_over(tmp_path: Path) -> None:
    with pytest.raises(PermissionDeniedError):
        take_tacs(file(tmp_path, HEAD + ROW), actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(PermissionDeniedError):
        take_observed([], actor=actor(Role.OPERATOR), at=NOW)
