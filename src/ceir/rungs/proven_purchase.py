"""The subscriber proved to the register that the device was bought."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="proven_purchase",
    title="Purchase proved",
    doc="The subscriber proved to the register that the device was bought.",
    says="the subscriber proved to have bought this device",
    query="SELECT DISTINCT u.imei, u.imsi FROM users AS u JOIN proofs AS p ON p.imei = u.imei AND "
    "p.imsi = u.imsi WHERE p.kind = 'purchase'",
    reads=("proofs",),
)
