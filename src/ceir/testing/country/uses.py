"""A use: one SIM in one device as one operator reports it, over a range of days."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ceir.testing.country.draws import Bytes, Flags, Ints, Words, mixed
from ceir.testing.country.spec import Label, Story

ALWAYS = 65_535
"""Pace of a use with an observation each day."""


@dataclass(frozen=True)
class Uses:
    """Uses of devices; all columns have the same length."""

    device: Ints
    """The physical thing."""
    imei: Ints
    """What it reports; negative if malformed."""
    imsi: Ints
    msisdn: Ints
    person: Ints
    operator: Ints
    """Position of the operator that reports it."""
    town: Ints
    radio: Ints
    """The hardware's `Radio`."""
    start: Ints
    stop: Ints
    """Half-open range of days."""
    pace: Ints
    """Chance of an observation on a day, in 65,536ths, less one."""
    label: Ints
    story: Ints
    holder: Flags
    """The device rightfully carries this IMEI, whoever holds the device."""
    showcase: Flags
    """One of the few whose sightings are always written."""

    def __len__(self) -> int:
        return len(self.device)

    @classmethod
    def of(cls, **columns: ArrayLike) -> "Uses":
        """Uses from columns of one length; single values hold for all. `label`, `story`, `holder`,
        `showcase` default to a genuine ordinary one."""
        ready: dict[str, NDArray[Any]] = {}
        size = len(np.asarray(columns["device"]))
        defaults = {"label": Label.GENUINE, "story": Story.ORDINARY, "holder": True, "showcase": False}
        for column in fields(cls):
            kind = np.bool_ if column.type == Flags else np.int64
            values: NDArray[Any] = np.asarray(columns.get(column.name, defaults.get(column.name)), dtype=kind)
            ready[column.name] = np.broadcast_to(values, (size,))
        return cls(**ready)

    def where(self, flags: Flags | Ints) -> "Uses":
        """Some of the uses."""
        return Uses(**{column.name: getattr(self, column.name)[flags] for column in fields(self)})

    @classmethod
    def together(cls, parts: Sequence["Uses"]) -> "Uses":
        """All uses of the parts that last at least a day."""
        whole = cls(
            **{c.name: np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(cls)}
        )
        return whole.where(whole.stop > whole.start)

    @property
    def identity(self) -> Words:
        """A word that is the same wherever the use stands."""
        word = mixed(self.device.astype(np.uint64))
        for column in (self.imsi, self.start, self.operator):
            word = mixed(word ^ column.astype(np.uint64))
        return word


@dataclass(frozen=True)
class ListRows:
    """Rows for the file of one source, as text fields."""

    source: str
    fields: tuple[Bytes, ...]


@dataclass(frozen=True)
class Owned:
    """Devices with an owner: what can be registered and associated."""

    device: Ints
    imei: Ints
    tac: Ints
    """Position in the catalogue; -1 if the IMEI belongs to no TAC of it."""
    two_slots: Flags
    person: Ints
    registered: Ints
    """0 not, 1 in force, 2 asked for but not granted."""
    arrived: Ints
    """Day of first use if the device was new then, else -1."""

    @classmethod
    def together(cls, parts: Sequence["Owned"]) -> "Owned":
        """All devices of the parts."""
        return cls(**{c.name: np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(cls)})
