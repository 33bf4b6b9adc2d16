"""Which equipment lies in ranges of identities, and in which, without comparing each with each."""

TAC = 1_000_000
"""Identities of a TAC, and of a range at most: a range lies in one TAC or in two neighbours."""

_WIDTH = 2 * TAC


def in_ranges_sql(equipment: str, ranges: str) -> str:
    """SELECT of the equipment in any of the ranges: imei, and first_imei and last_imei of one it lies in.

    Of several ranges it is the one that reaches furthest, and of those the shortest. Malformed identities lie
    in none. Why so: along the identities of a TAC, an identity lies in a range if and only if the furthest
    end of all ranges that began so far is not before it. That is one sort, however many ranges overlap; a
    join on the TAC would compare every identity of a TAC with every range in it.

    Args:
        equipment: relation with columns imei and tac.
        ranges: relation with columns first_imei and last_imei, no wider than a TAC.
    """
    first_tac, last_tac = f"first_imei // {TAC}", f"last_imei // {TAC}"
    parts = (
        f"SELECT CAST({first_tac} AS INTEGER) AS tac, first_imei AS place, first_imei, last_imei "
        f"FROM {ranges} UNION ALL SELECT CAST({last_tac} AS INTEGER) AS tac, {last_tac} * {TAC} AS place, "
        f"first_imei, last_imei FROM {ranges} WHERE {last_tac} <> {first_tac}"
    )
    tacs = f"SELECT {first_tac} AS tac FROM {ranges} UNION SELECT {last_tac} AS tac FROM {ranges}"
    # End and beginning of a range, counted from the TAC before, as one number: its maximum is of one range.
    zero = f"(CAST(tac AS BIGINT) - 1) * {TAC}"
    along = (
        "SELECT tac, place, CAST(NULL AS BIGINT) AS imei, "
        f"(last_imei - {zero}) * {_WIDTH} + first_imei - {zero} AS reach FROM ({parts}) AS parts "
        "UNION ALL SELECT tac, imei AS place, imei, CAST(NULL AS BIGINT) AS reach "
        f"FROM {equipment} WHERE imei >= 0 AND tac IN ({tacs})"
    )
    met = (
        f"SELECT imei, {zero} AS zero, MAX(reach) OVER (PARTITION BY tac ORDER BY place) AS reach "
        f"FROM ({along}) AS along"
    )
    return (
        f"SELECT imei, zero + reach % {_WIDTH} AS first_imei, zero + reach // {_WIDTH} AS last_imei "
        f"FROM ({met}) AS met WHERE imei IS NOT NULL AND zero + reach // {_WIDTH} >= imei"
    )
