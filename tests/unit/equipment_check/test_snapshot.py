"""The snapshot against a model that anyone can check: dictionaries and the order of decision, spelled out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceir.equipment_check import EquipmentStatus, Reason
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.snapshot import (
    Header,
    SnapshotRefusedError,
    open_snapshot,
    verify_content,
)
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.comparing import delta_between
from ceir.equipment_check.snapshot.delta import Delta, read_delta, write_delta

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = {"register": KEY.public_key()}
P, T, B, U = (
    EquipmentStatus.PERMITTED,
    EquipmentStatus.TRACKED,
    EquipmentStatus.BLOCKED,
    EquipmentStatus.UNKNOWN,
)
A = 35_675904_000001
X, Y = 1_111010000000001, 1_111010000000002


def header(sequence: int = 1, **changes: object) -> Header:
    base: dict[str, object] = {
        "country": "Examplia",
        "sequence": sequence,
        "as_of": "2026-10-31",
        "expires_at": "2026-12-01T00:00:00+00:00",
        "operator": "",
        "otherwise": "permitted",
        "malformed": "unknown",
        "override": None,
        "key_id": "register",
        "counts": {},
    }
    return Header(**(base | changes))  # type: ignore[arg-type]


@dataclass
class World:
    """What is listed, as plain sets."""

    blocked: set[int] = field(default_factory=set)
    tracked: set[int] = field(default_factory=set)
    permitted: set[int] = field(default_factory=set)
    pairs: set[tuple[int, int]] = field(default_factory=set)
    ranges: list[tuple[int, int, str]] = field(default_factory=list)
    versions: dict[tuple[int, int], str] = field(default_factory=dict)
    subscribers: list[tuple[int, int]] = field(default_factory=list)

    def content(self) -> SnapshotContent:
        pairs = sorted(self.pairs)
        return SnapshotContent(
            identities={
                name: [np.array(sorted(getattr(self, name)), dtype=np.uint64)]
                for name in ("blocked", "tracked", "permitted")
            },
            ranges=self.ranges,  # type: ignore[arg-type]
            versions=[(i, v, s) for (i, v), s in self.versions.items()],  # type: ignore[misc]
            pairs=[
                (
                    np.array([p[0] for p in pairs], dtype=np.uint64),
                    np.array([p[1] for p in pairs], dtype=np.uint64),
                )
            ],
            subscribers=self.subscribers,
        )

    def status(self, imei: int, version: int | None, imsi: int | None, otherwise: str) -> EquipmentStatus:
        if imsi is not None and (
            (imei, imsi) in self.pairs or any(a <= imsi <= b for a, b in self.subscribers)
        ):
            return P
        for name in ("blocked", "tracked", "permitted"):
            if imei in getattr(self, name):
                return EquipmentStatus(name)
        if version is not None and (imei, version) in self.versions:
            return EquipmentStatus(self.versions[imei, version])
        for first, last, status in self.ranges:
            if first <= imei <= last:
                return EquipmentStatus(status)
        return EquipmentStatus(otherwise)


IMEIS = st.one_of(
    st.integers(0, 99_999_999_999_999),
    st.integers(35_675904_000000, 35_675904_000300),
    st.integers(35_675904_065500, 35_675904_065600),
)
IMSIS = st.integers(1_111010000000000, 1_111010000000005)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    edges = sorted(draw(st.sets(IMEIS, max_size=6)))
    ranges = [
        (a, b, draw(st.sampled_from(["blocked", "tracked", "permitted"])))
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]
    return World(
        blocked=draw(st.sets(IMEIS, max_size=40)),
        tracked=draw(st.sets(IMEIS, max_size=10)),
        permitted=draw(st.sets(IMEIS, max_size=10)),
        pairs=draw(st.sets(st.tuples(IMEIS, IMSIS), max_size=10)),
        ranges=ranges,
        versions=draw(
            st.dictionaries(
                st.tuples(IMEIS, st.integers(0, 99)), st.sampled_from(["blocked", "tracked"]), max_size=5
            )
        ),
        subscribers=[(1_111019000000000, 1_111019000000009)],
    )


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=worlds(),
    asked=st.lists(st.tuples(IMEIS, st.none() | st.integers(0, 99), st.none() | IMSIS), max_size=20),
)
def test_a_snapshot_answers_what_the_order_of_decision_says(
    tmp_path: Path, world: World, asked: list[tuple[int, int | None, int | None]]
) -> None:
    path = tmp_path / "snapshot"
    build_snapshot(world.content(), header(otherwise="unknown"), KEY, path)
    snapshot = open_snapshot(path, KEYS, NOW)
    listed = (
        world.blocked
        | world.tracked
        | world.permitted
        | {p[0] for p in world.pairs}
        | {v[0] for v in world.versions}
    )
    edges = {i + d for a, b, _ in world.ranges for i in (a, b) for d in (-1, 0, 1)}
    questions = asked + [
        (i, v, s) for i in listed | edges for v in (None, 7) for s in (None, X, 1_111019000000003)
    ]
    for imei, version, imsi in questions:
        assert snapshot.verdict(imei, version, imsi).status is world.status(imei, version, imsi, "unknown")
    verify_content(snapshot)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=worlds(), after=worlds())
def test_a_delta_gives_the_answers_of_a_snapshot_built_anew(
    tmp_path: Path, before: World, after: World
) -> None:
    after.ranges, after.versions, after.subscribers = before.ranges, before.versions, before.subscribers
    path, change = tmp_path / "snapshot", tmp_path / "delta"
    build_snapshot(before.content(), header(), KEY, path)
    names = ("blocked", "tracked", "permitted")
    build_snapshot(after.content(), header(2), KEY, tmp_path / "whole")
    delta = delta_between(open_snapshot(path, KEYS, NOW), open_snapshot(tmp_path / "whole", KEYS, NOW))
    assert delta is not None
    for n in names:
        assert set(delta.added.get(n, ())) == getattr(after, n) - getattr(before, n)
        assert set(delta.removed.get(n, ())) == getattr(before, n) - getattr(after, n)
    assert (set(delta.paired), set(delta.unpaired)) == (
        after.pairs - before.pairs,
        before.pairs - after.pairs,
    )
    write_delta(delta, KEY, change)
    holder = SnapshotHolder.of_file(KEYS, path, NOW)
    holder.offer_delta(read_delta(change, KEYS, NOW), NOW)
    everyone = {i for w in (before, after) for n in names for i in getattr(w, n)} | {
        p[0] for w in (before, after) for p in w.pairs
    }
    for imei in everyone:
        for imsi in (None, X, Y):
            assert holder.verdict(imei, None, imsi).status is after.status(imei, None, imsi, "permitted")
    assert holder.sequence == 2


@pytest.mark.parametrize("density", [3, 5000, 40_000, 65_536, 1_000_000])
def test_every_kind_of_container_holds_exactly_its_members(tmp_path: Path, density: int) -> None:
    generator = np.random.default_rng(density)
    members = (
        np.unique(generator.integers(0, 1_000_000, density)) if density < 1_000_000 else np.arange(1_000_000)
    )
    numbers = members.astype(np.uint64) + np.uint64(35_675904_000000)
    build_snapshot(
        SnapshotContent({"blocked": [numbers[:1000], numbers[1000:]]}), header(), KEY, tmp_path / "s"
    )
    snapshot = open_snapshot(tmp_path / "s", KEYS, NOW)
    inside = set(members.tolist())
    for serial in generator.integers(0, 1_000_000, 3000).tolist() + members[:500].tolist():
        found = snapshot.verdict(35_675904_000000 + serial, None, None).status is B
        assert found == (serial in inside)


def test_a_paired_subscriber_may_use_blocked_equipment_and_another_may_not(tmp_path: Path) -> None:
    build_snapshot(World(blocked={A}, pairs={(A, X)}).content(), header(), KEY, tmp_path / "s")
    snapshot = open_snapshot(tmp_path / "s", KEYS, NOW)
    assert (snapshot.verdict(A, 1, X).status, snapshot.verdict(A, 1, X).reason) == (P, Reason.PAIRED)
    assert snapshot.verdict(A, 1, Y).status is B
    assert snapshot.verdict(A, 1, None).status is B


def test_an_override_answers_everything(tmp_path: Path) -> None:
    build_snapshot(World(blocked={A}).content(), header(override="permitted"), KEY, tmp_path / "s")
    snapshot = open_snapshot(tmp_path / "s", KEYS, NOW)
    assert snapshot.verdict(A, None, None).status is P
    assert snapshot.verdict(None, None, None).status is P


def test_a_file_that_may_not_be_served_is_refused_and_the_last_good_one_goes_on(tmp_path: Path) -> None:
    good, other = tmp_path / "good", tmp_path / "other"
    build_snapshot(World(blocked={A}).content(), header(5), KEY, good)
    holder = SnapshotHolder.of_file(KEYS, good, NOW)
    build_snapshot(World().content(), header(6), KEY, other)
    raw = other.read_bytes()
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    cases = {
        "empty": b"",
        "noise": b"x" * 500,
        "cut": raw[: len(raw) // 2],
        "header changed": raw.replace(b'"sequence":6', b'"sequence":7'),
        "body changed": raw[:-1] + bytes([raw[-1] ^ 1]) if len(raw) % 2 else raw[:-1] + b"\x01",
    }
    for name, content in cases.items():
        other.write_bytes(content)
        with pytest.raises(SnapshotRefusedError):
            holder.offer_snapshot(other, NOW)
        assert holder.verdict(A, None, None).status is B, name
    for change in (
        {"sequence": 5},
        {"sequence": 4},
        {"expires_at": "2026-10-31T00:00:00+00:00"},
        {"key_id": "nobody"},
    ):
        build_snapshot(World().content(), header(**({"sequence": 6} | change)), KEY, other)  # type: ignore[arg-type]
        with pytest.raises(SnapshotRefusedError):
            holder.offer_snapshot(other, NOW)
    build_snapshot(World().content(), header(6), stranger, other)
    with pytest.raises(SnapshotRefusedError):
        holder.offer_snapshot(other, NOW)
    assert holder.sequence == 5
    build_snapshot(World().content(), header(6), KEY, other)
    holder.offer_snapshot(other, NOW)
    assert holder.verdict(A, None, None).status is P


def test_deltas_must_follow_one_another(tmp_path: Path) -> None:
    build_snapshot(World().content(), header(5), KEY, tmp_path / "s")
    holder = SnapshotHolder.of_file(KEYS, tmp_path / "s", NOW)
    write_delta(Delta(6, 7, "2026-10-31", "2026-12-01T00:00:00+00:00", "register"), KEY, tmp_path / "d")
    with pytest.raises(SnapshotRefusedError):
        holder.offer_delta(read_delta(tmp_path / "d", KEYS, NOW), NOW)


def test_identities_out_of_order_are_refused_when_building(tmp_path: Path) -> None:
    for chunks in ([[2, 1]], [[1, 1]], [[5], [4]]):
        content = SnapshotContent({"blocked": [np.array(c, dtype=np.uint64) for c in chunks]})
        with pytest.raises(SnapshotRefusedError):
            build_snapshot(content, header(), KEY, tmp_path / "s")


def test_an_expired_snapshot_in_force_is_told_but_goes_on(tmp_path: Path) -> None:
    build_snapshot(World(blocked={A}).content(), header(), KEY, tmp_path / "s")
    holder = SnapshotHolder.of_file(KEYS, tmp_path / "s", NOW)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert holder.expired(later)
    assert not holder.expired(NOW)
    assert holder.verdict(A, None, None).status is B
