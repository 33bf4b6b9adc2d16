"""Blocks that come step by step: who comes when, what stops them, and that the oracle says the same."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from building import Register, compact
from ceir.errors import UsageError
from ceir.pipeline.catalogue import Run
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.explaining import explain
from ceir.pipeline.release.ordering import ReleaseOrderError, order, standings
from oracle import Inputs, Verdict, load, verdicts
from oracle.outcomes import Pause, released_on

from .conditions import BARRED, HEAD, STOLEN, WATCHED
from .expecting import published_lists, rules_of

D = date(2026, 3, 1)
DUE = D + timedelta(days=30)
TOLD = ("notifications", "operator1")
KEY = "abcdefgh12345678"
IMEIS = [f"3510000100{n:04d}" for n in range(40)]
STEPS = ((0, "0.2"), (7, "0.5"), (14, "1"))

RELEASE = f"""
[release]
key = "{KEY}"
[release.conditions.barred]
steps = [{", ".join(f"{{ day = {day}, share = {share} }}" for day, share in STEPS)}]
"""
WIDE = BARRED + "max_match_ratio = 1.0\n"


def policy(*parts: str) -> str:
    return 'mode = "permissive"\n' + HEAD + "".join(parts)


def country(root: Path, *parts: str) -> Register:
    """Forty barred devices, and one that is nobody's business."""
    register = Register.make(root, policy(WIDE, *parts))
    used = [
        f"{compact(D)},{imei},11101{n:010d},22{n:010d},006"
        for n, imei in enumerate([*IMEIS, "35100001999999"])
    ]
    register.take("observations", used, D, operator="operator1")
    register.take("barred", IMEIS, D)
    return register


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Register]:
    return lambda *parts, root="register": country(tmp_path / root, *parts)


def blocked(register: Register) -> set[str]:
    return {row[0] for row in register.rows("blocked")}


def expected_day(imei: str, pauses: tuple[Pause, ...] = ()) -> date | None:
    """The day on which a device due on `DUE` is blocked, as the independent recomputation says."""
    return released_on(KEY, STEPS, imei, DUE, pauses)


def give(register: Register, what: str, release: str = "barred", on: date = DUE) -> None:
    order(
        register.workspace,
        what,  # type: ignore[arg-type]  # one of its words
        release,
        today=on,
        at=datetime(on.year, on.month, on.day, tzinfo=UTC),
        by="A. Officer",
        because="to see",
    )


def test_the_share_grows_by_the_steps_and_who_is_out_stays_out(make: Callable[..., Register]) -> None:
    register = make(RELEASE)
    register.run(D)
    told = {(row[0], row[3]) for row in register.rows(TOLD)}
    days = {imei: expected_day(imei) for imei in IMEIS}
    assert told == {(imei, compact(day)) for imei, day in days.items() if day is not None}
    assert len(set(days.values())) == len(STEPS), "some come with every step, or this test shows nothing"
    out: set[str] = set()
    for wait in (0, 6, 7, 13, 14, 60):
        day = DUE + timedelta(days=wait)
        register.run(day)
        now = blocked(register)
        assert now == {imei for imei, comes in days.items() if comes is not None and comes <= day}
        assert out <= now
        waiting = {(row[0], row[3]) for row in register.rows(TOLD)}
        assert {imei for imei, _ in waiting} <= set(IMEIS) - now
        # the day that was told first is still the day
        assert waiting <= told
        out = now
    assert out == set(IMEIS)


def test_the_independent_recomputation_gives_the_same_lists(make: Callable[..., Register]) -> None:
    register = make(WATCHED, RELEASE)
    files = register.root.with_name(f"{register.root.name}-files")
    seen, barred = next(files.rglob("operator1_*.csv")), next(files.rglob("barred.csv"))
    world = load(Inputs([("operator1", seen)], None, {"barred": barred}))
    rules = {"lists": {"look_back_days": 180}} | rules_of(register.root / "policy.toml")
    held: list[Verdict] = []
    for day in (D, DUE, DUE + timedelta(days=7), DUE + timedelta(days=14)):
        register.run(day)
        held = verdicts(world, rules, day, held, D)
        for name, rows in published_lists(world, rules, day, held).items():
            assert register.rows(name) == rows, (day, name)


