"""The GSMA allocation list: which TACs exist and what model each stands for."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import GSMA_DAY, TAC, TEXT
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="tac",
    title="GSMA TAC list",
    doc="Every Type Allocation Code that GSMA's reporting bodies gave out, with its model.",
    fields=(
        Field("tac", ("tac",), TAC, "Type Allocation Code.", required=True),
        Field("manufacturer", ("manufacturer",), TEXT, "Manufacturer."),
        Field(
            "model_name",
            ("model_name",),
            TEXT,
            "Model; with the manufacturer it names a model of several TACs.",
        ),
        Field("bands", ("bands",), TEXT, "Bands and technologies the model supports."),
        Field(
            "allocation_date",
            ("allocation_date",),
            GSMA_DAY,
            "Day of allocation.",
            unit="days since 1970-01-01",
        ),
        Field("device_type", ("device_type",), TEXT, "Kind of equipment."),
        Field("brand_name", ("brand_name",), TEXT, "Brand.", optional_header=True),
        Field("marketing_name", ("marketing_name",), TEXT, "Name it is sold under.", optional_header=True),
    ),
    key=("tac",),
    subject="tac",
    checks=list_checks(absolute=100, share=0),
    delimiter="|",
    changes=(),
    keep_unknown=True,
    split_quotes=False,
    peer_name="gsma_tac",
    example="TAC|Manufacturer|Bands|Allocation Date|Model Name|Device Type\n"
    "35675904|Oppo|LTE FDD BAND 3,GSM 900|05-Mar-2019|N1|Smartphone\n",
)
