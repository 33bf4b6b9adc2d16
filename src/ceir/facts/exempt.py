"""The kind of equipment needs no registration."""

from ceir.facts.declaration import Context, Fact


def _exempt(context: Context) -> str:
    types = ", ".join("'" + t.replace("'", "''") + "'" for t in context.exempt_device_types)
    if not types:
        return "SELECT tac, TRUE AS value FROM tac WHERE FALSE"
    return f"SELECT tac, TRUE AS value FROM tac WHERE device_type IN ({types})"


FACT = Fact(
    name="exempt",
    title="Exempt kind",
    doc="True when the TAC's kind of equipment is exempt by policy; equipment of unknown TAC is not exempt.",
    type="BOOLEAN",
    query=_exempt,
    key="tac",
    otherwise="FALSE",
    reads=lambda context: ("tac",) if context.exempt_device_types else (),
)
