"""Devices registered in the country, by importers, owners or the regulator."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import IMEI, TEXT, WORD, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="registrations",
    title="Registered devices",
    doc="Devices registered in the country.",
    fields=(
        Field("imei", ("approved_imei", "imei"), IMEI, "Equipment identity.", required=True),
        Field("make", ("make",), TEXT, "Maker."),
        Field("model", ("model",), TEXT, "Model."),
        Field(
            "status",
            ("status",),
            status("whitelist", "pending", "suspended", "rejected", "blacklist"),
            "Empty or `whitelist`: in force.",
        ),
        Field("model_number", ("model_number",), TEXT, "Model number.", optional_header=True),
        Field("brand_name", ("brand_name",), TEXT, "Brand.", optional_header=True),
        Field("device_type", ("device_type",), TEXT, "Kind of equipment.", optional_header=True),
        Field("radio_interface", ("radio_interface",), TEXT, "Technologies.", optional_header=True),
        Field("device_id", ("device_id",), WORD, "The device that this identity belongs to.", required=True),
    ),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,device_id\n"
    "35675904000001,Oppo,N1,whitelist,N1,Oppo,Smartphone,LTE,1001\n",
    changes=("add", "remove", "update"),
    peer_name="registration_list",
)
