"""The TAC has a certificate of type approval in force."""

from ceir.facts.declaration import Context, Fact


def _approved(context: Context) -> str:
    return (
        "SELECT DISTINCT tac, TRUE AS value FROM type_approvals "
        "WHERE (status IS NULL OR status = 'valid') "
        f"AND (valid_from IS NULL OR valid_from < {context.end}) "
        f"AND (valid_until IS NULL OR valid_until >= {context.end - 1})"
    )


FACT = Fact(
    name="type_approved",
    title="Type approved",
    doc="True when a certificate for the TAC is in force on the day of the run.",
    type="BOOLEAN",
    query=_approved,
    key="tac",
    otherwise="FALSE",
    reads=("type-approvals",),
)
