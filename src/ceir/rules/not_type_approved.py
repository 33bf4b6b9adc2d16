"""Model has no type approval.

The TAC is genuine, but no certificate of type approval for it is in force in the country.
"""

from collections.abc import Mapping

from ceir.rules.declaration import Example, Rule, Value


def _drifts(_parameters: Mapping[str, Value], previous_end: int, end: int) -> str:
    return (
        "SELECT e.imei FROM equipment AS e JOIN (SELECT DISTINCT tac FROM type_approvals "
        f"WHERE valid_from BETWEEN {previous_end} AND {end} "
        f"OR valid_until BETWEEN {previous_end - 1} AND {end}) AS moved ON moved.tac = e.tac"
    )


RULE = Rule(
    name="not_type_approved",
    title="Model has no type approval",
    doc="The TAC is genuine, but no certificate of type approval for it is in force in the country.",
    reason="The model of {imei} has no certificate of type approval in force.",
    source="ITU-T Q.5050 clause 10 (certification)",
    needs=("tac_allocated", "type_approved"),
    matches="tac_allocated AND NOT type_approved",
    examples=(
        Example(
            given={"tac_allocated": True, "type_approved": False},
            matches=True,
            because="allocated, no certificate",
        ),
        Example(
            given={"tac_allocated": True, "type_approved": True},
            matches=False,
            because="certificate in force",
        ),
        Example(
            given={"tac_allocated": False, "type_approved": False},
            matches=False,
            because="an unallocated TAC is another rule",
        ),
    ),
    drifts=_drifts,
)
