"""How much of an identity's life sightings tell."""

from ceir.facts.declaration import WINDOW
from ceir.tables import Column
from ceir.workings.declaration import Working

WORKING = Working(
    name="sighted_equipment",
    title="How much sightings tell",
    doc="For identities that two or more valid IMSIs were sighted with: on how many days, and how many of "
    "the subscribers where.",
    grain="one identity",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("days", "INTEGER", "Days (UTC) with sightings.", "days"),
        Column("located", "INTEGER", "Subscribers sighted in a cell that is known to stand somewhere."),
    ),
    query=(
        "SELECT imei, CAST(COUNT(DISTINCT started_at // 86400) AS INTEGER) AS days, "
        "CAST(COUNT(DISTINCT CASE WHEN place IS NOT NULL THEN imsi END) AS INTEGER) AS located "
        "FROM {sighted} GROUP BY imei"
    ),
    workings=("sighted",),
    parameters=WINDOW,
)
