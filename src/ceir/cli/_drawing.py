"""Progress as a person sees it: a bar, how fast, how long still; nothing for work of less than a second."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ceir.pipeline.progress import Step

SHOWN_AFTER_SECONDS = 1.0
"""Shorter work shows nothing: a bar that only flashes disturbs."""


class _Amount(ProgressColumn):
    """How much is done, and how fast where that says something."""

    def render(self, task: Task) -> Text:
        unit = str(task.fields["unit"])
        speed = task.finished_speed or task.speed
        if unit == "bytes":
            done, rate = decimal(int(task.completed)), f"{decimal(int(speed or 0))}/s"
        else:
            done, rate = f"{task.completed:,.0f} {unit}", f"{speed or 0:,.0f}/s"
        return Text(f"{done}, {rate}" if speed and unit in ("rows", "bytes") else done)


@dataclass
class _Drawn:
    progress: Progress
    task: TaskID

    def at(self, done: float) -> None:
        self.progress.update(self.task, completed=done)


class Drawing:
    """Draws steps on a console, and wipes them away when they are done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, label: str, total: float | None = None, unit: str = "rows") -> Iterator[Step]:
        """Draw a step from its first second on."""
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            _Amount(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        task = progress.add_task(_short(label), total=total, unit=unit)
        later = threading.Timer(SHOWN_AFTER_SECONDS, progress.start)
        later.daemon = True
        later.start()
        try:
            yield _Drawn(progress, task)
        finally:
            later.cancel()
            later.join()
            if progress.live.is_started:
                progress.stop()


def _short(label: str) -> str:
    return label if len(label) <= 34 else f"{label[:33]}…"