def test_the_same_inputs_policy_and_day_give_the_same_bytes(make: Callable[..., Register]) -> None:
    one, two = make(RELEASE), make(RELEASE, root="other")
    for day in (D, DUE, DUE + timedelta(days=8)):
        one.run(day)
        two.run(day)
        assert one.list_bytes() == two.list_bytes()
    folder = one.workspace.path(one.workspace.catalogue().runs[-1].publications[0].path)
    told = json.loads((folder / "manifest.json").read_text())["release"]
    assert told["staged_by"] == "pipeline"
    assert told["key_sha256"] == hashlib.sha256(KEY.encode()).hexdigest()
    assert [c["condition"] for c in told["conditions"]] == ["barred"]
    assert KEY not in (folder / "manifest.json").read_text()


def test_where_the_register_stages_the_pipeline_blocks_all_at_once(make: Callable[..., Register]) -> None:
    plain, left = (
        make(),
        make(RELEASE.replace("[release]", '[release]\nstaged_by = "register"'), root="other"),
    )
    for register in (plain, left):
        register.run(D)
        register.run(DUE)
    assert plain.list_bytes() == left.list_bytes()
    assert blocked(left) == set(IMEIS)


def test_another_condition_blocks_at_once_whatever_the_steps_of_the_first(
    make: Callable[..., Register],
) -> None:
    register = make(STOLEN + "max_match_ratio = 1.0\n", RELEASE)
    register.take("stolen", [f"{imei},," for imei in IMEIS[:5]], D)
    register.run(D)
    assert blocked(register) == set(IMEIS[:5])


def test_an_undo_gives_the_lists_of_a_release_that_never_let_anything_out(
    make: Callable[..., Register],
) -> None:
    undone, never = make(WATCHED, RELEASE), make(WATCHED, RELEASE, root="other")
    for register in (undone, never):
        register.run(D)
    give(never, "undo", on=D)
    day = DUE + timedelta(days=7)
    for register in (undone, never):
        register.run(DUE)
        register.run(day)
    assert 0 < len(blocked(undone)) < len(IMEIS)
    give(undone, "undo", on=day)
    undone.run(day)
    for name in never.list_names():
        assert undone.list_file(name).read_bytes() == never.list_file(name).read_bytes(), name
    assert blocked(undone) == set()
    assert {row[0] for row in undone.rows("tracked")} == set(IMEIS)
    with pytest.raises(ReleaseOrderError):
        give(undone, "undo", on=day)


def test_a_stop_keeps_what_is_out_and_a_resume_goes_on_where_it_stood(make: Callable[..., Register]) -> None:
    register = make(RELEASE)
    register.run(D)
    register.run(DUE)
    first = blocked(register)
    give(register, "stop")
    register.run(DUE)
    assert blocked(register) == first
    assert register.rows(TOLD) == []
    later = DUE + timedelta(days=20)
    register.run(later)
    assert blocked(register) == first
    assert {row[0] for row in register.rows("tracked")} == set(IMEIS) - first
    give(register, "resume", on=later)
    register.run(later)
    pause = (Pause(DUE + timedelta(days=1), later + timedelta(days=1)),)
    for wait in (0, 7, 14):
        day = later + timedelta(days=wait)
        register.run(day)
        wanted = {imei for imei in IMEIS if (comes := expected_day(imei, pause)) is not None and comes <= day}
        assert blocked(register) == wanted
        assert {row[0] for row in register.rows(TOLD)} == set(IMEIS) - wanted
    assert blocked(register) == set(IMEIS)
    with pytest.raises(ReleaseOrderError):
        give(register, "resume", on=later)


def test_one_release_is_undone_and_the_others_go_on(make: Callable[..., Register]) -> None:
    register = make(RELEASE)
    late = "35100001000999"
    register.run(D)
    register.take("barred", [*IMEIS, late], D + timedelta(days=1))
    register.run(D + timedelta(days=1))
    day = DUE + timedelta(days=40)
    register.run(day)
    assert blocked(register) == {*IMEIS, late}
    give(register, "undo", f"barred@{DUE}", on=day)
    register.run(day)
    assert blocked(register) == {late}


