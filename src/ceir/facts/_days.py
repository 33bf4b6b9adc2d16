"""Days as bits of a month's mask, as SQL."""

DAYS_OF_MONTH = " UNION ALL ".join(f"SELECT {d} AS day_bit, {1 << d} AS bit" for d in range(31))
"""SELECT of the 31 bits of a mask: `day_bit` from 0, and `bit`."""


def unpacked_sql(masks: str, columns: str, mask: str = "day_mask") -> str:
    """SELECT of one row for each day of a mask: the columns, and `day` as a day number.

    Args:
        masks: SELECT with month_start and the mask.
    """
    return (
        f"SELECT {columns}, month_start + day_bit AS day FROM ({masks}) AS masks "
        f"CROSS JOIN ({DAYS_OF_MONTH}) AS bits WHERE ({mask} & bit) <> 0"
    )


def first_day_sql(mask: str) -> str:
    """Expression: the number of days from the month's first day to the first day of a mask."""
    return f"BIT_COUNT(({mask} & -{mask}) - 1)"
