"""Finding a policy by what people call it."""

from pathlib import Path

from ceir.errors import UsageError
from ceir.policy import shipped_policies


def policy_path(name: str) -> Path:
    """The file or folder of a policy: a shipped one by name, else a path.

    Raises:
        UsageError: it is neither.
    """
    shipped = shipped_policies()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"There is no policy {name!r}.", f"Give a path, or a shipped policy: {', '.join(shipped)}."
        )
    return path
