"""The ladder that new versions of the weights carry: reasoned, not fitted, and copied into each file.

A list somebody keeps, or something proved, may decide alone. What is only observed may not, but for the day
on which the identity was first seen together with months alone or with hardware that nobody else shows.
What a copy used before the genuine device was sold shows as well, being the first user at a steady home, must
stay below `genuine_at`.
"""

from decimal import Decimal
from typing import Final

from ceir.weights.declaration import Ladder

LADDER: Final = Ladder(
    genuine_at=Decimal("3.0"),
    margin=Decimal("2.0"),
    clone_below=Decimal("1.0"),
    side_by_side_days=5,
    rungs={
        "associated": Decimal("4.0"),
        "associated_to_another": Decimal("-1.5"),
        # one in about thirty honest devices declares something strange, nearly all hardware of copies does
        "capability_of_model": Decimal("1.5"),
        "capability_unlike_model": Decimal("-1.5"),
        "first_since_release": Decimal("2.0"),
        "first_user": Decimal("2.0"),
        # a town has many homes: it tips a balance, and with the first use alone decides nothing
        "home_from_before": Decimal("0.5"),
        "long_before_others": Decimal("1.5"),
        "paired": Decimal("6.0"),
        "proven_by_device": Decimal("6.0"),
        "proven_by_maker": Decimal("5.0"),
        "proven_purchase": Decimal("3.0"),
        "technology_beyond_model": Decimal("-4.0"),
        "used_before_release": Decimal("-4.0"),
    },
)
