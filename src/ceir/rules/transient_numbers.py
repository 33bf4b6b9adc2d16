"""Numbers come and go in steps.

Many numbers a day, evenly spaced and all at one operator: a SIM box, not a person.
"""

from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="transient_numbers",
    title="Numbers come and go in steps",
    doc="Many numbers a day, evenly spaced and all at one operator: a SIM box, not a person.",
    reason="This identity used many numbers, {number_step} apart, at one operator: the pattern of a SIM box.",
    source="Practice against SIM-box fraud",
    needs=("number_days", "number_step", "operator_count"),
    matches="number_days >= numbers * period_days AND number_step IS NOT NULL AND operator_count = 1",
    examples=(
        Example(
            given={"number_days": 30, "number_step": 1, "operator_count": 1},
            matches=True,
            because="three numbers a day, one apart",
            parameters={"numbers": 3, "period_days": 10},
        ),
        Example(
            given={"number_days": 29, "number_step": 1, "operator_count": 1},
            matches=False,
            because="fewer than three a day",
            parameters={"numbers": 3, "period_days": 10},
        ),
        Example(
            given={"number_days": 300, "number_step": None, "operator_count": 1},
            matches=False,
            because="not evenly spaced",
            parameters={"numbers": 3, "period_days": 10},
        ),
        Example(
            given={"number_days": 300, "number_step": 1, "operator_count": 2},
            matches=False,
            because="two operators",
            parameters={"numbers": 3, "period_days": 10},
        ),
    ),
    parameters=(
        Parameter(
            "period_days", "int", "Days looked at, ending with the day of the run.", required=True, minimum=1
        ),
        Parameter(
            "numbers",
            "int",
            "Least numbers a day; fewer than three cannot show a pattern.",
            required=True,
            minimum=3,
        ),
    ),
    peer_name="transient_imei",
)
