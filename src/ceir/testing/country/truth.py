"""The hidden truth: what is behind each use that left a row in the observation files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ceir.clock import day_number
from ceir.testing.country import text
from ceir.testing.country.devices import normalised
from ceir.testing.country.draws import Ints
from ceir.testing.country.observations import Activity
from ceir.testing.country.spec import CountrySpecError, Label, Story
from ceir.testing.country.uses import Uses
from ceir.testing.country.world import World

LABELS = tuple(label.name.lower() for label in Label)
STORIES = tuple(story.name.lower() for story in Story)

_NAMES = pa.dictionary(pa.int16(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("device_id", pa.int64(), nullable=False),
        pa.field("imei", pa.string(), nullable=False),
        pa.field("imsi", pa.string(), nullable=False),
        pa.field("msisdn", pa.string(), nullable=False),
        pa.field("operator", _NAMES, nullable=False),
        pa.field("label", _NAMES, nullable=False),
        pa.field("story", _NAMES, nullable=False),
        pa.field("is_genuine_holder", pa.bool_(), nullable=False),
        pa.field("town", _NAMES, nullable=False),
        pa.field("person", pa.string()),
        pa.field("first_seen", pa.date32(), nullable=False),
        pa.field("last_seen", pa.date32(), nullable=False),
        pa.field("active_days", pa.int32(), nullable=False),
    ]
)
"""A row a use: one SIM in one physical device as one operator reports it, over a range of days."""


class TruthFile:
    """`truth.parquet`, a row group a chunk; counts the labels and stories it writes."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.labels = np.zeros(len(LABELS), dtype=np.int64)
        self.stories = np.zeros(len(STORIES), dtype=np.int64)
        self._first = day_number(world.calendar.first)
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")

    def __enter__(self) -> "TruthFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, uses: Uses, activity: Activity) -> None:
        """Appends the uses that left at least one row."""
        seen = activity.rows > 0
        uses = uses.where(seen)
        spec = self.world.spec
        columns = [
            pa.array(uses.device),
            text.strings(normalised(uses.imei)),
            text.strings(text.digits(uses.imsi, 15)),
            text.strings(text.number(uses.msisdn, 15)),
            _named(uses.operator, [operator.id for operator in spec.operators]),
            _named(uses.label, LABELS),
            _named(uses.story, STORIES),
            pa.array(uses.holder),
            _named(uses.town, self.world.towns.names),
            text.strings(self.world.uid(uses.person)),
            pa.array((activity.first[seen] + self._first).astype(np.int32)).cast(pa.date32()),
            pa.array((activity.last[seen] + self._first).astype(np.int32)).cast(pa.date32()),
            pa.array(activity.rows[seen].astype(np.int32)),
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), row_group_size=1 << 20)
        self.labels += np.bincount(uses.label, minlength=len(LABELS))
        self.stories += np.bincount(uses.story, minlength=len(STORIES))


def _named(codes: Ints, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), pa.array(names, pa.string()))


@dataclass(frozen=True)
class Example:
    """One IMEI worth looking at, with all its uses as rows of the truth."""

    imei: str
    label: str
    uses: tuple[dict[str, object], ...]


def find_example(truth: Path, label: Label = Label.CLONE_FAR) -> Example:
    """The IMEI with this label whose least active use has the most days, the genuine one's included.

    Raises:
        CountrySpecError: the truth holds no such use, as in a clean country.
    """
    name = label.name.lower()
    marked = pq.read_table(truth, columns=["imei"], filters=[("label", "=", name)])
    wanted = marked.column("imei").unique().to_pylist()[:200]
    rows = pq.read_table(truth, filters=[("imei", "in", wanted)]).to_pylist() if wanted else []
    if not rows:
        raise CountrySpecError(
            f"No use in {truth.name} is labelled {name}.", "Choose another label or country."
        )
    by_imei: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_imei.setdefault(str(row["imei"]), []).append(row)

    def interest(imei: str) -> tuple[bool, int, str]:
        uses = by_imei[imei]
        days = [int(str(row["active_days"])) for row in uses]
        contested = len({row["is_genuine_holder"] for row in uses}) == 2
        return contested, min(days), imei

    imei = max(by_imei, key=interest)
    return Example(imei, name, tuple(by_imei[imei]))
