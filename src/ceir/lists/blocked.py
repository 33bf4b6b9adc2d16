"""Equipment that no network may serve."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="blocked",
    title="Blocked list",
    doc="Equipment with a block date that has come, unless it is golden. An excepted subscriber may still "
    "use it.",
    source="ITU-T Q.5055 (blocked list)",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn("block_date", "Earliest day from which it is blocked, YYYYMMDD."),
        ListColumn("reasons", "Why: the different reasons, sorted, joined by |."),
    ),
    key=("imei",),
    sql="SELECT imei_text AS imei, block_date, reason_text AS reasons FROM decisions WHERE outcome = "
    "'blocked'",
    reasons={"added": "'blocked'", "removed": "'unblocked'", "changed": "'changed'"},
    receivers="every operator",
    peer_name="blacklist",
)
