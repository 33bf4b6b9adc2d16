"""The days on which blocks come, over drawn steps and pauses: as the independent recomputation counts "
"them."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceir.clock import day_number, day_of
from ceir.pipeline.catalogue import Pause, ReleaseState
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.release.dating import name_staged
from ceir.policy.loading import PolicyError, parse_policy
from oracle.outcomes import Pause as Wait
from oracle.outcomes import released_on

from .conditions import BARRED, HEAD

DUE = date(2026, 5, 1)
KEY = "drawn-by-hypothesis"
IMEIS = [35100001000000 + n * 137 for n in range(120)]
OFFSETS = (0, 3)
"""Days after `DUE` on which equipment becomes due: one and another release."""

Steps = list[tuple[int, Decimal]]
Drawn = tuple[int | None, int | None, int | None]
"""A pause: first day, first day after it, and the release that it is for, as days after `DUE`."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    made = DuckEngine(Limits(tmp_path_factory.mktemp("engine"), 1))
    rows = ", ".join(
        f"({imei}, 'barred', {day_number(DUE) + OFFSETS[n % 2]})" for n, imei in enumerate(IMEIS)
    )
    made.table("verdicts", f"SELECT * FROM (VALUES {rows}) AS v(imei, condition, block_on)")
    made.view("malformed", "SELECT CAST(NULL AS BIGINT) AS imei, CAST(NULL AS VARCHAR) AS text WHERE 1 = 0")
    yield made
    made.close()


def days_of(engine: DuckEngine, steps: Steps, pauses: list[Drawn], key: str = KEY) -> dict[int, date | None]:
    """The day of each device."""
    shown = ", ".join(f"{{ day = {day}, share = {share} }}" for day, share in steps)
    text = HEAD + BARRED + f'[release]\nkey = "{key}"\n[release.conditions.barred]\nsteps = [{shown}]\n'

    def at(offset: int | None) -> date | None:
        return None if offset is None else DUE + timedelta(days=offset)

    made = tuple(Pause(from_day=at(first), until=at(until), due=at(due)) for first, until, due in pauses)
    name_staged(engine, parse_policy(text, "drawn"), (ReleaseState(condition="barred", pauses=made),))
    rows = engine.rows("SELECT imei, release_on FROM staged")
    return {int(str(i)): day_of(int(str(d))) if d is not None else None for i, d in rows}


@st.composite
def drawn_steps(draw: st.DrawFn) -> Steps:
    count = draw(st.integers(1, 4))
    days = sorted(draw(st.sets(st.integers(0, 30), min_size=count, max_size=count)))
    shares = sorted(draw(st.sets(st.integers(1, 999), min_size=count - 1, max_size=count - 1)))
    return [(day, Decimal(share) / 1000) for day, share in zip(days, [*shares, 1000], strict=True)]


@st.composite
def drawn_pauses(draw: st.DrawFn) -> list[Drawn]:
    made: list[Drawn] = []
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.none() | st.integers(-5, 40))
        until = draw(st.none() | st.integers((first if first is not None else 0) + 1, 60))
        made.append((first, until, draw(st.sampled_from((None, None, *OFFSETS)))))
    return made


@settings(max_examples=60, deadline=None)
@given(drawn_steps(), drawn_pauses())
def test_every_device_comes_on_the_day_that_counting_days_gives(
    engine: DuckEngine, steps: Steps, pauses: list[Drawn]
) -> None:
    found = days_of(engine, steps, pauses)
    for number, imei in enumerate(IMEIS):
        offset = OFFSETS[number % 2]
        waits = [
            Wait(
                None if first is None else DUE + timedelta(days=first),
                None if until is None else DUE + timedelta(days=until),
            )
            for first, until, due in pauses
            if due in (None, offset)
        ]
        assert found[imei] == released_on(KEY, steps, f"{imei:014d}", DUE + timedelta(days=offset), waits)


@settings(max_examples=30, deadline=None)
@given(drawn_steps())
def test_the_share_that_is_out_only_grows_and_ends_with_all(engine: DuckEngine, steps: Steps) -> None:
    found = days_of(engine, steps, [])
    out = [
        {imei for imei, day in found.items() if day is not None and day <= DUE + timedelta(days=wait)}
        for wait in range(40)
    ]
    assert all(before <= after for before, after in pairwise(out))
    assert out[-1] == set(IMEIS)


@settings(max_examples=30, deadline=None)
@given(drawn_steps(), st.integers(1, 999))
def test_who_is_out_with_a_smaller_share_is_out_with_a_larger_one(
    engine: DuckEngine, steps: Steps, share: int
) -> None:
    last = steps[-1][0] + 1
    small, large = (
        days_of(engine, [(0, Decimal(part) / 1000), (last, Decimal(1))], [])
        for part in (share, min(share + 1, 999))
    )
    assert all(large[imei] <= day for imei, day in small.items() if day is not None)  # type: ignore[operator]


def test_another_key_puts_equipment_in_another_order(engine: DuckEngine) -> None:
    steps = [(0, Decimal("0.5")), (10, Decimal(1))]
    one, same, other = (days_of(engine, steps, [], key) for key in (KEY, KEY, "sixteen-characters"))
    assert one == same != other
    early = sum(day is not None and day <= DUE + timedelta(days=9) for day in one.values())
    assert 0.3 < early / len(IMEIS) < 0.7


@pytest.mark.parametrize(
    "release",
    [
        'key = "short"\n[release.conditions.barred]\nsteps = [{ day = 0, share = 1 }]',
        "[release.conditions.barred]\nsteps = [{ day = 0, share = 1 }]",
        'key = "it\'s-quoted-0123456"\n[release.conditions.barred]\nsteps = [{ day = 0, share = 1 }]',
        f'key = "{KEY}"\n[release.conditions.barred]\nsteps = []',
        f'key = "{KEY}"\n[release.conditions.barred]\nsteps = [{{ day = 0, share = 0.5 }}]',
        f'key = "{KEY}"\n[release.conditions.barred]\nsteps = [{{ day = 3, share = 0.5 }}, '
        f"{{ day = 3, share = 1 }}]",
        f'key = "{KEY}"\n[release.conditions.barred]\nsteps = [{{ day = 1, share = 1 }}, '
        f"{{ day = 3, share = 1 }}]",
        f'key = "{KEY}"\n[release.conditions.nobody]\nsteps = [{{ day = 0, share = 1 }}]',
        f'key = "{KEY}"\nstaged_by = "both"',
    ],
)
def test_steps_that_cannot_be_are_refused(release: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(HEAD + BARRED + f"[release]\n{release}\n", "drawn")
