from ceir.facts import all_facts
from ceir.reference._markdown import codes, columns, head, join, link, whole
from ceir.workings import Working, all_workings


def page() -> str:
    """Every working: what a row stands for, its columns, what it rests on and which facts read it."""
    parts = [
        head(
            "Workings",
            "A working is a relation between what was observed and what is true of a piece of equipment: "
            "several facts read it, and it is computed once a run, before them, and only if a rule of the "
            "policy needs one of them. Nothing of it is kept; `ceir explain` makes it anew for an identity.",
        )
    ]
    return whole(parts + [_working(working) for working in all_workings().values()])


def _working(working: Working) -> str:
    told = [f"One row: {working.grain}."]
    if working.rows != "none":
        told.append("Rests on the observations of the window.")
    if working.reads:
        told.append(f"Rests on {codes(working.reads)}; unknown while one was never ingested.")
    if working.may_read:
        told.append(f"Also looks at {codes(working.may_read)}.")
    if working.workings:
        told.append("Reads " + ", ".join(link(name) for name in working.workings) + ".")
    if working.parameters:
        told.append(f"Parameters: {codes(working.parameters)}.")
    facts = [link(f.name, "facts.md") for f in all_facts().values() if working.name in f.workings]
    if facts:
        told.append(f"Read by {', '.join(facts)}.")
    return join(
        f"## {working.name}", f"**{working.title}.** {working.doc}", " ".join(told), columns(working.columns)
    )
