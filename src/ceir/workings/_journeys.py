"""How fast somebody must have been between two sightings, in whole numbers."""

LIMIT_KMH = 1_000
"""Above what airliners reach over ground."""

CLOCK_SKEW_SECONDS = 60
CLOCK_SKEW_BETWEEN_SECONDS = 300


def speed_sql(distance: str, seconds: str) -> str:
    """Expression: kilometres an hour, rounded down.

    Args:
        distance: metres at least travelled.
        seconds: the most time there was, at least 1.
    """
    return f"({distance} * 18) // (5 * ({seconds}))"


def beyond_sql(distance: str, one: str, other: str) -> str:
    """Expression: metres between the nearest points of two known cells; 0 where they touch."""
    return f"GREATEST({distance} - {one}.radius_m - {other}.radius_m, 0)"
