"""The stolen list as the pipeline takes it in: a case all the way to the lists of networks, and back."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from lost import ONE, TWO, accept, in_state, police, reported, said, verified
from people import NOW

from building import Register
from ceir.identifiers import Imei
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.exporting import rows
from ceir.registry.cases.leaving import recover, withdraw
from ceir.registry.cases.reporting import report
from ceir.registry.cases.states import Mode, State
from ceir.registry.exports import all_exports, write_exports
from ceir.sources import source_named

POLICY = """
name = "listed"
version = 1
mode = "permissive"

[country]
name = "Listed"
country_codes = ["22"]

[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]

[conditions.stolen]
title = "Stolen or lost"
all = [{ rule = "stolen_local" }]
reason = "Reported stolen or lost"
blocking = true
grace_days = 0
max_match_ratio = 1.0
"""


def test_the_list_has_the_columns_of_its_source() -> None:
    export = all_exports()["stolen"]
    assert export.header == tuple(field.headers[0] for field in source_named("stolen").fields)


EXPECTED = {
    State.REPORTED: "pending",
    State.VERIFIED: "pending",
    State.BLOCKED: "",
    State.SEEN: "",
    State.RECOVERED: "recovered",
}


@pytest.mark.parametrize("state", State)
def test_a_device_is_on_the_list_with_what_its_case_says(state: State) -> None:
    in_state(Mode.BLOCK, state)
    day = f"{NOW:%Y%m%d}"
    status = EXPECTED.get(state)
    expected = [] if status is None else [(imei.digits, day, status) for imei in (ONE, TWO)]
    assert list(rows(NOW)) == expected


def test_the_list_is_sorted_and_has_each_device_once_with_its_first_report() -> None:
    zero = Imei("01234508000001")
    verified(imeis=(TWO, zero), at=NOW)
    late = NOW + timedelta(days=2)
    accept(reported(by=police("p2"), imeis=(ONE, TWO), at=late), late)
    assert list(rows(late)) == [
        (zero.digits, f"{NOW:%Y%m%d}", "pending"),
        (ONE.digits, f"{late:%Y%m%d}", ""),
        (TWO.digits, f"{late:%Y%m%d}", ""),  # the report that blocks it, not the one that waits
    ]


def test_a_case_reaches_the_networks_and_leaves_them(tmp_path: Path) -> None:
    register = Register.make(tmp_path / "country", POLICY)
    day = date(2026, 11, 22)

    def blocked_in_networks(at) -> set[str]:  # type: ignore[no-untyped-def]
        nonlocal day
        write_exports(tmp_path / "lists", at)
        register.deliver("stolen", tmp_path / "lists" / "stolen.csv", day)
        register.run(day)
        day += timedelta(days=1)
        return {row[0] for row in register.rows("blocked")}

    register.take("observations", [f"20261101,{ONE.digits},111010000000001,220000000001,006"], day,
                  operator="operator1")  # fmt: skip
    reported(by=police("p2"), imeis=(Imei("35674108000009"),))
    reported(by=police("p3"), mode=Mode.RECOVERY, imeis=(Imei("35674108000008"),))
    assert blocked_in_networks(NOW) == set()
    case = reported()
    accept(case)
    assert blocked_in_networks(NOW) == {ONE.digits, TWO.digits}
    recover(case.pk, reason="raid", actor=police(), at=NOW)
    assert blocked_in_networks(NOW) == set()
    policy = ProvisionalBlock(hours=24)
    other = report(said(imeis=(Imei("35674108000007"),)), actor=police("p5"), at=NOW, provisional=policy)
    assert blocked_in_networks(NOW) == {"35674108000007"}
    assert blocked_in_networks(NOW + timedelta(hours=24)) == set()
    assert blocked_in_networks(NOW) == {"35674108000007"}
    withdraw(other.pk, reason="found", actor=police("p5"), at=NOW)
    assert blocked_in_networks(NOW) == set()
