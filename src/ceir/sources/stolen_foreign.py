"""Devices that other countries report stolen: kept apart, so that a foreign file never replaces the local
list."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, IMEI, TEXT, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="stolen-foreign",
    title="Stolen devices of other countries",
    doc="Devices that other countries or the GSMA registry report stolen.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("reporting_date", ("reporting_date",), DAY, "Day of the report.", unit="days since 1970-01-01"),
        Field(
            "status",
            ("status",),
            status("blacklist", "pending", "recovered", "withdrawn"),
            "Empty or `blacklist`: in force.",
        ),
        Field("country", ("country",), TEXT, "Who reports it.", optional_header=True),
    ),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei,reporting_date,status,country\n356759040000011,20260115,,XX\n",
    changes=("add", "remove", "update"),
)
