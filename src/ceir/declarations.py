"""A registry is a folder listing: finds the declarations that the modules of a package carry."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def declared(package: ModuleType, attribute: str, kind: type[T]) -> Mapping[str, T]:
    """The declarations of a package by name, sorted: one module, one `attribute`.

    Why: adding a rule, a fact, a list or a source must touch one file and no central dictionary.

    Raises:
        TypeError: when a module that is not private (leading underscore) nor `declaration` carries none.
    """
    found: dict[str, T] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        if info.name.startswith("_") or info.name == "declaration":
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        item = getattr(module, attribute, None)
        if not isinstance(item, kind):
            raise TypeError(f"{module.__name__} declares no {attribute}")
        name: str = getattr(item, "name")  # noqa: B009 - T has no common base to name the attribute
        if name.replace("-", "_") != info.name:
            raise TypeError(f"{module.__name__} declares {name!r}: file and name must agree")
        found[name] = item
    return found
