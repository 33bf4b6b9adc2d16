"""Signs that a release cuts the wrong people: each is counted by whoever keeps what is counted."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from ceir.registry.project.configuring import APPS


@dataclass(frozen=True)
class Signal:
    """Something that people whose devices were released do, like appealing.

    Args:
        name: as budgets name it: `appeals`, `sightings`.
        count: how many for the devices of a release (its key) until a moment; see
            `releasing.released_devices` for what to join with.
    """

    name: str
    doc: str
    count: Callable[[int, datetime], int]


@cache
def all_signals() -> Mapping[str, Signal]:
    """Every signal: the `SIGNALS` of the module `counting` of each application that has one."""
    found: dict[str, Signal] = {}
    for app in APPS:
        name = f"{app}.counting"
        if importlib.util.find_spec(name) is not None:
            for signal in importlib.import_module(name).SIGNALS:
                if signal.name in found:
                    raise TypeError(f"{name} counts {signal.name}, which another does already")
                found[signal.name] = signal
    return found
