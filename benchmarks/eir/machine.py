"""What a measurement was made on, and what processes take of it."""

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PACKAGES = ("granian", "uvloop", "numpy", "cryptography", "hpack")
PROGRAMS = {"h2load": ("h2load", "--version"), "gcc": ("gcc", "-dumpfullversion")}

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
"""The server under measurement has a core of its own where there are two; the client takes the last."""


def described() -> dict[str, object]:
    """Machine and versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": len(CORES),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.version.split()[0],
        **{name: version(name) for name in PACKAGES},
        **{name: _told(command) for name, command in PROGRAMS.items()},
    }


def _told(command: tuple[str, ...]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "none"


def load_average() -> float:
    """Of the last minute: above the number of cores the wall times are not to be trusted."""
    return round(os.getloadavg()[0], 2)


def processor_seconds(process: int) -> float:
    """What a process took so far, user and system, all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def idle_seconds(core: int) -> float:
    """How long a core has had nothing to do so far."""
    found = re.search(rf"^cpu{core} (.*)", Path("/proc/stat").read_text(), re.MULTILINE)
    assert found is not None
    fields = found[1].split()
    return (int(fields[3]) + int(fields[4])) / TICK


def memory(process: int, mapped: Path | None = None) -> dict[str, float]:
    """MiB of a process: its share of all it has (pss), what it has alone (uss), resident (rss).

    Args:
        mapped: a file whose mapping is told apart, as `mapped_rss` and `mapped_pss`.
    """
    rolled = _fields(Path(f"/proc/{process}/smaps_rollup").read_text())
    found = {
        "rss": rolled["Rss"],
        "pss": rolled["Pss"],
        "uss": rolled["Private_Clean"] + rolled["Private_Dirty"],
    }
    if mapped is not None:
        parts = re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{process}/smaps").read_text())
        ours = [_fields(part) for part in parts if part.split("\n", 1)[0].endswith(str(mapped))]
        found["mapped_rss"] = sum(part["Rss"] for part in ours)
        found["mapped_pss"] = sum(part["Pss"] for part in ours)
    return {name: round(value, 1) for name, value in found.items()}


def resident(process: int) -> float:
    """MiB that a process holds for itself: what leaks shows here, what it shares does not."""
    rolled = _fields(Path(f"/proc/{process}/smaps_rollup").read_text())
    return rolled["Private_Clean"] + rolled["Private_Dirty"]


def _fields(text: str) -> dict[str, float]:
    return {name: int(size) / 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
