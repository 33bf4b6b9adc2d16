"""Charts as inline SVG: no script, readable without colour, the same in pages of either direction."""

from collections.abc import Sequence
from datetime import date
from html import escape

CUT, TOLD = "#8f2400", "#0b5394"
"""Colours of what is cut and of what is told: more than 7 to 1 against white, and told apart by hatching."""

_ROW, _LABEL, _WIDTH, _VALUE = 34, 200, 640, 90
_LONGEST = 25
_HEIGHT, _LEFT, _BOTTOM, _TOP = 220, 64, 28, 16


def bars(title: str, rows: Sequence[tuple[str, int, int]]) -> str:
    """Two bars a row, above each other: cut, and told.

    Args:
        rows: name, cut, told.
    """
    most = max((max(cut, told) for _, cut, told in rows), default=0) or 1
    room = _WIDTH - _LABEL - _VALUE
    height = _ROW * len(rows) + 4
    drawn = []
    for number, (name, cut, told) in enumerate(rows):
        top = number * _ROW + 4
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        drawn.append(
            f'<text x="{_LABEL - 8}" y="{top + 18}" text-anchor="end" class="name">{escape(short)}'
            f"<title>{escape(name)}</title></text>"
        )
        for place, value, fill in ((0, cut, CUT), (13, told, "url(#told)")):
            length = room * value / most
            drawn.append(
                f'<rect x="{_LABEL}" y="{top + place}" width="{length:.1f}" height="11" fill="{fill}"/>'
                f'<text x="{_LABEL + length + 5:.1f}" y="{top + place + 10}" class="value">{value:,}</text>'
            )
    return _svg(title, _WIDTH, height, drawn)


def curves(title: str, days: Sequence[date], cut: Sequence[int], told: Sequence[int]) -> str:
    """Two curves over one day or more: cut (a whole line) and told (a broken one)."""
    most = max((*cut, *told, 1))
    most += most % 2  # half of it stands on the axis too
    length = max((days[-1] - days[0]).days, 1)
    inner, tall = _WIDTH - _LEFT - 12, _HEIGHT - _BOTTOM - _TOP

    def points(values: Sequence[int]) -> str:
        return " ".join(
            f"{_LEFT + inner * (day - days[0]).days / length:.1f},{_TOP + tall * (1 - value / most):.1f}"
            for day, value in zip(days, values, strict=True)
        )

    drawn = []
    for part in (0, 0.5, 1):
        y = _TOP + tall * (1 - part)
        drawn.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - 12}" y2="{y:.1f}" stroke="#c8ccd0"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" '
            f'class="value">{round(most * part):,}</text>'
        )
    for values, colour, dash in ((told, TOLD, ' stroke-dasharray="7 4"'), (cut, CUT, "")):
        drawn.append(
            f'<polyline points="{points(values)}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>'
        )
        across, down = points(values).split(" ")[-1].split(",")
        drawn.append(f'<circle cx="{across}" cy="{down}" r="3.5" fill="{colour}"/>')
    bottom = _HEIGHT - 8
    drawn.append(f'<text x="{_LEFT}" y="{bottom}" class="value">{days[0]}</text>')
    drawn.append(f'<text x="{_WIDTH - 12}" y="{bottom}" text-anchor="end" class="value">{days[-1]}</text>')
    return _svg(title, _WIDTH, _HEIGHT, drawn)


def legend() -> str:
    """What the two marks mean."""
    return (
        '<p class="legend"><svg width="28" height="12" role="presentation" aria-hidden="true">'
        f'<rect width="28" height="12" fill="{CUT}"/></svg> cut '
        '<svg width="28" height="12" role="presentation" aria-hidden="true">'
        '<rect width="28" height="12" fill="url(#told)"/></svg> told that it will be cut</p>'
    )


def patterns() -> str:
    """The hatching that marks what is told; once a page."""
    return (
        '<svg width="0" height="0" class="hidden" aria-hidden="true"><defs><pattern id="told" width="6" '
        'height="6" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" '
        'fill="#ffffff"/>'
        f'<rect width="4" height="6" fill="{TOLD}"/></pattern></defs></svg>'
    )


def _svg(title: str, width: int, height: int, drawn: Sequence[str]) -> str:
    # The digits of an axis run from left to right in every script.
    return (
        f'<svg viewBox="0 0 {width} {height}" direction="ltr" role="img" aria-label="{escape(title)}" '
        f'preserveAspectRatio="xMinYMin meet">{"".join(drawn)}</svg>'
    )
