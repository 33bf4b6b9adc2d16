"""The subscriber's person used the identity long before anybody else did."""

from ceir.rungs.declaration import Rung

LEAST_DAYS = 60
"""Days of use alone that make a clone of a device already in use the likelier tale."""

RUNG = Rung(
    name="long_before_others",
    title="Long before all others",
    doc=f"The subscriber's person used the identity {LEAST_DAYS} days or more before anybody else did.",
    says=f"the subscriber used this identity {LEAST_DAYS} days or more before anybody else did",
    query="SELECT u.imei, u.imsi FROM users AS u JOIN ("
    "SELECT imei, person, first_day, LEAD(first_day) OVER (PARTITION BY imei ORDER BY first_day, person) "
    "AS next_day, ROW_NUMBER() OVER (PARTITION BY imei ORDER BY first_day, person) AS place FROM ("
    "SELECT imei, person, MIN(first_day) AS first_day FROM users GROUP BY imei, person) AS persons) AS f "
    "ON f.imei = u.imei AND f.person = u.person "
    f"WHERE f.place = 1 AND f.next_day - f.first_day >= {LEAST_DAYS}",
)
