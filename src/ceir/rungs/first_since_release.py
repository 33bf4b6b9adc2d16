"""The subscriber's person was the first to use an imported device, and not before its release."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="first_since_release",
    title="First since its release",
    doc="Customs released the device, and the subscriber's person, and nobody else, used it first "
    "since then.",
    says="the subscriber was the first to use this device after customs released it",
    query="SELECT u.imei, u.imsi FROM users AS u JOIN ("
    "SELECT v.imei, MIN(v.person) AS alone FROM users AS v JOIN ("
    "SELECT imei, MAX(CASE WHEN released_on IS NULL THEN 9999999 ELSE released_on END) AS released_on "
    "FROM imports GROUP BY imei) AS i ON i.imei = v.imei "
    "WHERE v.first_day = v.device_first_day AND v.first_day >= i.released_on "
    "GROUP BY v.imei HAVING COUNT(DISTINCT v.person) = 1) AS f ON f.imei = u.imei AND f.alone = u.person",
    reads=("imports",),
)
