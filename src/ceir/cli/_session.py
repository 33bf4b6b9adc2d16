"""What a command works with: the settings chosen, the workspace and its lock, an engine, where to write."""

import json
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from pydantic_core import to_jsonable_python
from rich.console import Console, RenderableType
from rich.text import Text

from ceir.cli._drawing import Drawing
from ceir.clock import Clock, system_clock
from ceir.errors import CeirError, UsageError
from ceir.pipeline.progress import SILENT, Progress
from ceir.settings import Settings, read_settings

# Engines and what they bring in take longer to load than most commands run: loaded where they are used.
if TYPE_CHECKING:
    from ceir.pipeline.engines import Engine, Limits
    from ceir.pipeline.workspace import Workspace


class Session:
    """One command line being obeyed.

    Args:
        as_json: results as JSON on stdout, errors and notes as JSON lines on stderr.
        debug: show where in the program errors arise.

    Attributes:
        interrupted: Ctrl-C was pressed.
        unfinished: what an interrupted command leaves behind although nothing is lost by it; None: nothing.
    """

    def __init__(self, *, as_json: bool, debug: bool, clock: Clock = system_clock) -> None:
        self.as_json = as_json
        self.debug = debug
        self.interrupted = False
        self.unfinished: str | None = None
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)
        self._clock = clock
        self._chosen: dict[str, object] = {}
        self._read: Settings | None = None
        self._before: tuple[Workspace, int] | None = None

    def choose(self, common: Mapping[str, object]) -> None:
        """Take over common options; those given later win."""
        self._chosen |= {name: value for name, value in common.items() if value is not None}
        self._read = None

    @property
    def settings(self) -> Settings:
        """Settings of the machine, with what the command line chose instead."""
        if self._read is None:
            chosen = {n: v for n, v in self._chosen.items() if n not in ("progress", "debug")}
            self._read = read_settings(**chosen)
        return self._read

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self._clock()

    @property
    def today(self) -> date:
        """The calendar day where this machine stands."""
        return self._clock().astimezone().date()

    def workspace(self) -> "Workspace":
        """The workspace chosen, or the current folder if it is one.

        Raises:
            UsageError: none was chosen.
            WorkspaceError: what was chosen is none.
        """
        found = self.workspace_if_any()
        if found is None:
            raise UsageError(
                "No workspace was chosen, and the current folder is none.",
                "Give --workspace DIR or set CEIR_WORKSPACE; make one with: ceir init DIR",
            )
        return found

    def workspace_if_any(self) -> "Workspace | None":
        """The workspace, if one was chosen or the current folder is one."""
        from ceir.pipeline.workspace import CATALOGUE, Workspace  # noqa: PLC0415

        root = self.settings.workspace
        if root is not None:
            return Workspace.open(root)
        here = Path()
        return Workspace.open(here) if (here / CATALOGUE).is_file() else None

    @contextmanager
    def changing(self, workspace: "Workspace | None" = None) -> "Iterator[Workspace]":
        """A workspace that no other command changes meanwhile, cleared of what a killed one left.

        Args:
            workspace: another than the one chosen.

        Raises:
            WorkspaceBusyError: another command took longer than one may wait.
        """
        held = workspace or self.workspace()
        wait = self.settings.wait_seconds

        def waiting() -> None:
            self.note(f"Another command is changing {held.root}: waiting up to {wait:g} seconds for it.")

        with held.locked(wait, waiting):
            left = held.sweep()
            shutil.rmtree(held.root / SPARK_SCRATCH, ignore_errors=True)
            if left:
                what = "1 leftover of it was" if len(left) == 1 else f"{len(left)} leftovers of it were"
                self.note(
                    f"An earlier command was interrupted before it finished; {what} removed. "
                    "What it was to do was not done: run it again."
                )
            self._before = (held, held.catalogue().sequence)
            yield held

    def changes_finished(self) -> int:
        """Changes that this command line has put in force so far."""
        if self._before is None:
            return 0
        workspace, sequence = self._before
        try:
            return workspace.catalogue().sequence - sequence
        except (CeirError, OSError):
            return 0

    def limits(self, workspace: "Workspace") -> "Limits":
        """What engines may use of the machine."""
        from ceir.pipeline.engines import Limits  # noqa: PLC0415

        return Limits(workspace.scratch, self.settings.threads, self.settings.memory_gb)

    @contextmanager
    def engine(self, workspace: "Workspace") -> "Iterator[Engine]":
        """The engine chosen, for a command that holds the workspace.

        Raises:
            UsageError: Spark without an address.
            EngineError: it does not answer.
        """
        if self.settings.engine == "spark":
            scratch = workspace.root / SPARK_SCRATCH
            engine: Engine = self._spark(scratch)
        else:
            scratch = workspace.scratch / "engine"
            engine = self._duck(scratch)
        try:
            yield engine
        finally:
            engine.close()
            shutil.rmtree(scratch, ignore_errors=True)

    def _duck(self, scratch: Path) -> "Engine":
        from ceir.pipeline.engines import DuckEngine, Limits  # noqa: PLC0415

        return DuckEngine(Limits(scratch, self.settings.threads, self.settings.memory_gb))

    def _spark(self, scratch: Path) -> "Engine":
        from ceir.pipeline.engines.spark import SparkEngine  # noqa: PLC0415 - an extra

        if self.settings.spark_remote is None:
            raise UsageError("The engine spark needs an address.", "Set CEIR_SPARK_REMOTE=sc://HOST:PORT")
        return SparkEngine(self.settings.spark_remote, scratch)

    @contextmanager
    def reader(self) -> "Iterator[Engine]":
        """An engine for a command that only looks: it spills outside the workspace that it does not hold."""
        with tempfile.TemporaryDirectory(prefix="ceir-") as scratch:
            engine = self._duck(Path(scratch))
            try:
                yield engine
            finally:
                engine.close()

    @property
    def progress(self) -> Progress:
        """Progress on stderr, where a person looks or where it was asked for."""
        wanted = self._chosen.get("progress")
        if wanted is False or self.as_json or not (wanted or self.err.is_terminal):
            return SILENT
        return Drawing(self.err if self.err.is_terminal else Console(stderr=True, force_terminal=True))

    def say(self, what: RenderableType = "") -> None:
        """Show a result; texts are taken as they are."""
        if not self.as_json:
            self.out.print(Text(what) if isinstance(what, str) else what)

    def say_whole(self, what: str | Text) -> None:
        """Show a line with a path or a command to copy: it is not broken at the edge."""
        if not self.as_json:
            self.out.print(Text(what) if isinstance(what, str) else what, soft_wrap=True)

    def data(self, value: object) -> None:
        """Write a result as JSON, if that is wanted."""
        if self.as_json:
            shown = to_jsonable_python(value, inf_nan_mode="null")
            print(json.dumps(shown, ensure_ascii=False, indent=1))

    def note(self, text: str) -> None:
        """Say something beside the result, on stderr."""
        if self.as_json:
            print(json.dumps({"note": text}, ensure_ascii=False), file=sys.stderr)
        else:
            self.err.print(Text.assemble(("note:", "bold yellow"), f" {text}"), soft_wrap=True)


SPARK_SCRATCH = "spark-tmp"
"""Where a Spark engine keeps computed tables: beside `tmp/`, which finished steps empty."""


@contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """Remember Ctrl-C: an engine that was interrupted says so in an error of its own."""

    def remember(number: int, frame: FrameType | None) -> None:
        session.interrupted = True
        signal.default_int_handler(number, frame)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
