"""All modules of the package, also those that stand above this one: it only reads them."""

import importlib
from pathlib import Path

import ceir


def import_everything() -> None:
    """Import every module of the package, so that all its error types are known."""
    root = Path(ceir.__path__[0])
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            importlib.import_module(".".join(("ceir", *(p for p in parts if p != "__init__"))))
