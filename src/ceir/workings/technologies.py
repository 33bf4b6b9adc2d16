"""The best radio technology each subscriber of a shared identity had."""

from ceir.facts.declaration import VALID_IMSI, WINDOW
from ceir.identifiers.rat import GENERATION_MASKS, Generation
from ceir.tables import Column
from ceir.workings.declaration import Working

_BEST = " ".join(
    f"WHEN (rats & {GENERATION_MASKS[generation]}) <> 0 THEN {number}"
    for number, generation in ((5, Generation.G5), (4, Generation.G4), (3, Generation.G3), (2, Generation.G2))
)

WORKING = Working(
    name="technologies",
    title="Technologies by subscriber",
    doc="The best generation of radio technology that each subscriber of an identity was seen on in the "
    "months that the window touches; subscribers of whom no technology was told are left out.",
    grain="(imei, imsi)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("days", "INTEGER", "Days in the window.", "days"),
        Column("best", "INTEGER", "Best generation, 2 to 5."),
    ),
    # A row of a month tells the technologies of all its days together, so whole months are looked at: else
    # the answer would depend on how files were cut and merged.
    query=(
        f"SELECT d.imei, d.imsi, d.days, CAST(CASE {_BEST} END AS INTEGER) AS best FROM ("
        "SELECT imei, imsi, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS days FROM {uses_days} "
        "GROUP BY imei, imsi) AS d JOIN ("
        "SELECT imei, imsi, BIT_OR(rats) AS rats FROM {months} AS months "
        f"WHERE {VALID_IMSI} AND imei IN (SELECT imei FROM {{uses_days}}) GROUP BY imei, imsi) AS t "
        "ON t.imei = d.imei AND t.imsi = d.imsi "
        f"WHERE CASE {_BEST} END IS NOT NULL"
    ),
    rows="shared",
    workings=("uses_days",),
    parameters=WINDOW,
)
