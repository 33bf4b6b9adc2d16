"""Somebody declared the device as his own, and it was not the subscriber's person."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="associated_to_another",
    title="Declared by somebody else",
    doc="Somebody declared the device as his own, and it was not the registered person of the subscription.",
    says="somebody else declared this device as his own",
    query="SELECT u.imei, u.imsi FROM users AS u JOIN owners AS o ON o.imsi = u.imsi "
    "JOIN (SELECT DISTINCT imei FROM associations) AS d ON d.imei = u.imei "
    "LEFT JOIN associations AS a ON a.imei = u.imei AND a.uid = o.uid WHERE a.uid IS NULL",
    speaks_for=False,
    reads=("subscribers", "associations"),
)
