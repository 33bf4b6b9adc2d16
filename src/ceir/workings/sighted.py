"""Sightings of identities that several subscribers were sighted with."""

from ceir.facts.declaration import VALID_IMSI, WINDOW, Context
from ceir.tables import Column
from ceir.workings.declaration import Working

LONGEST_HOURS = 6


def _query(c: Context) -> str:
    longest = int(str(c.parameters["longest_hours"])) * 3600
    return (
        "SELECT s.imei, s.operator, s.imsi, s.started_at, "
        f"CASE WHEN s.ended_at > s.started_at + {longest} THEN s.started_at + {longest} ELSE s.ended_at END "
        "AS ended_at, p.place FROM {sightings} AS s LEFT JOIN {places} AS p ON p.cell = s.cell "
        f"WHERE {VALID_IMSI.replace('imsi', 's.imsi')} AND s.imei IN (SELECT imei FROM {{sightings}} "
        f"WHERE {VALID_IMSI} GROUP BY imei HAVING MIN(imsi) <> MAX(imsi))"
    )


WORKING = Working(
    name="sighted",
    title="Sightings that matter",
    doc="Sightings in the window of identities that two or more valid IMSIs were sighted with in it.",
    grain="one sighting",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("operator", "VARCHAR", "Operator that told of it."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("started_at", "BIGINT", "Start.", "seconds since 1970-01-01 UTC"),
        Column(
            "ended_at",
            "BIGINT",
            "End; of one longer than a policy believes, the end that it believes.",
            "seconds since 1970-01-01 UTC",
        ),
        Column("place", "INTEGER", "The cell in `places`; null: nobody told where it stands."),
    ),
    query=_query,
    reads=("sightings",),
    workings=("places",),
    parameters=(*WINDOW, "longest_hours"),
    defaults={"longest_hours": LONGEST_HOURS},
)
