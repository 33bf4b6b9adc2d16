"""How long a new TAC may be missing from the allocation list."""

from ceir.facts.declaration import Context, Fact


def _delay(context: Context) -> str:
    if context.parameters.get("ignore_delays") or not context.allocation_delays:
        return "0"
    cases = " ".join(f"WHEN {body} THEN {days}" for body, days in sorted(context.allocation_delays.items()))
    return f"CASE reporting_body {cases} ELSE 0 END"


FACT = Fact(
    name="allocation_delay",
    title="Allocation delay",
    doc="Days that a TAC of this reporting body may be on air before it appears in the allocation list.",
    type="INTEGER",
    expression=_delay,
    parameters=("ignore_delays",),
    unit="days",
)
