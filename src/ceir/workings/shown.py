"""What an identity that has several subscribers showed of itself."""

from ceir.facts.declaration import VALID_IMSI, WINDOW
from ceir.tables import Column
from ceir.workings.declaration import Working

WORKING = Working(
    name="shown",
    title="Fingerprints that matter",
    doc="Fingerprints in the window of identities that two or more valid IMSIs showed one with.",
    grain="one fingerprint",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("seen_on", "INTEGER", "Day.", "days since 1970-01-01"),
        Column("software_version", "INTEGER", "Software version of the IMEISV."),
        Column("capability", "VARCHAR", "Stands for the radio capabilities."),
        Column("agent", "VARCHAR", "Stands for what its software called itself."),
    ),
    query=(
        "SELECT DISTINCT imei, imsi, seen_on, software_version, capability, agent FROM {fingerprints} "
        f"WHERE {VALID_IMSI} AND imei IN (SELECT imei FROM {{fingerprints}} WHERE {VALID_IMSI} "
        "GROUP BY imei HAVING MIN(imsi) <> MAX(imsi))"
    ),
    reads=("fingerprints",),
    parameters=WINDOW,
)
