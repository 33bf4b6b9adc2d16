"""Nobody is woken: quiet hours by the clock on the wall, over midnight and when clocks are changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceir.registry.notices.terms import NoticeTermsError, QuietHours

NIGHT = QuietHours.of(time(21), time(8), "Africa/Nairobi")
"""Three hours before UTC all year."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-11-22 17:59", False), ("2026-11-22 18:00", True), ("2026-11-22 21:30", True),
        ("2026-11-23 04:59", True), ("2026-11-23 05:00", False), ("2026-11-22 09:00", False),
    ],
)  # fmt: skip
def test_a_night_goes_over_midnight(moment: str, quiet: bool) -> None:
    assert NIGHT.covers(at(moment)) is quiet


def test_what_comes_at_night_waits_for_the_morning() -> None:
    assert NIGHT.next_allowed(at("2026-11-22 20:13")) == at("2026-11-23 05:00")
    assert NIGHT.next_allowed(at("2026-11-23 04:59")) == at("2026-11-23 05:00")
    assert NIGHT.next_allowed(at("2026-11-22 12:00")) == at("2026-11-22 12:00")


def test_a_pause_at_noon_does_not_go_over_midnight() -> None:
    noon = QuietHours.of(time(12), time(14), "Africa/Cairo")  # two hours before UTC in winter
    hours = ("09:59", "10:00", "11:59", "12:00", "23:00")
    assert [noon.covers(at(f"2026-01-10 {h}")) for h in hours] == [False, True, True, False, False]


def test_the_same_time_twice_means_no_quiet_hours() -> None:
    never = QuietHours.of(time(8), time(8), "UTC")
    assert not any(never.covers(at("2026-11-22 00:00") + timedelta(minutes=n)) for n in range(1440))


@pytest.mark.parametrize(
    ("zone", "moment", "morning"),
    [
        # The night in which clocks are put forward is shorter, the one in which they are put back longer.
        ("Europe/Paris", "2026-03-28 22:00", "2026-03-29 06:00"),
        ("Europe/Paris", "2026-03-27 22:00", "2026-03-28 07:00"),
        ("Europe/Paris", "2026-10-24 22:00", "2026-10-25 07:00"),
        ("Europe/Paris", "2026-10-23 22:00", "2026-10-24 06:00"),
        # Here by half an hour.
        ("Australia/Lord_Howe", "2026-04-04 12:00", "2026-04-04 21:30"),
        ("Australia/Lord_Howe", "2026-10-03 12:00", "2026-10-03 21:00"),
    ],
)
def test_the_clock_on_the_wall_counts_when_it_is_changed(zone: str, moment: str, morning: str) -> None:
    night = QuietHours.of(time(21), time(8), zone)
    found = night.next_allowed(at(moment))
    assert found == at(morning)
    assert found.astimezone(ZoneInfo(zone)).time() == time(8)


def test_quiet_hours_that_end_in_the_hour_that_there_is_not_end_after_it() -> None:
    night = QuietHours.of(time(22), time(2, 30), "Europe/Paris")
    assert night.next_allowed(at("2026-03-29 00:00")) == at("2026-03-29 01:00")  # 02:00 became 03:00


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    night = QuietHours.of(time(22), time(2, 30), "Europe/Paris")
    assert [night.covers(at(f"2026-10-25 {m}")) for m in ("00:15", "00:45", "01:15", "01:45")] == [
        True, False, True, False
    ]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    begin=st.times(), end=st.times(),
    zone=st.sampled_from(
        ["UTC", "Africa/Cairo", "Asia/Kathmandu", "Europe/Paris", "Pacific/Apia", "Africa/Casablanca"]
    ),
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - made aware below
)  # fmt: skip
def test_the_next_moment_allowed_is_allowed_not_before_and_within_a_day(
    begin: time, end: time, zone: str, moment: datetime
) -> None:
    quiet = QuietHours.of(begin, end, zone)
    aware = moment.replace(tzinfo=UTC)
    found = quiet.next_allowed(aware)
    assert not quiet.covers(found)
    assert timedelta(0) <= found - aware <= timedelta(hours=26)


def test_the_day_is_the_local_one() -> None:
    assert NIGHT.today(at("2026-11-22 21:30")) == date(2026, 11, 23)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(NoticeTermsError):
        QuietHours.of(time(21), time(8), zone)
