from collections.abc import Iterable

from ceir.pipeline.ingest.checking import all_checks
from ceir.reference._markdown import RETENTION, code, codes, head, join, link, number, table, whole
from ceir.sources import Check, Source, all_sources


def page() -> str:
    """Every source: columns of its files, their checks, and how a file of it is taken in."""
    sources = all_sources()
    parts = [
        head(
            "Sources",
            "A source is an incoming data set. How files must look in general, and what happens to rows that "
            "cannot be read: [formats](../formats.md).",
        ),
        table(
            ("source", "title", "one entry is known by", "deltas", "peer's name"),
            [
                (
                    link(s.name),
                    s.title,
                    codes(s.key) or "(rows are folded)",
                    codes(s.changes) or "none",
                    code(s.peer_name),
                )
                for s in sources.values()
            ],
        ),
    ]
    return whole(parts + [_source(source) for source in sources.values()])


def _source(source: Source) -> str:
    example = source.example.rstrip("\n")
    rest = []
    if source.per_operator:
        rest.append("A file belongs to one operator.")
    if source.dated_name:
        rest.append("The file's name ends with its first and last day: `..._YYYYMMDD_YYYYMMDD.csv`.")
    if source.keep_unknown:
        rest.append("Columns that are not listed here are kept as JSON in `extra`.")
    if not source.split_quotes:
        rest.append("Quotes are dropped; they do not enclose values.")
    rest.append(f"Values are separated by {code(source.delimiter)}.")
    rest.append(_kept(source))
    return join(
        f"## {source.name}",
        f"**{source.title}.** {source.doc}",
        " ".join(rest),
        table(
            ("column", "expected", "may be empty", "meaning", "stored as", "personal"),
            [
                (
                    " or ".join(code(h) for h in f.headers)
                    + (" (column may be absent)" if f.optional_header else ""),
                    f.kind.expects,
                    "no" if f.required else "yes",
                    f.doc,
                    f"{code(f.name)} {f.kind.sql_type}" + (f", {f.unit}" if f.unit else ""),
                    "yes" if f.personal else "",
                )
                for f in source.fields
            ],
        ),
        *_bonds(source),
        f"```\n{example}\n```",
        _checks(all_checks(source)),
    )


def _kept(source: Source) -> str:
    if source.table.retention != "subscriber":
        return "Kept until replaced or undone."
    if source.folded == "list":
        return (
            "The list in force is kept; a file that another full file replaced, as long as the policy's "
            "`retention.subscriber_months` allows."
        )
    return f"Kept: {RETENTION['subscriber']}."


def _bonds(source: Source) -> list[str]:
    if not source.bonds:
        return []
    headers = {f.name: f.headers[0] for f in source.fields}
    told = "; ".join(f"{code(headers[b.fields[-1]])} is {b.expects}" for b in source.bonds)
    return [f"In each row: {told}."]


def _checks(checks: Iterable[Check]) -> str:
    return table(
        ("check", "limit", "unit", "catches"),
        [(code(c.name), f"{c.passes} {number(c.limit)}", c.unit, c.why) for c in checks],
    )
