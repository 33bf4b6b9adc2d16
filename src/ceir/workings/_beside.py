"""Days on which one user of an identity was seen beside another, without comparing each with each."""


def beside_sql(uses: str, user: str) -> str:
    """SELECT of uses with `beside`: of the days of each, those on which the identity had another user too.

    Why so: a day has two users if and only if it is among the days of one and among those of any user sorted
    before him. That is one sort, also for a filler that millions of people have.

    Args:
        uses: SELECT of (imei, `user`, month, month_start, day_mask), one row a user and month.
        user: the column that tells users apart.
    """
    return (
        f"SELECT imei, {user}, month, month_start, day_mask, CAST(day_mask & COALESCE(twice, 0) AS INTEGER) "
        "AS beside FROM (SELECT *, BIT_OR(day_mask & COALESCE(before, 0)) OVER (PARTITION BY imei, month) "
        "AS twice FROM (SELECT *, BIT_OR(day_mask) OVER (PARTITION BY imei, month "
        f"ORDER BY {user} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
        f"FROM ({uses}) AS uses) AS sorted) AS met"
    )
