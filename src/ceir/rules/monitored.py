"""On the monitored list.

The regulator watches this identity; for at least so many days.
"""

from collections.abc import Mapping

from ceir.rules.declaration import Example, Parameter, Rule, Value


def _drifts(parameters: Mapping[str, Value], previous_end: int, end: int) -> str:
    days = parameters["days"]
    return f"SELECT imei FROM monitored WHERE since + {days} >= {previous_end} AND since + {days} < {end}"


RULE = Rule(
    name="monitored",
    title="On the monitored list",
    doc="The regulator watches this identity; for at least so many days.",
    reason="The regulator has been watching this identity since {monitored_since}.",
    source="ITU-T Q.5055 (tracked list)",
    needs=("monitored_since",),
    matches="monitored_since IS NOT NULL AND monitored_since + days < day_after",
    examples=(
        Example(
            given={"monitored_since": 100},
            matches=True,
            because="on the list for exactly the days",
            parameters={"days": 10, "day_after": 111},
        ),
        Example(
            given={"monitored_since": 100},
            matches=False,
            because="one day too few",
            parameters={"days": 10, "day_after": 110},
        ),
        Example(
            given={"monitored_since": None},
            matches=False,
            because="not on the list",
            parameters={"days": 0, "day_after": 900},
        ),
    ),
    parameters=(Parameter("days", "int", "Fewest days on the list.", default=0, minimum=0),),
    drifts=_drifts,
    peer_name="exists_in_monitoring_list",
)
