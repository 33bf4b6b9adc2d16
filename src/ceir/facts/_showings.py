"""Days on which subscribers of one identity show different words of a fingerprint, in turn."""


def days_in_turn_sql(word: str) -> str:
    """SELECT of imei and value: days on which somebody showed another word than the subscriber before him.

    Words that the identity showed on one day only are left out, for networks tell odd ones now and then. An
    update changes the word once, two devices in turn change it again and again.

    Args:
        word: a column of `shown`.
    """
    days = (
        f"SELECT DISTINCT imei, imsi, seen_on, {word} AS word FROM {{shown}} WHERE {word} IS NOT NULL "
        f"AND imei IN (SELECT imei FROM {{shown}} GROUP BY imei HAVING MIN({word}) <> MAX({word}))"
    )
    kept = f"SELECT imei, word FROM ({days}) AS days GROUP BY imei, word HAVING MIN(seen_on) <> MAX(seen_on)"
    order = "OVER (PARTITION BY d.imei ORDER BY d.seen_on, d.imsi, d.word)"
    steps = (
        f"SELECT d.imei, d.imsi, d.seen_on, d.word, LAG(d.imsi) {order} AS imsi_before, "
        f"LAG(d.word) {order} AS word_before FROM ({days}) AS d JOIN ({kept}) AS k "
        "ON k.imei = d.imei AND k.word = d.word"
    )
    turns = (
        f"SELECT imei, COUNT(DISTINCT seen_on) AS days FROM ({steps}) AS steps "
        "WHERE imsi <> imsi_before AND word <> word_before GROUP BY imei"
    )
    return (
        "SELECT e.imei, CAST(COALESCE(t.days, 0) AS INTEGER) AS value FROM "
        f"(SELECT DISTINCT imei FROM {{shown}}) AS e LEFT JOIN ({turns}) AS t ON t.imei = e.imei"
    )
