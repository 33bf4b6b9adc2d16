"""Writes the reference pages from the declarations: `python -m ceir.reference docs/reference`.

Why generated: whoever adds a rule, a fact, a source, a list, a policy key, a setting, an error or a command
writes its meaning once, beside it. A test holds the committed pages to what this package writes. One module a
page: its function `page` gives the text.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path


def pages() -> Mapping[str, str]:
    """Text of every page by the name of its file."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return {f"{name}.md": importlib.import_module(f"ceir.reference.{name}").page() for name in names}


def write(folder: Path) -> tuple[Path, ...]:
    """Write every page into a folder. Returns: the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        file = folder / name
        file.write_text(text, encoding="utf-8", newline="\n")
        written.append(file)
    return tuple(written)
