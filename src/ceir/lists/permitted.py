"""Equipment that networks may serve, where a policy is restrictive."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="permitted",
    title="Permitted list",
    doc="Equipment that is registered, golden, or of an exempt kind, and not blocked; golden and exempt "
    "equipment from the day it is first seen. Published where the policy is restrictive.",
    source="ITU-T Q.5055 (permitted list); ITU-T Q.Suppl.73 (restrictive mode)",
    columns=(ListColumn("imei", "The identity."),),
    key=("imei",),
    sql="SELECT imei_text AS imei FROM permitted_equipment",
    reasons={
        "added": "'permitted'",
        "removed": "CASE WHEN d.outcome = 'blocked' THEN 'blocked' ELSE 'no_longer_registered' END",
        "changed": "'changed'",
    },
    receivers="every operator",
    modes=("restrictive",),
)
