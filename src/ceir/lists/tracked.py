"""Equipment that is served and watched."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="tracked",
    title="Tracked list",
    doc="Equipment that is served but watched: its block date is ahead, or a condition only tracks it.",
    source="ITU-T Q.5055 (tracked list)",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn("since", "First day a condition in force matched it, YYYYMMDD."),
        ListColumn(
            "reasons",
            "The different reasons of all conditions in force, also of those on trial or restored by "
            "appeals, sorted, joined by |.",
        ),
    ),
    key=("imei",),
    sql="SELECT imei_text AS imei, since_date AS since, condition_text AS reasons FROM decisions "
    "WHERE outcome IN ('notified', 'tracked')",
    reasons={
        "added": "'tracked'",
        "removed": "CASE WHEN d.outcome = 'blocked' THEN 'blocked' ELSE 'resolved' END",
        "changed": "'changed'",
    },
    receivers="every operator",
)
