"""Counts of what sightings and fingerprints show, and when they are not known."""

UNKNOWN_IF_SHARED = "CASE WHEN imsi_low <> imsi_high THEN NULL ELSE 0 END"
"""Of equipment that is not in the working: nothing contradicts one subscriber; of several that were not
sighted, nobody knows."""


def counted_sql(counts: str, *, located: bool = False) -> str:
    """SELECT of a count for each identity that several subscribers were sighted with, 0 included.

    Args:
        counts: SELECT of imei and value.
        located: only where it is known where two subscribers were.
    """
    where = " WHERE located >= 2" if located else ""
    return (
        f"SELECT e.imei, CAST(COALESCE(c.value, 0) AS INTEGER) AS value FROM (SELECT imei FROM "
        f"{{sighted_equipment}}{where}) AS e LEFT JOIN ({counts}) AS c ON c.imei = e.imei"
    )
