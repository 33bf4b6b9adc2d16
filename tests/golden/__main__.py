"""Writes the golden country and what is expected of it anew.

Run it in the folder `tests`, then look at the difference before you commit it:

    uv run --group check python -m golden            # what would change, nothing is written
    uv run --group check python -m golden --write    # write it
"""

import argparse
import difflib
import shutil
import sys
import tempfile
from pathlib import Path

from .making import make, plan_bytes, write_inputs, write_packed
from .replaying import EXPECTED, INPUT, POLICIES, Output, expected, replay, text_of

READ_BY_PEOPLE = "examplia"
"""The policy whose expected files are kept as plain text; those of the others are packed."""

SHOWN = 20
"""Lines of a difference that are shown of each file."""


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the files instead of showing the change")
    write = parser.parse_args().write
    changed = 0
    if write:
        shutil.rmtree(INPUT, ignore_errors=True)
        write_inputs(INPUT)
    elif plan_bytes(make().plan) != (INPUT / "plan.csv").read_bytes():
        print("the plan changes")
        changed += 1
    for policy in POLICIES:
        with tempfile.TemporaryDirectory() as folder:
            for run, (_, output) in enumerate(replay(Path(folder) / "register", policy), 1):
                now, old = text_of(output), expected(policy, run)
                for name in sorted({*now, *old}):
                    changed += show(f"{policy}/run{run}/{name}", old.get(name, b""), now.get(name, b""))
                if write:
                    write_expected(EXPECTED / policy / f"run{run}", now, packed=policy != READ_BY_PEOPLE)
    print(f"{changed} files {'changed' if write else 'would change'}")
    return 0 if write or not changed else 1


def show(name: str, old: bytes, now: bytes) -> bool:
    """Print how a file changes; returns whether it does."""
    if old == now:
        return False
    lines = difflib.unified_diff(old.decode().splitlines(), now.decode().splitlines(), lineterm="", n=0)
    told = [line for line in list(lines)[2:] if not line.startswith("@@")]
    print(f"{name}: {sum(t[0] == '-' for t in told)} lines go, {sum(t[0] == '+' for t in told)} come")
    for line in told[:SHOWN]:
        print(f"    {line}")
    return True


def write_expected(folder: Path, output: Output, *, packed: bool) -> None:
    """Write what a run gives."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in output.items():
        if packed:
            write_packed(folder / f"{name}.gz", content)
        else:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
