"""Where commands may write for people: not where the workspace clears up."""

from pathlib import Path

from ceir.cli._session import Session
from ceir.errors import UsageError
from ceir.pipeline.workspace import SWEPT


def require_outside(session: Session, place: Path, instead: str) -> None:
    """Go on if a place is not in a folder that the workspace sweeps: what does not belong there goes.

    Args:
        instead: a command line that would do.

    Raises:
        UsageError: it is.
    """
    workspace = session.workspace_if_any()
    if workspace is None:
        return
    root = workspace.root.resolve()
    if any(place.resolve().is_relative_to(root / own) for own in (*SWEPT, "tmp")):
        raise UsageError(
            f"{place} is in a folder of the workspace itself.", f"Choose another, like: {instead}"
        )
