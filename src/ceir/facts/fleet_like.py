"""True when many subscribers used it, nearly all of them on one day only."""

from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="fleet_like",
    title="Many passing subscribers",
    doc="True when five or more valid IMSIs were seen with it in the window, at least four in five of them "
    "on one day only: a repair bench, a test set, somebody who changes SIM cards for their bonus.",
    type="BOOLEAN",
    query=(
        "SELECT imei, COUNT(*) >= 5 AND SUM(CASE WHEN days = 1 THEN 1 ELSE 0 END) * 5 >= COUNT(*) * 4 AS "
        "value FROM (SELECT imei, imsi, SUM(BIT_COUNT(day_mask)) AS days FROM {uses_days} "
        "GROUP BY imei, imsi) AS users GROUP BY imei"
    ),
    otherwise="FALSE",
    workings=("uses_days",),
    parameters=WINDOW,
)
