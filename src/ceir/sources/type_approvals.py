"""Certificates of models that may be used in the country, by TAC."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, TAC, TEXT, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="type-approvals",
    title="Type approvals",
    doc="Certificates of models that may be used, by TAC.",
    fields=(
        Field("tac", ("tac",), TAC, "Type Allocation Code.", required=True),
        Field("certificate", ("certificate",), TEXT, "Number of the certificate.", required=True),
        Field("holder", ("holder",), TEXT, "Who holds it.", optional_header=True),
        Field("model", ("model",), TEXT, "Model approved.", optional_header=True),
        Field(
            "status", ("status",), status("valid", "suspended", "withdrawn"), "Empty or `valid`: in force."
        ),
        Field(
            "valid_from",
            ("valid_from",),
            DAY,
            "First day of validity; empty: always.",
            unit="days since 1970-01-01",
        ),
        Field(
            "valid_until",
            ("valid_until",),
            DAY,
            "Last day of validity; empty: open.",
            unit="days since 1970-01-01",
        ),
    ),
    key=("tac", "certificate"),
    subject="tac",
    checks=list_checks(),
    example="tac,certificate,holder,model,status,valid_from,valid_until\n35675904,TA-2026-0001,Oppo,N1,valid,20260101,\n",
    changes=("add", "remove", "update"),
)
