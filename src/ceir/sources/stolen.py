"""Devices reported stolen or lost in the country."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, IMEI, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="stolen",
    title="Stolen and lost devices",
    doc="Devices reported stolen or lost in the country.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("reporting_date", ("reporting_date",), DAY, "Day of the report.", unit="days since 1970-01-01"),
        Field(
            "status",
            ("status",),
            status("blacklist", "pending", "recovered", "withdrawn"),
            "Empty or `blacklist`: in force.",
        ),
    ),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei,reporting_date,status\n356759040000011,20260115,blacklist\n",
    changes=("add", "remove", "update"),
    peer_name="stolen_list",
)
