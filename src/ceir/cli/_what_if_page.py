"""A what-if as one page: everything in one file, no script, nothing fetched, a table beside every chart."""

from collections.abc import Iterable, Sequence
from html import escape

from ceir.cli._charts import bars, curves, legend, patterns
from ceir.cli._what_if_words import (
    UNKNOWN,
    amount,
    budget_sentence,
    change_rows,
    expected_sentence,
    main_sentences,
    precision_words,
)
from ceir.pipeline.what_if.result import Count, Group, Side, WhatIf

STYLE = """
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1b1f24; background: #ffffff; margin: 0 auto;
  max-inline-size: 76rem; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin-block: 0 .25rem; }
h2 { font-size: 1.2rem; margin-block: 2.2rem .5rem; border-block-end: 2px solid #1b1f24; }
p { max-inline-size: 46rem; }
.sub { color: #454c55; margin-block: 0 1rem; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none; }
.cards li { border: 1px solid #6b737c; border-radius: .4rem; padding: .7rem 1rem; min-inline-size: 11rem; }
.cards b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
.both { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; align-items: flex-start; }
.both > figure { flex: 1 1 27rem; margin: 0; min-inline-size: 0; }
.both > .scroll { flex: 1 1 33rem; min-inline-size: 0; }
.scroll { overflow-x: auto; }
svg[role=img] { inline-size: 100%; block-size: auto; }
svg text { font: 13px system-ui, sans-serif; fill: #1b1f24; }
svg text.value { font-size: 11px; font-variant-numeric: tabular-nums; }
svg text.name { unicode-bidi: plaintext; }
.hidden { position: absolute; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-weight: 600; padding-block-end: .3rem; }
th, td { padding: .25rem .7rem; border-block-end: 1px solid #c8ccd0; text-align: start; vertical-align: top; }
thead th { border-block-end: 2px solid #6b737c; vertical-align: bottom; }
th[scope=row] { font-weight: 400; min-inline-size: 9rem; max-inline-size: 20rem; overflow-wrap: break-word; }
.n { text-align: end; white-space: nowrap; }
thead .n { white-space: normal; }
.legend { margin-block: .2rem .6rem; font-size: .9rem; }
.warn { border-inline-start: .35rem solid #8f2400; padding-inline-start: .8rem; }
.good { border-inline-start: .35rem solid #1d5f2f; padding-inline-start: .8rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
@media print { body { max-inline-size: none; padding: 0; } h2 { break-after: avoid; }
  .both { break-inside: avoid; } }
"""


def page(found: WhatIf) -> str:
    """The whole page."""
    new, title = found.new, f"What if: {found.new.name} {found.new.version}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(found.country)}, {found.since} to {found.until}, a run every '
        f"{found.every} days. "
        f"Compared with the policy in force, {escape(found.in_force.name)} {found.in_force.version}.</p>",
        *(f"<p>{escape(line)}</p>" for line in main_sentences(found)),
        _cards(found),
        _expected(found),
        _changes(found),
        _timeline(new),
        *_fuses(new),
        _conditions(found),
        _groups("By operator", "Operator", new.operators, found.in_force.operators),
        _groups("By region", "Region", new.regions, found.in_force.regions),
        _groups("By maker", "Maker", new.makers),
        _groups("By model", "Model", new.models),
        _groups("By age of the model", "Since its TAC was allocated", new.ages, found.in_force.ages),
        _overlaps(new),
        _notes(found),
        _made_of(found),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en" dir="ltr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f"{patterns()}{''.join(parts)}</main></body></html>\n"
    )


def _cards(found: WhatIf) -> str:
    new, difference = found.new, found.difference
    cards = (
        ("devices told", new.notified.devices),
        ("devices cut", new.cut.devices),
        ("lines cut", new.cut.lines),
        ("persons cut", new.cut.persons),
        ("devices newly cut, against today's policy", difference.newly_cut.devices),
        ("devices no longer cut", difference.no_longer_cut.devices),
    )
    shown = "".join(f"<li><b>{amount(value)}</b>{escape(name)}</li>" for name, value in cards)
    return f'<ul class="cards">{shown}</ul>'


def _expected(found: WhatIf) -> str:
    sentence, over = budget_sentence(found)
    kept = not over and bool(found.expected.calibrated)
    rows = [
        (c.condition, c.count.devices, c.count.lines, precision_words(c), c.provenance)
        for c in found.calibration
    ]
    head = ("condition", "devices cut", "lines cut", "precision", "measured how")
    return (
        "<h2>Expected wrong cuts</h2>"
        f"<p>{escape(expected_sentence(found))}</p>"
        + (f'<p class="{"good" if kept else "warn"}">{escape(sentence)}</p>' if sentence else "")
        + _table("Precision of blocking conditions", head, rows)
    )


def _changes(found: WhatIf) -> str:
    difference = found.difference
    intro = (
        "On the last day nobody is treated otherwise than under the policy in force."
        if difference.is_none
        else "On the last day, who is treated otherwise than under the policy in force."
    )
    conditions = [(c.condition, c.before, c.after, c.after - c.before) for c in difference.conditions]
    examples = _table("A few of them", ("what", "IMEI"), difference.examples) if difference.examples else ""
    return (
        f"<h2>Against the policy in force</h2><p>{intro}</p>"
        '<div class="both">'
        + _table("Who", ("change", "devices", "lines", "persons"), change_rows(found))
        + _table(
            "Devices told or cut, by condition", ("condition", "in force", "new", "difference"), conditions
        )
        + examples
        + "</div>"
    )


