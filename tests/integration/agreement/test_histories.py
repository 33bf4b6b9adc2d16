"""Whatever happens to a register, its verdicts and lists are those of one that is told it all afresh."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from building import Register
from ceir.clock import day_number
from ceir.pipeline.catalogue import Publication
from ceir.pipeline.catalogue import Run as RunRecord
from ceir.pipeline.classify import running
from ceir.pipeline.classify.running import NothingToClassifyError

from .small_worlds import (
    LAST,
    POLICY,
    Event,
    Observe,
    Replace,
    Run,
    apply,
    histories,
    observes,
    rows_of_a_file,
)

START = date(2026, 2, 5)
"""Day of the first run: some observations lie ahead, and reach into windows as days pass."""

Rows = list[tuple[str, ...]]
History = tuple[list[Event], list[tuple[list[Event], Run]]]


def often(examples: int) -> settings:
    """The same examples each time: a failure means that a change made it.

    Shrinking a history takes minutes; who hunts a failure adds `Phase.shrink`.
    """
    return settings(
        phases=(Phase.explicit, Phase.generate),
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture(autouse=True)
def always_carry_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small world nearly everything changes; look at only the changed all the same."""
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)


@contextmanager
def registers() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ceir-history-") as folder:
        yield Path(folder)


def table(register: Register, run: RunRecord, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = (
        ds.dataset(register.root / f"runs/{run.id:05d}/{name}").to_table().to_pylist()
    )
    return rows


def outcome(register: Register, run: RunRecord) -> dict[str, object]:
    """All that a run decided, and everything it rests on."""
    devices = register.workspace.catalogue().devices
    assert devices is not None
    return {
        **{name: table(register, run, name) for name in ("verdicts", "ended", "evidence")},
        "devices": ds.dataset(register.root / devices.path).to_table().sort_by("imei").to_pylist(),
        "counts": run.counts,
        "equipment": run.equipment,
        "parent": run.parent,
    }


@given(histories(backwards=True))
@often(6)
def test_looking_at_what_changed_gives_what_looking_at_all_gives(history: History) -> None:
    start, rest = history
    with registers() as folder:
        register = Register.make(folder / "register", POLICY)
        day = START
        for event in start:
            apply(register, event, day)
        register.classify(day)
        for number, (events, run) in enumerate(rest):
            for event in events:
                apply(register, event, day)
            day += timedelta(days=run.later)
            afresh = register.copy(folder / f"afresh-{number}")
            try:
                found = register.classify(day)
            except NothingToClassifyError:
                return
            wanted = afresh.classify(day, full=True)
            assert wanted.mode == "full"
            assert outcome(register, found) == outcome(afresh, wanted)


@given(histories(runs=3), st.integers(0, 10))
@often(3)
def test_a_published_list_and_the_changes_since_make_the_next_one(history: History, chosen: int) -> None:
    start, rest = history
    with registers() as folder:
        register = Register.make(folder / "register", POLICY)
        day = START
        for event in start:
            apply(register, event, day)
        published = [register.run(day).id]
        for events, run in rest:
            for event in events:
                apply(register, event, day)
            day += timedelta(days=run.later)
            now = register.classify(day).id
            if now == published[-1]:
                continue
            assert_adds_up(register, published[-1], now)
            earlier = published[chosen % len(published)]
            if earlier != published[-1]:
                assert_adds_up(register, earlier, now)
            published.append(now)


def assert_adds_up(register: Register, base: int, now: int) -> None:
    """For every list: what the base published, plus the changes, is what is published now."""
    publication = register.publish(base)
    catalogue = register.workspace.catalogue()
    before, after = catalogue.run(base), catalogue.run(now)
    assert before is not None
    assert after is not None
    for name in register.list_names():
        old = register.rows(name, publication=before.publications[0])
        new = register.rows(name, publication=after.publications[0])
        changes = register.rows(name, delta=True, publication=publication)
        header = register.list_file(name, delta=True, publication=publication).open().readline().strip()
        key = 3 if "imsi" in header else 1
        keys = [row[2 : 2 + key] for row in changes]
        assert len(set(keys)) == len(keys), f"{name}: a change comes twice"
        held = {row[:key]: row for row in old}
        for change, reason, *row in changes:
            entry = tuple(row)
            if change == "added":
                assert entry[:key] not in held
                held[entry[:key]] = entry
            elif change == "removed":
                assert held.pop(entry[:key]) == entry
            else:
                assert change == "changed"
                assert held[entry[:key]] != entry
                held[entry[:key]] = entry
            assert reason == reason_of(register, after, name, change, entry), (name, change, entry)
        assert sorted(held.values()) == new, name


ADDED = {"blocked": "blocked", "tracked": "tracked", "permitted": "permitted", "notifications": "new"}
REMOVED = {"blocked": "unblocked", "exceptions": "removed"}


def reason_of(
    register: Register, now: RunRecord, name: str | tuple[str, str], change: str, row: tuple[str, ...]
) -> str:
    """Why a row came or went, from what the other lists say now."""
    kind = name if isinstance(name, str) else name[0]
    if change != "removed":
        return ADDED.get(kind, "added") if change == "added" else "changed"
    lists = now.publications[0]
    if kind in REMOVED:
        return REMOVED[kind]
    if row[0] in {other[0] for other in register.rows("blocked", publication=lists)}:
        return "blocked"
    if kind == "notifications":
        return reason_to_be_silent(register, lists, row)
    return "no_longer_registered" if kind == "permitted" else "resolved"


def reason_to_be_silent(register: Register, lists: Publication, row: tuple[str, ...]) -> str:
    """Why a subscriber is no longer told of equipment that is not blocked."""
    state = register.workspace.catalogue().lists.get("pairings")
    pairs = [] if state is None else ds.dataset(register.root / state.path).to_table().to_pylist()
    if any(f"{pair['imei']:014d}" == row[0] and str(pair["imsi"])[1:] == row[1] for pair in pairs):
        return "paired"
    decisions = ds.dataset(register.root / lists.path / "decisions").to_table().to_pylist()
    notified = {decision["text"] for decision in decisions if decision["outcome"] == "notified"}
    return "no_longer_seen" if row[0] in notified else "resolved"


@given(st.lists(observes, min_size=2, max_size=4), st.data())
@often(3)
def test_the_order_of_files_and_where_they_are_cut_change_nothing(
    files: list[Observe], data: st.DataObject
) -> None:
    start, _ = data.draw(histories())
    lists = [event for event in start if isinstance(event, Replace)]
    cut = data.draw(st.integers(0, len(files[0].rows)))
    halves = [Observe(files[0].operator, part) for part in (files[0].rows[:cut], files[0].rows[cut:]) if part]
    delivered: list[Event] = [*lists, *halves, *files[1:]]
    other = data.draw(st.permutations(delivered))
    day = data.draw(st.sampled_from((START, LAST, date(2026, 3, 1))))
    with registers() as folder:
        exports = []
        told: list[list[Event]] = [[*lists, *files], other]
        for number, events in enumerate(told):
            register = Register.make(folder / f"register-{number}", POLICY)
            for event in events:
                apply(register, event, START)
            register.run(day)
            exports.append((register.export(), register.list_bytes()))
        assert exports[0] == exports[1]


@given(st.data(), rows_of_a_file(), st.sampled_from(("never run", "run once", "run twice")))
@often(4)
def test_after_an_undo_it_is_as_if_the_file_had_never_come_but_for_what_rested_on_it(
    data: st.DataObject, wrong: list[str], seen: str
) -> None:
    start, _ = data.draw(histories())
    more = data.draw(st.lists(observes, max_size=1))
    runs = (
        [START] if seen == "run once" else [START, START + timedelta(days=6)] if seen == "run twice" else []
    )
    last = START + timedelta(days=data.draw(st.integers(6, 20)) + 1)
    with registers() as folder:
        told, never = Register.make(folder / "told", POLICY), Register.make(folder / "never", POLICY)
        for register in (told, never):
            for event in start:
                apply(register, event, START)
        for register in (told, never):
            register.classify(START - timedelta(days=3))
        mistake = told.take("observations", wrong, LAST, operator="operator2")
        older: set[object] = set()
        for day in runs:
            of_the_day = told.classify(day)
            older = _older(table(told, of_the_day, "verdicts"), runs[0])
            never.classify(day)
        for register in (told, never):
            for event in more:
                apply(register, event, START)
        if mistake.id in {i.id for i in told.workspace.catalogue().live}:
            told.undo(mistake)
        found, wanted = told.classify(last), never.classify(last)
        assert told.workspace.catalogue().devices is not None
        spoken_of = _equipment(told, wrong)
        expected = []
        for verdict in table(never, wanted, "verdicts"):
            key = verdict["imei"], verdict["condition"]
            if not runs or verdict["imei"] not in spoken_of or key in older:
                expected.append(verdict)
            # it began with the file, or the file ended it, as when it let the equipment be seen too early
            elif verdict["matching"]:  # else it only stuck, and nobody can say any more to what
                expected.append({**verdict, "first_matched_on": day_number(last), "block_on": ...})
        got = table(told, found, "verdicts")
        assert [_but(v, "block_on") for v in got] == [_but(v, "block_on") for v in expected]
        for mine, theirs in zip(got, expected, strict=True):
            assert theirs["block_on"] is ... or mine["block_on"] == theirs["block_on"]
        if not runs:
            assert outcome(told, found) == outcome(never, wanted)


def _equipment(register: Register, rows: list[str]) -> set[object]:
    """Keys of the equipment that rows of observations speak of."""
    texts = {row.split(",")[1] for row in rows}
    malformed = {
        row["text"]: row["imei"]
        for i in register.workspace.catalogue().live
        for path in i.files.get("malformed", ())
        for row in ds.dataset(register.root / path).to_table().to_pylist()
    }
    return {int(t) if len(t) == 14 and t.isdigit() else malformed.get(t) for t in texts}


def _older(verdicts: list[dict[str, object]], day: date) -> set[object]:
    """Those that began before a day, by equipment and condition."""
    began = day_number(day)
    return {(v["imei"], v["condition"]) for v in verdicts if int(str(v["first_matched_on"])) < began}


def _but(row: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in row.items() if key != name}
