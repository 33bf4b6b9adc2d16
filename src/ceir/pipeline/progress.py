"""How long work tells where it stands: the pipeline speaks, an edge draws (or stays silent)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def at(self, done: float) -> None:
        """Say how much is done, in the unit of the step's total."""


class Progress(Protocol):
    """Receives the steps."""

    def step(
        self, label: str, total: float | None = None, unit: str = "rows"
    ) -> AbstractContextManager[Step]:
        """Open a step; `total` None means that nobody knows how much there is."""


class _Nothing:
    def at(self, done: float) -> None:
        """Nobody looks."""


class Silent:
    """Shows nothing: the default of every function of the pipeline."""

    @contextmanager
    def step(self, label: str, total: float | None = None, unit: str = "rows") -> Iterator[Step]:  # noqa: ARG002
        """A step that nobody sees."""
        yield _Nothing()


SILENT: Progress = Silent()
"""Shows nothing."""