@pytest.mark.parametrize("signal", ["appeals", "complaints", "sightings"])
def test_a_limit_stops_the_release_and_nothing_more_follows(
    make: Callable[..., Register], signal: str
) -> None:
    register = make(RELEASE + f"stop_above_{signal}_per_1000 = 300\ntolerated = 1\n")
    register.run(D)
    register.run(DUE)
    out = sorted(blocked(register))
    day = DUE + timedelta(days=7)
    enough = out[: len(out) // 2]
    if signal == "appeals":
        register.take("appeals", [f"{imei},barred" for imei in enough], day)
    elif signal == "complaints":
        register.take("complaints", [f"{imei},{compact(day)}" for imei in enough], day)
    else:
        rows = [f"{compact(day)},{imei},111010000000077,220000000077,006" for imei in enough]
        register.take("observations", rows, day, operator="operator1")
    register.run(day)
    state = last_run(register).releases[0]
    assert state.signals == {signal: len(enough)}
    assert state.pauses[0].from_day == DUE + timedelta(days=1)
    restored = set(enough) if signal == "appeals" else set()
    assert blocked(register) == set(out) - restored
    register.run(DUE + timedelta(days=50))
    assert blocked(register) == set(out) - restored
    give(register, "resume", on=DUE + timedelta(days=50))
    register.run(DUE + timedelta(days=50))
    register.run(DUE + timedelta(days=80))
    assert blocked(register) == set(IMEIS) - restored


def test_few_signs_and_signs_about_others_stop_nothing(make: Callable[..., Register]) -> None:
    register = make(RELEASE + "stop_above_complaints_per_1000 = 0\ntolerated = 2\n")
    register.run(D)
    register.run(DUE)
    out = sorted(blocked(register))
    waiting = sorted(set(IMEIS) - set(out))
    day = DUE + timedelta(days=7)
    told = [f"{imei},{compact(day)}" for imei in (*out[:2], *waiting[:9], "35100001999999")]
    before = [f"{imei},{compact(D)}" for imei in out]
    register.take("complaints", [*told, *before], day)
    register.run(day)
    assert last_run(register).releases[0].pauses == ()
    assert len(blocked(register)) > len(out)


def test_golden_equipment_is_spared_while_its_release_is_stopped(make: Callable[..., Register]) -> None:
    register = make(RELEASE)
    register.take("golden", IMEIS[:1], D)
    register.run(D)
    register.run(DUE)
    give(register, "undo")
    register.run(DUE)
    assert IMEIS[0] not in {row[0] for row in register.rows("tracked")}


def test_where_it_stands_is_told_for_each_release_and_each_device(make: Callable[..., Register]) -> None:
    register = make(RELEASE)
    register.run(D)
    register.run(DUE)
    engine = DuckEngine(register.limits)
    try:
        run, _, found = standings(register.workspace, engine)
        waits = next(imei for imei in IMEIS if expected_day(imei) == DUE + timedelta(days=7))
        told = explain(register.workspace, waits, engine)
    finally:
        engine.close()
    assert run is not None
    (one,) = found
    assert (one.name, one.state, one.next_on) == (f"barred@{DUE}", "growing", DUE + timedelta(days=7))
    assert one.out + one.ahead == len(IMEIS)
    assert told.outcome == "notified"
    assert told.verdicts[0].block_on == DUE + timedelta(days=7)


@pytest.mark.parametrize("name", ["", "barred@", "barred@2026-02-30", "barred;", "stolen", "a b", "barred@x"])
def test_what_is_no_release_is_refused(make: Callable[..., Register], name: str) -> None:
    register = make(RELEASE)
    with pytest.raises(UsageError):
        give(register, "stop", name)
    assert register.workspace.catalogue().release_orders == ()


def last_run(register: Register) -> Run:
    return register.workspace.catalogue().runs[-1]
