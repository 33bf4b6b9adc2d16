"""Who may use equipment although it is blocked."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="exceptions",
    title="Exception list",
    doc="Equipment that works with these subscribers although its identity is blocked: pairings, and the "
    "lines that a condition keeps by its `exceptions`. Barred equipment is left out unless the policy says "
    "otherwise. The home operator of the IMSI receives it; if it is none of the policy's, all do.",
    source="ITU-T Q.5052 clause 8 (genuine device)",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn("imsi", "The subscriber.", personal=True),
        ListColumn("msisdn", "The number; may be empty.", personal=True),
    ),
    key=("imei", "imsi", "msisdn"),
    sql="SELECT operator, imei_text AS imei, imsi_text AS imsi, msisdn_text AS msisdn FROM paired",
    reasons={"added": "'added'", "removed": "'removed'", "changed": "'changed'"},
    receivers="the subscriber's home operator",
    per_operator=True,
    retention="subscriber",
    peer_name="exceptions",
)
