"""What the register knows reaches the pipeline: files that it takes in like any others, with no row lost."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from drawn import counted_draw
from people import NOW, actor, organisation
from world import ASKS, MODELS, PLMN, POLICY, STANDINGS, imei, number, phone, proof_of, somebody, standing_of

from ceir.identifiers import Imsi
from ceir.pipeline.engines import Limits
from ceir.pipeline.ingest import Delivery, take_in
from ceir.pipeline.workspace import Workspace
from ceir.policy import shipped_policies
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.codes.models import Purpose
from ceir.registry.devices.identifying import Identifiers, Model
from ceir.registry.exports import all_exports, write_exports
from ceir.registry.pairings.pairing import PairingPolicy, make_code, pair
from ceir.registry.registrations.models import Kind
from ceir.registry.registrations.registering import Surroundings, register_own
from ceir.registry.registrations.submitting import submit
from ceir.registry.subscribers.reporting import Holder, report_line
from ceir.sources import source_named

OURS = ("appeals", "associations", "pairings", "registrations", "subscribers")
NASTY = Model('Ac"me, Ltd\n=1+1', "<b>Ph|one;</b>", "Ä'; DROP", "Smartphone", "GSM,LTE", 2)


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def live() -> None:
    """A little of everything."""
    nasty = Surroundings(
        lambda tac: NASTY if tac.digits == "35675905" else MODELS.get(tac.digits), standing_of
    )
    for n in (1, 2):
        register_own(
            Identifiers((imei(n), imei(n + 10))) if n == 1 else phone(n, "35675905"),
            proof=proof_of(Purpose.REGISTRATION, n),
            policy=POLICY,
            asks=nasty,
            actor=somebody(n),
            at=NOW,
        )
        report_line(
            number(n), Imsi(f"11101{n:010}"), plmns=(PLMN,), actor=actor(Role.OPERATOR), at=NOW,
            holder=Holder.read(f"AB12345{n}"),
        )  # fmt: skip
    for kind, serial in ((Kind.FLEET, 30), (Kind.IMPORT, 40)):
        submit(
            kind, [phone(serial)], organisation=organisation(OrganisationKind.IMPORTER).pk, reason="x",
            policy=POLICY, asks=ASKS, actor=actor(Role.OFFICER), at=NOW,
        )  # fmt: skip
    code = make_code(
        imei(1), proof=None, draw=counted_draw(), policy=PairingPolicy(), actor=actor(Role.OFFICER), at=NOW
    )
    for n in (1, 2):
        pair(
            imei(1), code.text, proof=proof_of(Purpose.PAIRING, n), standing_of=standing_of,
            policy=PairingPolicy(), actor=somebody(n), at=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("source", OURS)
def test_a_list_has_the_documented_columns_in_their_order(source: str) -> None:
    fields = source_named(source).fields
    assert all_exports()[source].header == tuple(field.headers[0] for field in fields)


def test_the_pipeline_takes_every_list_in_without_a_complaint(tmp_path: Path) -> None:
    live()
    counts = write_exports(tmp_path / "lists", NOW + timedelta(minutes=1))
    assert {source: counts[source] for source in OURS} == {
        "appeals": 0,
        "associations": 4,
        "pairings": 2,
        "registrations": 5,
        "subscribers": 2,
    }
    workspace = Workspace.create(tmp_path / "workspace", shipped_policies()["examplia"])
    limits = Limits(workspace.scratch, threads=1)
    for source in OURS:
        path = tmp_path / "lists" / f"{source}.csv"
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        if source != "registrations":  # its texts need quotes
            assert lines == sorted(lines)
        taken = take_in(workspace, Delivery(source, path, NOW.date()), limits)
        assert (taken.counts.kept, taken.counts.quarantined) == (counts[source], 0)
        assert all(check.passed for check in taken.checks)


def test_the_same_moment_gives_the_same_files(tmp_path: Path) -> None:
    live()
    for folder in ("a", "b"):
        write_exports(tmp_path / folder, NOW)
    for source in OURS:
        name = f"{source}.csv"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_texts_of_makers_arrive_as_they_are(tmp_path: Path) -> None:
    live()
    write_exports(tmp_path, NOW)
    sql = "SELECT make, model FROM read_csv(?, header = true, all_varchar = true) WHERE approved_imei = ?"
    found = duckdb.connect().execute(sql, [str(tmp_path / "registrations.csv"), imei(2, "35675905").digits])
    assert found.fetchall() == [('Ac"me, Ltd=1+1', "<b>Ph|one;</b>")]
