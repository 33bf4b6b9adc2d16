"""Identities that are registered as one device, and where both were at the same time."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import beyond_sql
from ceir.workings.declaration import Working

APART_KM = 10
MOST_IDENTITIES = 4
"""A device with more identities than that is a list's mistake: a batch number, or an empty word."""

SLOT = 900
"""Seconds in which two sightings count as at the same time."""


def _query(c: Context) -> str:
    apart = int(str(c.parameters["apart_km"])) * 1000
    registered = "SELECT imei, device_id FROM registrations WHERE status IS NULL OR status = 'whitelist'"
    pairs = (
        f"SELECT r.imei, r.device_id FROM ({registered}) AS r JOIN (SELECT device_id FROM ({registered}) AS "
        f"d GROUP BY device_id HAVING COUNT(*) BETWEEN 2 AND {MOST_IDENTITIES}) AS few "
        "ON few.device_id = r.device_id"
    )
    slots = (
        f"SELECT DISTINCT m.device_id, s.imei, s.started_at // {SLOT} AS slot, p.place, p.radius_m, p.x, "
        f"p.y, p.z FROM {{sightings}} AS s JOIN ({pairs}) AS m ON m.imei = s.imei "
        "JOIN {places} AS p ON p.cell = s.cell"
    )
    beyond = beyond_sql(distance_sql("a", "b"), "a", "b")
    return (
        "SELECT imei, mate, CAST(slot AS BIGINT) * "
        f"{SLOT} AS moment, CAST(MIN(beyond) AS INTEGER) AS distance_m, MIN(beyond) > {apart} AS apart FROM ("
        f"SELECT a.imei, b.imei AS mate, a.slot, {beyond} AS beyond FROM ({slots}) AS a JOIN ({slots}) AS b "
        "ON b.device_id = a.device_id AND b.slot = a.slot WHERE a.imei <> b.imei) AS met "
        "GROUP BY imei, mate, slot"
    )


WORKING = Working(
    name="mates",
    title="Mates",
    doc="Identities that are registered as one device, and how far apart both were each time that both were "
    f"sighted within {SLOT // 60} minutes. Of devices with {MOST_IDENTITIES} identities at most.",
    grain="(imei, mate, moment)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("mate", "BIGINT", "Another of the same device."),
        Column("moment", "BIGINT", "Begin of the quarter of an hour.", "seconds since 1970-01-01 UTC"),
        Column("distance_m", "INTEGER", "Least distance of both in it, between edges of cells.", "metres"),
        Column("apart", "BOOLEAN", "So far that they are not one device."),
    ),
    query=_query,
    reads=("sightings", "registrations", "cells"),
    workings=("places",),
    parameters=(*WINDOW, "apart_km"),
    defaults={"apart_km": APART_KM},
    mates=(
        "SELECT imei FROM {registrations} WHERE device_id IN (SELECT device_id FROM {registrations} "
        "WHERE imei IN (SELECT imei FROM {scope}))"
    ),
    single=True,
)
