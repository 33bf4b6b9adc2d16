"""The subscriber's person lives where the identity lived before it had more than one user.

It tells of the person, whose subscription may have changed since. Of two who live there nobody can say who it
is, and the rung says nothing.
"""

from ceir.facts import Context
from ceir.rungs.declaration import Rung
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import beyond_sql


def _query(c: Context) -> str:
    area, least = int(str(c.parameters["area_km"])) * 1000, c.parameters["least_nights"]
    shared = (
        "SELECT imei, MIN(CASE WHEN place = 2 THEN first_day END) AS since FROM ("
        "SELECT imei, first_day, ROW_NUMBER() OVER (PARTITION BY imei ORDER BY first_day, person) AS place "
        "FROM (SELECT imei, person, MIN(first_day) AS first_day FROM users GROUP BY imei, person) AS persons"
        ") AS places GROUP BY imei"
    )
    nights = (
        "SELECT n.imei, n.imsi, n.home, CASE WHEN n.night < s.since THEN 1 ELSE 0 END AS early "
        f"FROM {{home_nights}} AS n JOIN ({shared}) AS s ON s.imei = n.imei"
    )
    before = (
        f"SELECT imei, MIN(home) AS home FROM ({nights}) AS nights WHERE early = 1 GROUP BY imei "
        f"HAVING MIN(home) = MAX(home) AND COUNT(*) >= {least}"
    )
    after = (
        f"SELECT imei, imsi, home FROM ({nights}) AS nights WHERE early = 0 GROUP BY imei, imsi, home "
        f"HAVING COUNT(*) >= {least}"
    )
    there = (
        f"SELECT u.imei, u.imsi, u.person FROM users AS u JOIN ({after}) AS l "
        f"ON l.imei = u.imei AND l.imsi = u.imsi JOIN ({before}) AS e ON e.imei = u.imei "
        "JOIN {places} AS a ON a.place = e.home JOIN {places} AS b ON b.place = l.home "
        f"WHERE {beyond_sql(distance_sql('a', 'b'), 'a', 'b')} <= {area}"
    )
    return (
        f"SELECT t.imei, t.imsi FROM ({there}) AS t JOIN (SELECT imei FROM ({there}) AS t GROUP BY imei "
        "HAVING MIN(person) = MAX(person)) AS f ON f.imei = t.imei"
    )


RUNG = Rung(
    name="home_from_before",
    title="Home of before",
    doc="The home of the subscriber's person is where the identity spent its nights before it had more than "
    "one user, and nobody else's home is there.",
    says="the subscriber, and nobody else, lives where this identity was at home before others used it",
    query=_query,
    reads=("cells",),
    workings=("home_nights", "places"),
)
