"""What a model's devices declare of their radios, and which subscribers' devices declare the same.

The norm is taken from devices that one subscriber alone showed fingerprints with, operator by operator: a
network keeps what it asked for, so that two networks may know one device by two words.
"""

from collections.abc import Mapping

from ceir.facts.declaration import VALID_IMSI, Context, Sql

LEAST_DEVICES = 20
"""Devices of the model at an operator: of fewer nobody can say what is usual."""

USUAL_DEVICES, USUAL_PERCENT = 3, 10
"""A word that so many devices of the model declare, and this share of them, is usual: releases of software
differ."""

STRANGE_PERCENT = 2
"""A word that fewer of them declare is strange."""

LEAST_DAYS, MOST_PERCENT = 3, 80
"""What a subscriber's device is: what it declared on so many days, and on this share of the days known."""


def _declared(c: Context) -> str:
    """What devices of the suspected identities' models declared, in the window."""
    assert c.start is not None
    return (
        "SELECT DISTINCT imei, imsi, operator, seen_on, capability, CAST(imei // 1000000 AS INTEGER) AS tac "
        f"FROM fingerprints WHERE capability IS NOT NULL AND {VALID_IMSI} "
        f"AND seen_on >= {c.start} AND seen_on < {c.end} AND imei >= 0 "
        "AND CAST(imei // 1000000 AS INTEGER) IN (SELECT tac FROM users WHERE imei >= 0)"
    )


_ALONE = (
    "SELECT t.tac, t.operator, t.imei, t.capability FROM declared AS t JOIN (SELECT imei FROM declared "
    "GROUP BY imei HAVING MIN(imsi) = MAX(imsi)) AS a ON a.imei = t.imei"
)
_MODELS = (
    f"SELECT tac, operator, COUNT(DISTINCT imei) AS devices FROM ({_ALONE}) AS alone "
    f"GROUP BY tac, operator HAVING COUNT(DISTINCT imei) >= {LEAST_DEVICES}"
)
_WORDS = (
    f"SELECT tac, operator, capability, COUNT(DISTINCT imei) AS devices FROM ({_ALONE}) AS alone "
    "GROUP BY tac, operator, capability"
)
_DAYS = (
    "SELECT t.imei, t.imsi, "
    f"CASE WHEN w.devices >= {USUAL_DEVICES} AND w.devices * 100 >= m.devices * {USUAL_PERCENT} "
    "THEN 1 ELSE 0 END AS alike, "
    f"CASE WHEN COALESCE(w.devices, 0) * 100 < m.devices * {STRANGE_PERCENT} THEN 1 ELSE 0 END AS strange "
    "FROM declared AS t JOIN users AS u ON u.imei = t.imei AND u.imsi = t.imsi "
    f"JOIN ({_MODELS}) AS m ON m.tac = t.tac AND m.operator = t.operator "
    f"LEFT JOIN ({_WORDS}) AS w ON w.tac = t.tac AND w.operator = t.operator "
    "AND w.capability = t.capability"
)
_KNOWN = (
    f"SELECT imei, imsi, CASE WHEN SUM(alike) * 100 >= COUNT(*) * {MOST_PERCENT} THEN 1 ELSE 0 END AS "
    f"alike, CASE WHEN SUM(strange) * 100 >= COUNT(*) * {MOST_PERCENT} THEN 1 ELSE 0 END AS strange "
    f"FROM ({_DAYS}) AS days GROUP BY imei, imsi HAVING COUNT(*) >= {LEAST_DAYS}"
)

TABLES: Mapping[str, Sql] = {
    "declared": _declared,
    # Every line of `users`: alike 1 where its device declares what is usual for the model, strange 1 where it
    # declares what is not; both 0: nobody knows.
    "declared_lines": "SELECT u.imei, u.imsi, u.person, u.present, COALESCE(k.alike, 0) AS alike, "
    f"COALESCE(k.strange, 0) AS strange FROM users AS u LEFT JOIN ({_KNOWN}) AS k "
    "ON k.imei = u.imei AND k.imsi = u.imsi",
}
