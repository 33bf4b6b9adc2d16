"""The subscriber used the identity before customs released the device that carries it."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="used_before_release",
    title="Before its release",
    doc="The subscriber used the identity while the imported device that carries it lay with customs.",
    says="the subscriber used this identity before customs released the device",
    query="SELECT u.imei, u.imsi FROM users AS u JOIN ("
    # a consignment in which the identity stands twice: the earliest release counts, as for the facts
    "SELECT imei, MIN(CASE WHEN released_on IS NULL THEN 9999999 ELSE released_on END) AS released_on "
    "FROM imports GROUP BY imei) AS i ON i.imei = u.imei WHERE u.first_day < i.released_on",
    speaks_for=False,
    reads=("imports",),
)