def _timeline(side: Side) -> str:
    days = [step.as_of for step in side.steps]
    drawn = curves(
        "Devices blocked and told on each day of the replay",
        days,
        [step.blocked for step in side.steps],
        [step.notified for step in side.steps],
    )
    rows = [
        (day.isoformat(), s.notified, s.blocked, s.newly_notified, s.newly_cut)
        for day, s in zip(days, side.steps, strict=True)
    ]
    head = ("day", "told", "cut", "newly told", "newly cut")
    return (
        f'<h2>Day by day</h2>{legend()}<div class="both"><figure>{drawn}</figure>'
        f"{_table('Devices on each day', head, rows)}</div>"
    )


def _fuses(side: Side) -> Iterable[str]:
    if side.fuses:
        rows = [(f.condition, f.as_of.isoformat(), f"{f.share:.2%}", f"{f.limit:.2%}") for f in side.fuses]
        yield (
            '<h2>Fuses</h2><p class="warn">A real run would have stopped on these days: a condition '
            "matched more "
            "than its policy thinks possible.</p>"
            + _table("First day", ("condition", "day", "share of equipment", "limit"), rows)
        )


def _conditions(found: WhatIf) -> str:
    return _groups("By condition", "Condition", found.new.conditions, found.in_force.conditions)


def _groups(title: str, first: str, groups: Sequence[Group], in_force: Sequence[Group] | None = None) -> str:
    """A chart and a table of groups.

    Args:
        in_force: the same groups under the policy in force, replayed too; None: those named differ, and are
            not compared.
    """
    head: tuple[str, ...] = (first, "told", "lines told", "cut", "lines cut", "persons cut")
    rows: list[tuple[object, ...]]
    if in_force is not None:
        head = (*head, "lines cut today")
        before = {g.name: g for g in in_force}
        here = {g.name for g in groups}
        groups = (*groups, *(Group(name=g.name) for g in in_force if g.name not in here))
    named = [(g.name or UNKNOWN, g) for g in groups]
    rows = [
        (name, g.notified.devices, g.notified.lines, g.cut.devices, g.cut.lines, g.cut.persons)
        for name, g in named
    ]
    if in_force is not None:
        rows = [
            (*row, before[g.name].cut.lines if g.name in before else 0)
            for row, (_, g) in zip(rows, named, strict=True)
        ]
    if not rows:
        return f"<h2>{escape(title)}</h2><p>Nobody is told or cut.</p>"
    drawn = bars(f"{title}: devices cut and told", [(n, g.cut.devices, g.notified.devices) for n, g in named])
    caption = "" if in_force is None else "Today: under the policy in force, on the same days"
    return (
        f'<h2>{escape(title)}</h2><div class="both"><figure>{drawn}</figure>'
        f"{_table(caption, head, rows)}</div>"
    )


def _overlaps(side: Side) -> str:
    rows = [(o.name, o.meaning, *_numbers(o.count)) for o in side.overlaps]
    return "<h2>What else is known of them</h2>" + (
        _table("", ("list", "devices that", "devices", "lines", "persons"), rows)
        if rows
        else "<p>No list of golden, registered, paired or appealed devices was ever taken in.</p>"
    )


def _notes(found: WhatIf) -> str:
    if not found.notes:
        return ""
    return (
        "<h2>Before you believe it</h2><ul>" + "".join(f"<li>{escape(n)}</li>" for n in found.notes) + "</ul>"
    )


def _made_of(found: WhatIf) -> str:
    rows = [
        ("new policy, SHA-256", found.new.sha256),
        ("policy in force, SHA-256", found.in_force.sha256),
        ("data, fingerprint", found.data),
        ("calibration, SHA-256", found.calibration_sha256 or "none"),
        ("continues run", "none" if found.continued_from is None else str(found.continued_from)),
        ("lists", "as they were on each day" if found.lists == "then" else "as they are now, on every day"),
        ("software", f"OpenCEIR {found.software}"),
    ]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><code>{escape(value)}</code></td></tr>'
        for name, value in rows
    )
    return f'<h2>Made of</h2><div class="scroll"><table><tbody>{body}</tbody></table></div>'


def _numbers(count: Count) -> tuple[object, ...]:
    return count.devices, count.lines, count.persons


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    found = [tuple(row) for row in rows]
    number = [
        all(isinstance(row[place], int) or row[place] is None for row in found) and place > 0
        for place in range(len(head))
    ]
    columns = "".join(
        f'<th scope="col"{" class=n" if right else ""}>{escape(name)}</th>'
        for name, right in zip(head, number, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, number)}</tr>" for row in found)
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return (
        f'<div class="scroll"><table>{caption}<thead><tr>{columns}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[object], number: Sequence[bool]) -> str:
    shown = []
    for place, value in enumerate(row):
        if number[place]:
            shown.append(f'<td class="n">{amount(value)}</td>')
        elif place == 0:
            # a name may be of another script than the page
            shown.append(f'<th scope="row"><bdi>{escape(str(value))}</bdi></th>')
        else:
            shown.append(f"<td>{escape(str(value))}</td>")
    return "".join(shown)
