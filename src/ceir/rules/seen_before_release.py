"""Seen before its import was released.

An identity on an importer's list was on air before customs released it: a copied list or a diverted device.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="seen_before_release",
    title="Seen before its import was released",
    doc="An identity on an importer's list was on air before customs released it: a copied list or a "
    "diverted device.",
    reason="This identity is on an import list, and the network saw it on {first_seen}, before its release "
    "({released_on}).",
    source="Practice (Colombia 2014: unsold identities cloned)",
    needs=("imported", "released_on", "first_seen"),
    matches="imported AND (released_on IS NULL OR first_seen < released_on)",
    examples=(
        Example(
            given={"imported": True, "released_on": 200, "first_seen": 199},
            matches=True,
            because="seen the day before release",
        ),
        Example(
            given={"imported": True, "released_on": 200, "first_seen": 200},
            matches=False,
            because="seen on the day of release",
        ),
        Example(
            given={"imported": False, "released_on": None, "first_seen": 100},
            matches=False,
            because="not on an import list",
        ),
        Example(
            given={"imported": True, "released_on": None, "first_seen": 100},
            matches=True,
            because="not released yet",
        ),
    ),
)
