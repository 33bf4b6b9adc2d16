"""The equipment check beside a register: one command starts both, and neither knows the other."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from offices import Office, free_port, ready_country, wait_for

from ceir.equipment_check.keys import key_id, write_public_key
from ceir.equipment_check.snapshot import Header
from ceir.equipment_check.snapshot.building import build_snapshot
from vectors import content

pytestmark = pytest.mark.slow
KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def snapshot(folder: Path) -> None:
    now = datetime.now(UTC)
    (folder / "lists").mkdir()
    (folder / "trusted").mkdir()
    write_public_key(KEY.public_key(), folder / "trusted")
    header = Header(
        country="Examplia", sequence=1, as_of=(now - timedelta(days=1)).date().isoformat(),
        expires_at=(now + timedelta(days=9)).isoformat(), operator="", otherwise="unknown",
        malformed="unknown", override=None, key_id=key_id(KEY.public_key()), counts={},
    )  # fmt: skip
    build_snapshot(content(), header, KEY, folder / "lists" / "1.snapshot")


def test_one_command_serves_register_and_networks(tmp_path: Path) -> None:
    port, admin = free_port(), free_port()
    snapshot(tmp_path)
    more = (
        f'snapshots = "{tmp_path / "lists"}"\ntrusted_keys = "{tmp_path / "trusted"}"\n'
        f"[administration]\nport = {admin}\n[n17]\nport = {port}\n"
    )
    with ready_country("ceir_beside", tmp_path) as settings:
        office = Office(tmp_path / "here", settings, more)
        try:

            def answers() -> bool:
                try:
                    return httpx.get(f"http://127.0.0.1:{admin}/readyz").status_code == 200
                except httpx.TransportError:
                    return False

            wait_for(answers, "the check is ready")
            with httpx.Client(http1=False, http2=True) as network:
                asked = network.get(
                    f"http://127.0.0.1:{port}/n5g-eir-eic/v1/equipment-status",
                    params={"pei": "imei-999999999999990"},
                )
            assert asked.status_code in (200, 404)
            check = office.child("check")
            mapped = Path(f"/proc/{check}/maps").read_text()
            assert "sqlite" not in mapped
            assert "psycopg" not in mapped
            os.kill(check, signal.SIGKILL)
            wait_for(lambda: office.child("check") != check, "it is started again")
            wait_for(answers, "the check is ready again")
            assert office.get("/readyz").status_code == 200
            family = office.family()
            assert office.end() == 0
            wait_for(lambda: not any(Path(f"/proc/{one}").exists() for one in family), "all ended")
        finally:
            office.end()
