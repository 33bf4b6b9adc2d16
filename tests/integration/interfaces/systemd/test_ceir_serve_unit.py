"""The unit that operators install, run by systemd itself, with everything that it forbids."""

import json
import re
import sys
import sysconfig
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ceir
import guest
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot import Header
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from vectors import BLOCKED_IMEI

HERE = Path(__file__).resolve().parent
UNITS = HERE.parents[3] / "deploy" / "systemd"
SOURCE = Path(ceir.__file__).resolve().parents[1]
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "sctp")

CONFIGURATION = """
snapshots = "/var/lib/ceir/snapshots"
trusted_keys = "/etc/ceir/trusted"
workers = 1
[sightings]
folder = "/var/lib/ceir/sightings"
[n17]
[s13]
[map]
[gsup]
"""

COMMAND = f"""#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/ceir/src:/opt/ceir/site PYTHONDONTWRITEBYTECODE=1
exec /opt/python/bin/{PYTHON} -c 'from ceir.cli.main import run; run()' "$@"
"""

TEST_UNIT = f"""[Unit]
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
Environment=LD_LIBRARY_PATH=/opt/python/lib
ExecStartPre=systemd-sysusers /etc/sysusers.d/ceir.conf
ExecStartPre=systemd-tmpfiles --create /etc/tmpfiles.d/ceir.conf
ExecStart=/opt/python/bin/{PYTHON} /opt/ceir/in_guest.py {BLOCKED_IMEI}
"""

# The machine's own services are none of our business, and most take long on an emulated processor.
MASKED = (
    *("systemd-udevd", "systemd-udev-trigger", "systemd-timesyncd", "systemd-resolved", "systemd-networkd"),
    *("systemd-tmpfiles-setup", "systemd-tmpfiles-setup-dev", "systemd-sysusers", "systemd-random-seed"),
    *("systemd-journal-catalog-update", "systemd-hwdb-update", "ldconfig", "systemd-update-utmp"),
)
WORDS = "loglevel=3 systemd.unit=ceir-test.service systemd.show_status=no " + " ".join(
    f"systemd.mask={name}.service" for name in MASKED
)


def init(snapshots: Path) -> str:
    return f"""{guest.MOUNT_HOST}
mkdir -p /rw /new
mount -t tmpfs tmpfs /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work overlay /new
# In a container systemd would do less, and so it would if these said that it is in one.
rm -f /new/.dockerenv /new/run/.containerenv
rm -f /new/etc/systemd/system/*.wants/* /new/etc/fstab /new/etc/machine-id
touch /new/etc/fstab /new/etc/machine-id
for folder in python ceir/src ceir/site ceir/bin; do mkdir -p /new/opt/$folder; done
mount --bind "/host{sys.base_prefix}" /new/opt/python
mount --bind "/host{SOURCE}" /new/opt/ceir/src
mount --bind "/host{sysconfig.get_path("purelib")}" /new/opt/ceir/site
cp /ceir /new/opt/ceir/bin/ceir
cp /in_guest.py /new/opt/ceir/
mkdir -p /new/etc/ceir/trusted /new/var/lib/ceir/snapshots /new/etc/sysusers.d /new/etc/tmpfiles.d
cp /serve.toml /new/etc/ceir/
cp "/host{snapshots}"/*.snapshot /new/var/lib/ceir/snapshots/
cp "/host{snapshots}"/*.pem /new/etc/ceir/trusted/
cp /ceir-serve.service /ceir-test.service /new/etc/systemd/system/
cp /ceir.sysusers.conf /new/etc/sysusers.d/ceir.conf
cp /ceir.tmpfiles.conf /new/etc/tmpfiles.d/ceir.conf
chmod 644 /new/etc/ceir/serve.toml /new/etc/systemd/system/*.service
chmod 755 /new/opt /new/opt/ceir /new/opt/ceir/bin /new/var/lib/ceir/snapshots
chmod 644 /new/var/lib/ceir/snapshots/* /new/etc/ceir/trusted/*
for folder in tmp var/tmp var/log; do mount -t tmpfs -o mode=1777 tmpfs /new/$folder; done
exec switch_root /new /lib/systemd/systemd
"""


def write_snapshot(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    name = key_id(key.public_key())
    expires = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    header = Header("Examplia", 1, "2026-11-01", expires, "", "unknown", "unknown", None, name, {})
    content = SnapshotContent({"blocked": [np.array([BLOCKED_IMEI], dtype=np.uint64)]})
    build_snapshot(content, header, key, folder / "1.snapshot")
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "register.pem").write_bytes(pem)


def why_not() -> str | None:
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    return guest.why_not()


@pytest.mark.long
@pytest.mark.skipif(why_not() is not None, reason=f"{why_not()}")
def test_the_unit_serves_in_its_sandbox_survives_being_killed_and_stops_in_good_order(tmp_path: Path) -> None:
    write_snapshot(tmp_path)
    files = {
        "init": init(tmp_path),
        "ceir": COMMAND,
        "serve.toml": CONFIGURATION,
        "in_guest.py": (HERE / "in_guest.py").read_text(),
        "ceir-test.service": TEST_UNIT,
        **{file.name: file.read_text() for file in UNITS.iterdir()},
    }
    output = guest.boot(files, MODULES, 1500, WORDS)
    told = {one["step"]: one for one in map(json.loads, re.findall(r"^STEP (\{.*\})$", output, re.MULTILINE))}
    log = told.get("log", {}).get("text", output[-4000:])
    assert "failed" not in told, told["failed"]["error"] + log
    assert told["started"]["ready"], log
    assert told["answer"]["blocked"] == [200, '{"status":"BLACKLISTED"}'], log
    assert told["answer"]["metrics"]
    assert {3868, 4222, 7777, 9464} <= set(told["ports"]["tcp"])
    assert told["ports"]["sctp"] == 1
    assert len(told["sandbox"]["processes"]) >= 3
    for process in told["sandbox"]["processes"]:
        assert process["Uid"] != "0"
        assert {k: v for k, v in process.items() if k != "Uid"} == {
            "NoNewPrivs": "1",
            "Seccomp": "2",
            "CapEff": "0000000000000000",
            "CapBnd": "0000000000000000",
        }
    assert told["worker killed"] == {"step": "worker killed", "again": True, "answer": True}, log
    assert told["all killed"]["back"], log
    assert told["all killed"]["answer"][0] == 200
    assert int(told["all killed"]["restarts"]) == 1
    assert told["stopped"]["result"] == "success", log
    assert told["stopped"]["state"] == "inactive"
    assert told["stopped"]["seconds"] < 30
    files_kept = told["sightings"]["files"]
    assert told["sightings"]["folder"] == "0o700"
    assert {file["owner"] for file in files_kept} == {"ceir"}
    assert {file["mode"] for file in files_kept} == {"0o600"}
    assert not [file["name"] for file in files_kept if file["name"].endswith(".open")]
    imeis = [imei for file in files_kept for imei in file["imeis"]]
    # Once at the start, at least once after the killed worker, once after all were killed.
    assert len(imeis) >= 3
    assert set(imeis) == {str(BLOCKED_IMEI)}
