"""Sightings are kept event by event, by month."""

from .conftest import Desk

HEADER = "imei,imsi,cell,started_at,ended_at\n"
NAME = "operator3_region_20260930_20261031.csv"
START = 1759190400 + 365 * 86400  # 2026-09-30T00:00:00Z


def test_each_distinct_event_is_kept_in_the_month_in_which_it_started(desk: Desk) -> None:
    text = HEADER + (
        "35675904000001,011010000000001,Cell A,2026-09-30T23:59:59Z,2026-10-01T00:10:00Z\n"
        "356759040000018,011010000000001,Cell A,2026-09-30 23:59:59,2026-10-01 00:10:00\n"
        "ABC,111010000000002,Ç-2,2026-10-01T00:00:00Z,2026-10-01T00:00:00Z\n"
        "35675904000001,011010000000001,Cell B,2026-09-30T23:59:59Z,2026-10-01T00:10:00Z\n"
    )
    taken = desk.strictly("sightings", text, name=NAME)
    counts = taken.counts
    assert (counts.read, counts.kept, counts.folded, counts.stored) == (4, 3, 1, 3)
    assert taken.months == (202609, 202610)
    ((key, word, tac, body),) = desk.malformed(taken)
    assert (word, tac, body) == ("ABC", None, None)
    first = (START + 86399, START + 87000)
    assert desk.rows(taken, "operator, imei, imsi, cell, started_at, ended_at") == [
        ("operator3", key, 1111010000000002, "Ç-2", START + 86400, START + 86400),
        ("operator3", 35675904000001, 1011010000000001, "Cell A", *first),
        ("operator3", 35675904000001, 1011010000000001, "Cell B", *first),
    ]


def test_every_value_of_a_sighting_is_needed_and_a_moment_is_a_whole_moment(desk: Desk) -> None:
    start, end = "2026-10-05T08:00:00Z", "2026-10-05T08:05:00Z"
    rows = [
        f",111010000000001,A,{start},{end}",
        f"35675904000001,,A,{start},{end}",
        f"35675904000001,111010000000001,,{start},{end}",
        f"35675904000001,111010000000001,A,,{end}",
        f"35675904000001,111010000000001,A,{start},",
        f"35675904000001,111010000000001,A,2026-10-05,{end}",
        f"35675904000001,111010000000001,A,2026-10-05T08:00Z,{end}",
        f"35675904000001,111010000000001,A,2026-10-5T08:00:00Z,{end}",
        f"35675904000001,111010000000001,A,2026-10-05T24:00:00Z,{end}",
        f"35675904000001,111010000000001,A,2026-10-05T08:00:00+01:00,{end}",
        f"35675904000001,111010000000001,A,1999-12-31T23:59:59Z,{end}",
        f"35675904000001,111010000000001,A,{start},{end}",
    ]
    taken = desk.take("sightings", HEADER + "\n".join(rows), name=NAME)
    columns = ["imei", "imsi", "cell", "started_at", "ended_at"] + ["started_at"] * 6
    assert [(q.line, q.column) for q in desk.quarantined(taken)] == list(enumerate(columns, 2))
    assert taken.counts.kept == 1


def test_a_sighting_that_ends_before_it_starts_is_set_apart_with_its_reason(desk: Desk) -> None:
    start = "2026-10-05T08:00:00Z"
    ends = ["2026-10-05T07:59:59Z", "2026-10-05T08:00:00Z", "2026-10-04T23:00:00Z", "2026-10-06 00:00:00"]
    taken = desk.take(
        "sightings",
        HEADER + "".join(f"35675904000001,111010000000001,A,{start},{end}\n" for end in ends),
        name=NAME,
    )
    reason = "expected a moment not before started_at"
    assert [q[1:4] for q in desk.quarantined(taken)] == [(2, "ended_at", reason), (4, "ended_at", reason)]
    assert taken.counts.kept == 2


def test_the_same_sightings_again_change_nothing(desk: Desk) -> None:
    text = HEADER + "35675904000001,111010000000001,A,2026-10-05T08:00:00Z,2026-10-05T08:05:00Z\n"
    first = desk.strictly("sightings", text, name=NAME)
    with desk.unchanged():
        assert desk.strictly("sightings", text, name=NAME) == first
