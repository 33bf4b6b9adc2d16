"""Text as tables of bytes: a row a value, zero bytes as padding that vanishes on writing.

Columns of fixed width can be cut, gathered and joined by numpy; `packed` then drops the padding. This
writes several million CSV rows a second and gives the same bytes everywhere.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from ceir.testing.country.draws import Bytes, Flags, Ints

_ZERO = ord("0")
_FOURS = np.array([list(f"{i:04d}".encode()) for i in range(10_000)], dtype=np.uint8)


def digits(values: Ints, width: int) -> Bytes:
    """Decimal digits with leading zeros, `width` of them."""
    fours = -(-width // 4)
    out = np.empty((len(values), 4 * fours), dtype=np.uint8)
    rest = values
    for place in range(fours - 1, -1, -1):
        higher = rest // 10_000
        out[:, 4 * place : 4 * place + 4] = _FOURS[rest - higher * 10_000]
        rest = higher
    return out[:, 4 * fours - width :]


def number(values: Ints, width: int) -> Bytes:
    """Decimal digits without leading zeros; 0 becomes empty text."""
    out = digits(values, width)
    out[~np.logical_or.accumulate(out != _ZERO, axis=1)] = 0
    return out


def constant(size: int, text: str) -> Bytes:
    """The same text in each row."""
    raw = np.frombuffer(text.encode(), dtype=np.uint8)
    return np.broadcast_to(raw, (size, len(raw)))


def table(texts: Sequence[str]) -> Bytes:
    """One row a text."""
    raw = [text.encode() for text in texts]
    out = np.zeros((len(raw), max(map(len, raw), default=0)), dtype=np.uint8)
    for row, text in enumerate(raw):
        out[row, : len(text)] = list(text)
    return out


def where(flags: Flags, text: Bytes) -> Bytes:
    """`text` where the flag is set, else empty."""
    return np.where(flags[:, None], text, np.uint8(0)).astype(np.uint8)


def days(first: date, offsets: Ints) -> Bytes:
    """YYYYMMDD of the days `offsets` after `first`."""
    day = np.datetime64(first, "D") + offsets.astype("timedelta64[D]")
    month = day.astype("datetime64[M]")
    months = month.astype(np.int64)
    year = 1970 + months // 12
    in_month = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    return digits(year * 10_000 + (months % 12 + 1) * 100 + in_month, 8)


def rows(fields: Sequence[Bytes], separator: str = ",") -> Bytes:
    """Fields side by side with separators, each row ending in a line feed."""
    size = len(fields[0])
    parts: list[Bytes] = []
    for field in fields:
        parts += [field, constant(size, separator)]
    parts[-1] = constant(size, "\n")
    return np.concatenate(parts, axis=1)


def packed(matrix: Bytes) -> bytes:
    """The rows one after the other without their padding."""
    return matrix.tobytes().translate(None, b"\0")


def strings(matrix: Bytes) -> pa.Array:
    """An Arrow string column; empty text becomes NULL."""
    lengths = np.count_nonzero(matrix, axis=1)
    offsets = np.zeros(len(matrix) + 1, dtype="<i4")
    np.cumsum(lengths, out=offsets[1:])
    column = pa.StringArray.from_buffers(len(matrix), pa.py_buffer(offsets), pa.py_buffer(packed(matrix)))
    if bool((lengths == 0).any()):
        return pa.array([text or None for text in column.to_pylist()], pa.string())
    return column
