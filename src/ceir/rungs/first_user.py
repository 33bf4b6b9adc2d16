"""Nobody used the identity before the subscriber's person did.

Only where the observations still reach back to the day the identity was first seen: after retention nobody
can tell any more who was first, and the rung says nothing.
"""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="first_user",
    title="First of all",
    doc="The subscriber's person, and nobody else, used the identity on the day it was first seen.",
    says="the subscriber used this identity on the day it was first seen, and nobody else did",
    query="SELECT u.imei, u.imsi FROM users AS u JOIN ("
    "SELECT imei, MIN(person) AS alone FROM users WHERE first_day = device_first_day "
    "GROUP BY imei HAVING COUNT(DISTINCT person) = 1) AS f ON f.imei = u.imei AND f.alone = u.person",
)
