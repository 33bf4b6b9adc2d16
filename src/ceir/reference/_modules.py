"""All modules of the package, also those that stand above this one: it only reads them."""

import importlib
import os
from pathlib import Path

import django
from django.conf import settings

import ceir

_NOT_FOR_READING = frozenset({"__main__", "urls", "checking"})
"""Modules that do something when they are imported."""


def import_everything() -> None:
    """Import every module of the package, so that all its error types are known."""
    if not settings.configured:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ceir.registry.project.checking")
        django.setup()
    root = Path(ceir.__path__[0])
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[-1] not in _NOT_FOR_READING and "migrations" not in parts:
            importlib.import_module(".".join(("ceir", *(p for p in parts if p != "__init__"))))
