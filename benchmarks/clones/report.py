"""The results as one HTML file without scripts: tables and curves of precision and recall as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

MODES = ("aggregate", "sightings")
TITLES = {
    "A": "Seeds A (fitted on: not evidence)",
    "B": "Seeds B (same generator, other seeds)",
    "second": "Second generator",
    "none": "Worlds without clones",
}
_WRONG = "wrongly_cut_per_1000_cut"
_COLOURS = ("#1b6ca8", "#c0392b")
_WIDE, _HIGH, _EDGE = 420, 260, 40

_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}td,th{border:1px solid #ccc;padding:.2em .6em;"
    "text-align:right}th:first-child,td:first-child{text-align:left}"
    ".caution{background:#fff3cd;padding:.6em 1em}"
    "svg{margin-right:1em}"
)


def write_report(result: Mapping[str, Any], path: Path) -> None:
    """Writes the report of a result, as `measure` makes it."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Clones: benchmark</title>",
        f"<style>{_STYLE}</style><h1>Clones: what was found on worlds with hidden truth</h1>",
        "<div class='caution'><ul>"
        + "".join(f"<li>{escape(text)}</li>" for text in result["cautions"])
        + "</ul></div>",
        _provenance(result),
    ]
    for purpose, found in result["sets"].items():
        parts.append(f"<h2>{escape(TITLES[purpose])}</h2>")
        parts += [_mode(mode, found[mode]) for mode in MODES if mode in found]
        parts.append(_curves(found))
        if "days_to_detect" in found:
            parts.append(_days(found["days_to_detect"]))
    path.write_text("\n".join(parts) + "\n</html>\n", encoding="utf-8")


