"""Equipment that no network may serve, and nobody is excepted from it."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="blocked_outright",
    title="Blocked list without exceptions",
    doc="The blocked list for an operator whose equipment check cannot permit a subscriber on a blocked "
    "identity (`holds_exceptions = false`): identities on any exception list are left out, so that nobody "
    "innocent is cut.",
    source="ITU-T Q.5055 (blocked list)",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn("block_date", "Earliest day from which it is blocked, YYYYMMDD."),
        ListColumn("reasons", "Why: the different reasons, sorted, joined by |."),
    ),
    key=("imei",),
    sql="SELECT u.operator, d.imei_text AS imei, d.block_date, d.reason_text AS reasons FROM decisions AS d "
    "CROSS JOIN unable AS u LEFT JOIN (SELECT DISTINCT imei_text FROM paired) AS x "
    "ON x.imei_text = d.imei_text WHERE d.outcome = 'blocked' AND x.imei_text IS NULL",
    reasons={
        "added": "'blocked'",
        "removed": "CASE WHEN d.outcome = 'blocked' THEN 'excepted' ELSE 'unblocked' END",
        "changed": "'changed'",
    },
    receivers="operators that cannot hold exceptions, instead of the blocked list",
    per_operator=True,
    for_unable=True,
)
