"""TAC was never allocated.

No reporting body gave out this TAC, so no maker may use it. New TACs reach the list late: each reporting body
has a delay before its absence counts.
"""

from collections.abc import Mapping

from ceir.rules.declaration import Example, Parameter, Rule, Value


def _drifts(_parameters: Mapping[str, Value], previous_end: int, _end: int) -> str:
    # No reporting body takes longer than this to list a TAC; policies are held to it.
    return (
        "SELECT e.imei FROM equipment AS e LEFT JOIN tac AS t ON t.tac = e.tac "
        f"WHERE t.tac IS NULL AND e.first_day >= {previous_end - LONGEST_DELAY}"
    )


LONGEST_DELAY = 366
"""Longest allocation delay a policy may set, in days."""

RULE = Rule(
    name="tac_not_allocated",
    title="TAC was never allocated",
    doc="No reporting body gave out this TAC, so no maker may use it. New TACs reach the list late: each "
    "reporting body has a delay before its absence counts.",
    reason="No maker was ever given the first eight digits of {imei}; the network has seen it since "
    "{first_seen}, longer than the {allocation_delay} days a new allocation may take to be listed.",
    source="GSMA TS.06; ITU-T Q.5050 clause 10.1",
    needs=("tac_allocated", "first_seen", "allocation_delay"),
    matches="NOT tac_allocated AND first_seen + allocation_delay < day_after",
    examples=(
        Example(
            given={"tac_allocated": False, "first_seen": 100, "allocation_delay": 20},
            matches=True,
            because="on air longer than the delay",
            parameters={"day_after": 130},
        ),
        Example(
            given={"tac_allocated": False, "first_seen": 100, "allocation_delay": 20},
            matches=False,
            because="first seen exactly the delay ago",
            parameters={"day_after": 120},
        ),
        Example(
            given={"tac_allocated": True, "first_seen": 100, "allocation_delay": 0},
            matches=False,
            because="allocated",
            parameters={"day_after": 900},
        ),
    ),
    parameters=(
        Parameter(
            "ignore_delays", "bool", "Count from the first day, whatever the reporting body.", default=False
        ),
    ),
    drifts=_drifts,
    peer_name="gsma_not_found",
)
