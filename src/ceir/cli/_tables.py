"""Tables and pairs that read well at 80 columns."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

WIDTH = 80
"""Characters of the narrowest terminal that tables are made for."""

NARROWEST = 28
"""Characters to which a column may be broken."""

GAP = 2


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> RenderableType:
    """A table; columns of numbers stand on the right.

    Args:
        rows: values as they are: numbers get separators, truth becomes yes or no, None stays empty.
    """
    found = [tuple(row) for row in rows]
    drawn = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    broken = _broken(columns, found)
    for place, name in enumerate(columns):
        values = [row[place] for row in found if row[place] is not None]
        number = bool(values) and all(_is_number(value) for value in values)
        drawn.add_column(
            name, justify="right" if number else "left", overflow="fold", no_wrap=place not in broken
        )
    for row in found:
        drawn.add_row(*(shown(value) for value in row))
    return drawn


def _broken(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> set[int]:
    """The columns whose values are broken into lines where the table is too wide: as few as possible."""
    texts = [(name, *(str(shown(row[place])) for row in rows)) for place, name in enumerate(columns)]
    widths = [max(len(line) for text in column for line in text.split("\n")) for column in texts]
    room = WIDTH - GAP * (len(columns) - 1)
    broken: set[int] = set()
    for place in sorted(range(len(columns)), key=lambda p: -widths[p]):
        if sum(min(w, NARROWEST) if p in broken else w for p, w in enumerate(widths)) <= room:
            break
        broken.add(place)
    return broken


def pairs(rows: Iterable[tuple[str, object]]) -> RenderableType:
    """Names with their values, one below the other."""
    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        drawn.add_row(Text(name), shown(value))
    return drawn


def head(text: str) -> RenderableType:
    """A heading with a line before it."""
    return Text(f"\n{text}", style="bold")


def share(part: float, whole: float) -> str:
    """A share in per cent; nothing of nothing is a dash."""
    return f"{part / whole:.1%}" if whole else "–"


def shown(value: object) -> Text:
    """A value as a cell."""
    return value if isinstance(value, Text) else Text(_text(value))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,g}"
        case _:
            return str(value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float | Decimal) or (isinstance(value, str) and value.endswith("%"))
