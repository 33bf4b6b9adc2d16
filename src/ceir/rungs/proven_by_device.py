"""The device in the subscriber's hands vouched for its identity."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="proven_by_device",
    title="Proved by the device",
    doc="The device in the subscriber's hands vouched for its identity.",
    says="the device itself vouched for its identity, with this subscriber",
    query="SELECT DISTINCT u.imei, u.imsi FROM users AS u JOIN proofs AS p ON p.imei = u.imei AND "
    "p.imsi = u.imsi WHERE p.kind = 'device'",
    reads=("proofs",),
)
