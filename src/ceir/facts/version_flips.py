"""How often its software version went down again."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Evidence, Fact

# Within a day versions are taken in rising order: an update must not look like a step back.
_STEPS = (
    "SELECT imei, seen_on, software_version, LAG(software_version) OVER (PARTITION BY imei "
    "ORDER BY seen_on, software_version) AS before FROM (SELECT DISTINCT imei, seen_on, software_version "
    "FROM {shown} WHERE software_version IS NOT NULL) AS versions"
)

FACT = Fact(
    name="version_flips",
    title="Software versions going back",
    doc="Times that the software version of its IMEISV was lower than before, among days with several "
    "versions taken in rising order: updates go up, two devices in turn go up and down.",
    type="INTEGER",
    query=(
        "SELECT e.imei, CAST(COUNT(s.imei) AS INTEGER) AS value FROM (SELECT DISTINCT imei FROM {shown} "
        f"WHERE software_version IS NOT NULL) AS e LEFT JOIN (SELECT imei FROM ({_STEPS}) AS steps "
        "WHERE software_version < before) AS s ON s.imei = e.imei GROUP BY e.imei"
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("shown",),
    parameters=WINDOW,
    unit="times",
    evidence=Evidence(
        title="Software versions by day and subscriber",
        query="SELECT imei, seen_on, imsi, software_version FROM {shown} WHERE software_version IS NOT NULL",
        columns=(
            ("seen_on", "day", "day"),
            ("imsi", "subscriber", "subscriber"),
            ("software_version", "software version", "plain"),
        ),
    ),
)
