"""The maker confirmed to the register that the subscriber's device is the genuine one."""

from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="proven_by_maker",
    title="Proved by the maker",
    doc="The maker confirmed to the register that the subscriber's device is the genuine one.",
    says="the maker confirmed that this subscriber has the genuine device",
    query="SELECT DISTINCT u.imei, u.imsi FROM users AS u JOIN proofs AS p ON p.imei = u.imei AND "
    "p.imsi = u.imsi WHERE p.kind = 'maker'",
    reads=("proofs",),
)
