"""The subscriber's device alone declares the radio capabilities of the model; all others' do not.

That a device declares what its model does says little by itself: a copy in hardware of the model does too.
That it is the only one does: then the genuine device is this one, or strange itself.
"""

from ceir.rungs._capabilities import LEAST_DEVICES, TABLES
from ceir.rungs.declaration import Rung

_PERSONS = (
    "SELECT imei, person, CASE WHEN SUM(alike) > 0 AND SUM(strange) = 0 THEN 1 ELSE 0 END AS alike, "
    "CASE WHEN SUM(strange) = COUNT(*) THEN 1 ELSE 0 END AS strange "
    "FROM declared_lines WHERE present GROUP BY imei, person"
)

RUNG = Rung(
    name="capability_of_model",
    title="The only one like the model",
    doc="The subscriber's device declares radio capabilities that are usual among the model's devices, and "
    "the devices of all other present users declare strange ones. Silent while one of them is not known, or "
    f"fewer than {LEAST_DEVICES} devices of the model, each with one subscriber, at the same operator.",
    says="the subscriber's device alone declares radio capabilities that the model's devices do",
    query=(
        "SELECT u.imei, u.imsi FROM users AS u JOIN ("
        "SELECT imei, MAX(CASE WHEN alike = 1 THEN person END) AS alone "
        f"FROM ({_PERSONS}) AS persons GROUP BY imei "
        "HAVING SUM(alike) = 1 AND COUNT(*) > 1 AND SUM(strange) = COUNT(*) - 1) AS f "
        "ON f.imei = u.imei AND f.alone = u.person"
    ),
    reads=("fingerprints",),
    tables=TABLES,
)
