"""Kills a command at every step that it takes on the disk.

A command is any function of a module that takes the workspace's folder as `root` and further texts by
name. It runs in a process of its own over a copy of a workspace, and that process kills itself, as the
system's out-of-memory killer would, just before the n-th step: for n = 1, 2, ... until it completes.

    for killed in killed_at_every_step(commands.take_in_file, template, tmp_path, file=str(path)):
        ...look at what lies in killed.root...
"""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

STEPS = ("fsync", "replace", "rename", "unlink", "rmdir")
"""Calls of `os` that are steps; to remove what lies in a workspace's `tmp` is none: nothing there matters."""

MOST_STEPS = 500


@dataclass(frozen=True)
class Killed:
    """A workspace as a command left it.

    Args:
        step: what the command was about to do, counted from 1.
        call: the name of that call; empty: it completed.
    """

    step: int
    call: str
    root: Path

    @property
    def completed(self) -> bool:
        """Whether there was no step left to kill it at."""
        return not self.call


def killed_at_every_step(
    command: Callable[..., object], template: Path, folder: Path, **texts: str
) -> Iterator[Killed]:
    """Copies of a workspace in which a command was killed at its first step, its second, and so on.

    Args:
        command: a function at the top of a module; it is imported by its name in another process.
        template: the workspace before the command; it is not changed.
        folder: new or empty; the copies come here.
        texts: arguments of the command beside `root`.

    Returns: one for each step, and last the one of a command that completed.

    Raises:
        AssertionError: the command failed by itself.
    """
    order = {
        "module": command.__module__,
        "function": command.__qualname__,
        "template": str(template),
        "folder": str(folder),
        "texts": texts,
    }
    told = subprocess.run(
        [sys.executable, "-m", "faults.killing", json.dumps(order)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert told.returncode == 0, "the command failed by itself: its error stands above"
    for line in told.stdout.splitlines():
        step, call, root = json.loads(line)
        yield Killed(step, call, Path(root))


def _main(order: dict[str, str], texts: dict[str, str]) -> None:
    # Imported once here and inherited by every fork: imports are most of what a short command costs.
    command = getattr(importlib.import_module(order["module"]), order["function"])
    for step in range(1, MOST_STEPS):
        root = Path(order["folder"]) / f"{step:03d}"
        shutil.copytree(order["template"], root)
        call = _killed_at(step, command, root, texts)
        print(json.dumps((step, call, str(root))), flush=True)
        if not call:
            return
    raise AssertionError(f"more than {MOST_STEPS} steps")


def _killed_at(step: int, command: Callable[..., object], root: Path, texts: dict[str, str]) -> str:
    """Run the command in a fork that kills itself at a step; the name of the call, empty if it completed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _arm(step, writing, root / "tmp")
        try:
            command(root=root, **texts)
        except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        call = told.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return call
    if os.WEXITSTATUS(status):
        raise SystemExit(1)
    return ""


def _arm(step: int, telling: int, scratch: Path) -> None:
    """Make the process kill itself just before a step."""
    left = step

    def armed(name: str) -> Callable[..., object]:
        original: Callable[..., object] = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            nonlocal left
            removing = name in ("unlink", "rmdir")
            if not (removing and ("dir_fd" in kwargs or _lies_in(scratch, args[0]))):
                left -= 1
                if not left:
                    os.write(telling, f"os.{name}".encode())
                    os.kill(os.getpid(), signal.SIGKILL)
            # What a killed process wrote is there: only a power cut could tell if it waited for the disk.
            return None if name == "fsync" else original(*args, **kwargs)

        return call

    for name in STEPS:
        setattr(os, name, armed(name))


def _lies_in(folder: Path, path: object) -> bool:
    return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder)


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    _main(order, order.pop("texts"))