def shown(rate: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A ratio with its interval and counts."""
    if rate is None or rate["value"] is None:
        return "–"
    value = f"{rate['value']:.{digits}f}"
    if rate["low"] is not None:
        value += f" ({rate['low']:.{digits}f}–{rate['high']:.{digits}f})"
    return f"{value} [{rate['hits']}/{rate['of']}]"


def _provenance(result: Mapping[str, Any]) -> str:
    weights = result["weights"]
    told = [f"Measured on {result['measured_on']}, about {result['lines_a_world']:,} lines a world."]
    told.append(f"Weights: {weights['name'] or weights['note']} {weights.get('sha256', '')[:16]}")
    told += [
        f"Worlds {purpose}: configuration {sha[:16]}" for purpose, sha in result["worlds_sha256"].items()
    ]
    return "<p>" + "<br>".join(map(escape, told)) + "</p>"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _mode(mode: str, found: Mapping[str, Any]) -> str:
    title = "Daily aggregates and lists only" if mode == "aggregate" else "With sightings and fingerprints"
    methods = {"peer's sample rules": found["peer"]}
    if "fused" in found:
        methods["score"] = found["fused"]
    parts = [
        f"<h3>{title}</h3><p>{found['identities']:,} identities, {found['shared']:,} with several "
        f"subscribers, "
        f"{found['copied']:,} copied; {found['peer']['lines_in_use']:,} lines in use.</p>",
        _table(
            [
                "",
                "precision",
                "recall",
                "lines cut",
                "wrongly cut per 1,000 cut",
                "per million lines",
                "innocent called",
            ],
            [
                [
                    name, shown(m["precision"]), shown(m["recall"]), m["lines_cut"],
                    shown(m.get(_WRONG, m[f"{_WRONG}_if_blocked_whole"]), 1),
                    m["wrongly_cut_per_million_lines"],
                    ", ".join(f"{story} {n}" for story, n in m["false_calls"].items()) or "none",
                ]
                for name, m in methods.items()
            ],
        ),
    ]  # fmt: skip
    for key, label in (("by_class", "class"), ("by_copies", "copies of an identity")):
        names = list(found["peer"][key])
        if any(found["peer"][key][n]["of"] for n in names):
            parts.append(
                _table(
                    [f"recall by {label}", *methods],
                    [
                        [n.removeprefix("clone_"), *(shown(m[key][n]) for m in methods.values())]
                        for n in names
                    ],
                )
            )
    if "picks" in found.get("fused", {}):
        parts.append(
            _table(["genuine one", "share"], [[n, shown(r)] for n, r in found["fused"]["picks"].items()])
        )
    signals = [[n, shown(m["precision"]), shown(m["recall"])] for n, m in found["signals"].items()]
    if signals:
        parts.append(_table(["signal alone", "precision", "recall"], signals))
    if "ablation" in found:
        parts.append(
            _table(
                ["score without", "precision", "recall"],
                [[n, shown(m["precision"]), shown(m["recall"])] for n, m in found["ablation"].items()],
            )
        )
    if "fused" in found:
        by = found["fused"]["by_operator"]
        if by:
            parts.append(
                _table(
                    ["score, by operator", "precision", "recall"],
                    [[n, shown(m["precision"]), shown(m["recall"])] for n, m in by.items()],
                )
            )
    return "\n".join(parts)


def _curves(found: Mapping[str, Any]) -> str:
    lines = {mode: found[mode]["curve"] for mode in MODES if found.get(mode, {}).get("curve")}
    lines = {mode: points for mode, points in lines.items() if any(p["recall"] for p in points)}
    if not lines:
        return ""
    peers = {
        mode: (found[mode]["peer"]["recall"]["value"], found[mode]["peer"]["precision"]["value"])
        for mode in lines
    }
    body = [
        f"<svg width='{_WIDE}' height='{_HIGH}' role='img' aria-label='Precision against recall'>",
        f"<path d='M{_EDGE} 10V{_HIGH - _EDGE}H{_WIDE - 10}' fill='none' stroke='#444'/>",
        f"<text x='{_WIDE // 2}' y='{_HIGH - 8}' font-size='12'>recall</text>",
        f"<text x='4' y='{_HIGH // 2}' font-size='12' transform='rotate(-90 12 {_HIGH // 2})'>precision"
        "</text>",
    ]
    for mark in (0.0, 0.5, 1.0):
        x, y = _at(mark, 0.5)[0], _at(0, max(mark, 0.5))[1]
        body.append(f"<text x='{x - 8}' y='{_HIGH - _EDGE + 14}' font-size='11'>{mark}</text>")
        if mark:
            body.append(f"<text x='{_EDGE - 26}' y='{y + 4}' font-size='11'>{mark}</text>")
    for (mode, points), colour in zip(lines.items(), _COLOURS, strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_at(p["recall"], p["precision"]) for p in points))
        body.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        recall, precision = peers[mode]
        if recall is not None and precision is not None:
            x, y = _at(recall, precision)
            body.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='none' stroke='{colour}'/>")
    body.append("</svg>")
    legend = ", ".join(
        f"<span style='color:{colour}'>{mode}</span>" for mode, colour in zip(lines, _COLOURS, strict=False)
    )
    reached = "".join(
        f"<li>{mode}: recall {found[mode]['recall_at_precision']['0.99']:.3f} at precision 0.99, "
        f"{found[mode]['recall_at_precision']['1.0']:.3f} at 1.0</li>"
        for mode in lines
    )
    return (
        f"<h3>Precision against recall of the score</h3>{''.join(body)}<p>Curves: {legend}; circles: the "
        f"peer's sample rules. Precision below one half is drawn at one half.</p><ul>{reached}</ul>"
    )


def _at(recall: float, precision: float) -> tuple[float, float]:
    wide, high = _WIDE - _EDGE - 10, _HIGH - _EDGE - 10
    return _EDGE + recall * wide, 10 + (1 - max(precision, 0.5)) / 0.5 * high


def _days(found: Mapping[str, Any]) -> str:
    rows = []
    for way in ("aggregate", "sightings", "peer-aggregate"):
        for klass, told in found.get(way, {}).items():
            waits = [
                "not in time" if told[k] is None else f"{told[k]:.0f}" for k in ("median_days", "days_90")
            ]
            name = klass.removeprefix("clone_")
            rows.append([way, name, f"{told['called']} of {told['identities']}", *waits])
    if not rows:
        return ""
    return (
        f"<h3>Days to detect</h3><p>World {escape(found['world'])}; {escape(found['of'])}; runs on "
        f"{escape(', '.join(found['runs']))}.</p>"
        + _table(["", "class", "called", "median days", "90 % within"], rows)
    )
