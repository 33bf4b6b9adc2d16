"""The register paired the subscriber with the device."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="paired",
    title="Paired",
    doc="The register paired the subscriber with the device, after whatever it asked for.",
    says="the register paired the subscriber with this device",
    query="SELECT DISTINCT u.imei, u.imsi FROM users AS u JOIN pairings AS p ON p.imei = u.imei AND "
    "p.imsi = u.imsi",
    reads=("pairings",),
)
