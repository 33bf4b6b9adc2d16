"""What is true of each identity of a world, read from its hidden truth or from an operator's labels."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CLASSES = (
    "clone_far",
    "clone_near",
    "clone_dead_source",
    "clone_pre_sale",
    "clone_mismatch",
    "clone_replica",
    "clone_cluster",
    "clone_rotating",
)

SET_ASIDE = frozenset({"placeholder", "malformed", "test_tac", "unallocated_tac", "sim_box"})
"""Wrongs that other rules answer for; finding them is neither right nor wrong here."""

IN_USE_DAYS = 30
"""A line seen with an identity within so many days before the run is cut when the identity is."""


@dataclass(frozen=True)
class Line:
    """One subscriber of an identity; genuine: only ever in the rightful device."""

    imsi: str
    operator: str
    genuine: bool
    in_use: bool


@dataclass(frozen=True)
class Identity:
    """An IMEI and who really used it.

    Args:
        klass: its clone class; empty: nobody copied it.
        story: the innocent circumstance that it may be mistaken for.
        copies: physical devices that carry it without right.
        copied_on: first day on which one of them was seen; None: not copied.
        set_aside: other wrongdoing, which is not scored.
    """

    world: str
    imei: str
    klass: str
    story: str
    copies: int
    copied_on: date | None
    set_aside: bool
    lines: tuple[Line, ...]

    @property
    def shared(self) -> bool:
        """Several subscribers used it."""
        return len(self.lines) > 1

    @property
    def operators(self) -> frozenset[str]:
        """Operators of its lines."""
        return frozenset(line.operator for line in self.lines)


def read_truth(path: Path, world: str, as_of: date) -> dict[str, Identity]:
    """Identities of a world's `truth.parquet` by IMEI; uses that began after `as_of` do not count."""
    columns = [
        "imei",
        "imsi",
        "operator",
        "label",
        "story",
        "is_genuine_holder",
        "device_id",
        "first_seen",
        "last_seen",
    ]
    rows = [row for row in pq.read_table(path, columns=columns).to_pylist() if row["first_seen"] <= as_of]
    return identities(rows, world, as_of)


def identities(rows: Iterable[Mapping[str, Any]], world: str, as_of: date) -> dict[str, Identity]:
    """Identities from uses, each with the columns of `truth.parquet`."""
    by_imei: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_imei.setdefault(row["imei"], []).append(row)
    return {imei: _identity(imei, uses, world, as_of) for imei, uses in by_imei.items()}


def _identity(imei: str, uses: list[Mapping[str, Any]], world: str, as_of: date) -> Identity:
    labels = {use["label"] for use in uses}
    classes = [name for name in CLASSES if name in labels]
    copies = [use for use in uses if use["label"] in CLASSES and not use["is_genuine_holder"]]
    stories = sorted({use["story"] for use in uses} - {"ordinary"}) or ["ordinary"]
    # A manufacturer's error is a circumstance too: each of its devices is genuine.
    story = "oem_error" if "oem_error" in labels else stories[0]
    recent = as_of - timedelta(days=IN_USE_DAYS)
    lines = {}
    for imsi in {use["imsi"] for use in uses}:
        mine = [use for use in uses if use["imsi"] == imsi]
        lines[imsi] = Line(
            imsi=imsi,
            operator=max(mine, key=lambda use: use["last_seen"])["operator"],
            genuine=all(use["is_genuine_holder"] for use in mine),
            in_use=any(use["last_seen"] > recent for use in mine),
        )
    return Identity(
        world=world,
        imei=imei,
        klass=classes[0] if classes else "",
        story=story,
        copies=len({use["device_id"] for use in copies}),
        copied_on=min((use["first_seen"] for use in copies), default=None),
        set_aside=bool(labels & SET_ASIDE),
        lines=tuple(lines[imsi] for imsi in sorted(lines)),
    )


LABEL_HEADER = ("imei", "imsi", "truth")
"""Columns of an operator's labels; the texts may be hashes, as long as they are those of its files."""

TRUTHS = ("genuine", "clone", "innocent")


class LabelsError(ValueError):
    """A file of labels cannot be used."""


def read_labels(path: Path, world: str) -> dict[str, Identity]:
    """Identities of a file of labels: `imei,imsi,truth`, a row a subscriber of an identity.

    truth: `genuine` (the rightful device of an identity that is copied), `clone`, or `innocent` (the identity
    is not copied; so say all its rows). Identities that nobody labelled are left out of the score.

    Raises:
        LabelsError: another header, an unknown truth, or an identity that is innocent and copied at once.
    """
    rows: dict[str, list[tuple[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != LABEL_HEADER:
            raise LabelsError(f"{path.name}: the first line must be {','.join(LABEL_HEADER)}")
        for number, row in enumerate(reader, start=2):
            imei, imsi, truth = (str(row[name] or "").strip() for name in LABEL_HEADER)
            if not imei or not imsi or truth not in TRUTHS:
                raise LabelsError(
                    f"{path.name} line {number}: wanted an imei, an imsi and one of {', '.join(TRUTHS)}"
                )
            # As the product reads an IMEI: 15 or 16 digits are its 14 and something more.
            rows.setdefault(imei[:14] if imei[:14].isdecimal() else imei, []).append((imsi, truth))
    found = {}
    for imei, told in rows.items():
        truths = {truth for _, truth in told}
        if "innocent" in truths and len(truths) > 1:
            raise LabelsError(f"{path.name}: {imei} is said to be innocent and copied")
        lines = tuple(Line(imsi, "", truth != "clone", in_use=True) for imsi, truth in sorted(set(told)))
        if len({line.imsi for line in lines}) < len(lines):
            raise LabelsError(f"{path.name}: a subscriber of {imei} has two truths")
        copies = sum(not line.genuine for line in lines)
        found[imei] = Identity(
            world, imei, "labelled" if copies else "", "labelled", copies, None, set_aside=False, lines=lines
        )
    return found
