from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._shelf import Shelf
from ceir.cli._tables import head, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.ingest.checking import all_checks
from ceir.sources import Source, all_sources

KEPT = {
    "months": "adds to what is there",
    "rows": "adds to what is there",
    "list": "replaces the list before",
}


def _show(session: Session, source: Source) -> None:
    session.say(Text.assemble((source.name, "bold"), f": {source.title}"))
    session.say(Text(f"\n{source.doc}\n"))
    if source.dated_name:
        session.say("The name of a file is OPERATOR_YYYYMMDD_YYYYMMDD.csv: first and last day it speaks of.")
    effect = f"A file {KEPT[source.folded]}"
    deltas = f"; a delta may {', '.join(source.changes)}." if source.changes else "; there are no deltas."
    session.say(effect + deltas)
    session.say()
    session.say(
        table(
            "Columns" if source.delimiter == "," else f"Columns, separated by {source.delimiter}",
            ("column", "expected", "needed", "meaning"),
            [
                (
                    f.headers[0],
                    f.kind.expects,
                    "value" if f.required else "no" if f.optional_header else "header",
                    f.doc,
                )
                for f in source.fields
            ],
        )
    )
    headers = {f.name: f.headers[0] for f in source.fields}
    for bond in source.bonds:
        session.say(f"In each row, {headers[bond.fields[-1]]} is {bond.expects}.")
    session.say()
    session.say(
        table(
            "Checks of a file; a policy may set other limits",
            ("check", "limit", "why"),
            [(c.name, f"{c.passes} {c.limit:g} {c.unit}", c.why) for c in all_checks(source)],
        )
    )
    session.say(head("A file"))
    session.say(Text(source.example.rstrip("\n")))


def _data(source: Source) -> dict[str, object]:
    headers = {f.name: f.headers[0] for f in source.fields}
    return {
        "name": source.name,
        "title": source.title,
        "doc": source.doc,
        "columns": [
            {
                "header": f.headers[0],
                "expects": f.kind.expects,
                "value_required": f.required,
                "header_required": not f.optional_header,
                "personal": f.personal,
                "doc": f.doc,
            }
            for f in source.fields
        ],
        "rows": [{"header": headers[b.fields[-1]], "expects": b.expects} for b in source.bonds],
        "key": source.key,
        "delimiter": source.delimiter,
        "per_operator": source.per_operator,
        "dated_name": source.dated_name,
        "changes": source.changes,
        "checks": all_checks(source),
        "example": source.example,
    }


COMMAND = Command(
    name="sources",
    panel=Panel.SHELVES,
    place=3,
    purpose="List what files can be taken in, or show how one must look.",
    explanation="A source is a kind of file that operators or authorities send. The page of one names its "
    "columns, its checks with their limits, and shows an example.",
    examples=(
        Example("ceir sources", "all of them"),
        Example("ceir sources show observations", "columns, checks and an example"),
    ),
    function=Shelf(
        "sources", all_sources, ("source", "holds"), lambda n, s: (n, s.title), _show, _data
    ).command(),
    uses="nothing",
)
