"""The subscriber's person declared the device as his own."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="associated",
    title="Declared by the person",
    doc="The registered person of the subscription declared the device as his own.",
    says="the person of the subscription declared this device as his own",
    query="SELECT DISTINCT u.imei, u.imsi FROM users AS u JOIN owners AS o ON o.imsi = u.imsi "
    "JOIN associations AS a ON a.imei = u.imei AND a.uid = o.uid",
    reads=("subscribers", "associations"),
)
