"""Requests that differ only in their variable octets are answered from a template.

A network sends the same message over and over: same addresses, same dialogue portion, same lengths. Which
octets may differ (link selection, transaction id, invoke id, IMEI, IMSI) is known once one such message was
decoded in full. A later message of the same length whose other octets are all equal has the same
structure, since no tag and no length is among the octets that differ.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Final, NamedTuple

from ceir.equipment_check import EquipmentStatus

Span = tuple[int, int]

_MAX_LAYOUTS: Final = 16
"""Layouts tried for a message of one length; a network uses one or two."""


class Template(NamedTuple):
    """A reply in four pieces, between which link selection, transaction id and invoke id belong."""

    head: bytes
    after_link: bytes
    after_transaction: bytes
    after_invoke: bytes

    def filled(self, link: bytes, transaction: bytes, invoke: bytes) -> bytes:
        """The reply."""
        return b"".join(
            (self.head, link, self.after_link, transaction, self.after_transaction, invoke, self.after_invoke)
        )


Templates = Mapping[EquipmentStatus, Template]
Fields = tuple[bytes, ...]
"""Link selection, transaction id, invoke id, IMEI, and an IMSI if there is one."""


class _Layout(NamedTuple):
    spans: tuple[Span, ...]
    fixed: Callable[[bytes], tuple[bytes, ...]]
    variable: Callable[[bytes], Fields]
    known: dict[tuple[bytes, ...], Templates]


class Shapes:
    """The shapes learnt so far, at most `limit` of them; when full, all are learnt anew."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit: Final = limit
        self._layouts: dict[int, list[_Layout]] = {}
        self._count = 0
        self._once: set[tuple[bytes, ...]] = set()

    def __len__(self) -> int:
        return self._count

    def find(self, message: bytes) -> tuple[Templates, Fields] | None:
        """Templates and variable octets of a message whose shape is known."""
        for layout in self._layouts.get(len(message), ()):
            templates = layout.known.get(layout.fixed(message))
            if templates is not None:
                return templates, layout.variable(message)
        return None

    def seen_before(self, message: bytes, spans: tuple[Span, ...]) -> bool:
        """Whether a message of this shape came before: only then learning it pays, and nobody can make
        us learn with every message."""
        if self._limit <= 0:
            return False
        fixed = self._layout(len(message), spans).fixed(message)
        if fixed in self._once:
            return True
        if len(self._once) >= self._limit:
            self._once.clear()
        self._once.add(fixed)
        return False

    def learn(self, message: bytes, spans: tuple[Span, ...], templates: Templates) -> None:
        """Remember the shape of a message; `spans` are those of `Fields`, in that order."""
        if self._count >= self._limit:
            self._layouts.clear()
            self._count = 0
        layout = self._layout(len(message), spans)
        layout.known[layout.fixed(message)] = templates
        self._count += 1

    def _layout(self, size: int, spans: tuple[Span, ...]) -> _Layout:
        layouts = self._layouts.setdefault(size, [])
        for layout in layouts:
            if layout.spans == spans:
                return layout
        if len(layouts) >= _MAX_LAYOUTS:
            layouts.clear()
        layouts.append(_layout(size, spans))
        return layouts[-1]


def _layout(size: int, spans: tuple[Span, ...]) -> _Layout:
    gaps: list[slice] = []
    at = 0
    for start, stop in sorted(spans):
        gaps.append(slice(at, start))
        at = stop
    gaps.append(slice(at, size))
    return _Layout(spans, itemgetter(*gaps), itemgetter(*(slice(start, stop) for start, stop in spans)), {})
