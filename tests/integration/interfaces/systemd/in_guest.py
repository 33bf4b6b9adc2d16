"""Runs as root in a guest whose first process is systemd; tells what it found as one line of JSON a step."""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

N17 = "http://127.0.0.1:7777/n5g-eir-eic/v1/equipment-status?pei=imei-"
ADMINISTRATION = "http://127.0.0.1:9464"
SIGHTINGS = Path("/var/lib/ceir/sightings")


def tell(step: str, **found: object) -> None:
    with Path("/dev/ttyS0").open("w") as console:
        console.write(f"\nSTEP {json.dumps({'step': step, **found})}\n")


def got(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own addresses
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, type(error).__name__


def until(condition: Callable[[], bool], seconds: float = 400) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def property_of(name: str) -> str:
    told = subprocess.run(
        ["systemctl", "show", "--value", "-p", name, "ceir-serve"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def processes() -> list[int]:
    cgroup = Path("/sys/fs/cgroup") / property_of("ControlGroup").lstrip("/") / "cgroup.procs"
    return [int(line) for line in cgroup.read_text().split()]


def status_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {
        name: fields[name].split("\t")[0] for name in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd", "Uid")
    }


def ready() -> bool:
    return got(f"{ADMINISTRATION}/readyz")[0] == 200


def segments() -> list[dict[str, object]]:
    found = []
    for file in sorted(SIGHTINGS.iterdir()):
        status = file.stat()
        lines = file.read_text().splitlines()[1:] if file.suffix in (".csv", ".open") else []
        found.append(
            {
                "name": file.name,
                "mode": oct(status.st_mode & 0o777),
                "owner": pwd.getpwuid(status.st_uid).pw_name,
                "imeis": [line.split(",")[2] for line in lines],
            }
        )
    return found


def main(blocked: str) -> None:
    subprocess.run(["systemctl", "start", "ceir-serve"], check=False)
    tell(
        "started",
        ready=until(ready),
        state=property_of("ActiveState"),
        why=got(f"{ADMINISTRATION}/readyz")[1],
    )
    tell(
        "answer",
        blocked=got(f"{N17}{blocked}0"),
        metrics="ceir_equipment_check_answers_total" in got(f"{ADMINISTRATION}/metrics")[1],
    )
    sockets = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=False).stdout
    sctp = Path("/proc/net/sctp/eps")
    tell(
        "ports",
        tcp=sorted({int(line.split()[3].rsplit(":", 1)[1]) for line in sockets.splitlines()}),
        sctp=sctp.read_text().count("2905") if sctp.exists() else None,
    )
    tell("sandbox", processes=[status_of(process) for process in processes()])
    before = processes()
    os.kill(before[-1], signal.SIGKILL)
    tell(
        "worker killed",
        again=until(lambda: len(processes()) == len(before) and before[-1] not in processes()),
        answer=until(lambda: got(f"{N17}{blocked}0")[0] == 200),
    )
    main_process = property_of("MainPID")
    subprocess.run(["systemctl", "kill", "--kill-whom=all", "-s", "KILL", "ceir-serve"], check=False)
    tell(
        "all killed",
        back=until(lambda: property_of("MainPID") not in (main_process, "0") and ready()),
        answer=got(f"{N17}{blocked}0"),
        restarts=property_of("NRestarts"),
    )
    began = time.monotonic()
    subprocess.run(["systemctl", "stop", "ceir-serve"], check=False)
    tell(
        "stopped",
        seconds=time.monotonic() - began,
        result=property_of("Result"),
        state=property_of("ActiveState"),
    )
    tell("sightings", files=segments(), folder=oct(SIGHTINGS.stat().st_mode & 0o777))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must come out
        tell("failed", error=repr(error))
    log = subprocess.run(
        ["journalctl", "-u", "ceir-serve", "--no-pager", "-o", "cat"],
        capture_output=True,
        text=True,
        check=False,
    )
    tell("log", text=log.stdout[-6000:])
