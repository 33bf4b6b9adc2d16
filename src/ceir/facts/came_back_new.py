"""True when after a long silence only others used it."""

from ceir.facts.declaration import WINDOW, Context, Fact

SILENT_DAYS = 45


def _query(c: Context) -> str:
    # Before and after the last silence that is long enough; a person or an IMSI on both sides says that it
    # lay in a drawer.
    back = (
        "SELECT imei, MAX(back_on) AS back_on FROM {silences} "
        f"WHERE whole AND days >= {c.parameters['silent_days']} GROUP BY imei"
    )
    users = (
        "SELECT imei, CAST(imsi AS VARCHAR) AS who, MIN(first_day) AS first_day, MAX(last_day) AS last_day "
        "FROM {uses} GROUP BY imei, imsi UNION ALL "
        "SELECT u.imei, s.uid AS who, MIN(u.first_day) AS first_day, MAX(u.last_day) AS last_day "
        "FROM {uses} AS u JOIN subscribers AS s ON s.imsi = u.imsi GROUP BY u.imei, s.uid"
    )
    return (
        "SELECT b.imei, BOOL_OR(u.first_day < b.back_on) AND BOOL_OR(u.last_day >= b.back_on) "
        "AND NOT BOOL_OR(u.first_day < b.back_on AND u.last_day >= b.back_on) AS value "
        f"FROM ({back}) AS b JOIN ({users}) AS u ON u.imei = b.imei GROUP BY b.imei"
    )


FACT = Fact(
    name="came_back_new",
    title="Came back with others",
    doc="True when nobody used it for a long time within the window, and neither an IMSI nor a person from "
    "before the last such time was seen with it after.",
    type="BOOLEAN",
    query=_query,
    otherwise="FALSE",
    reads=("subscribers",),
    workings=("silences", "uses"),
    parameters=(*WINDOW, "silent_days"),
    defaults={"silent_days": SILENT_DAYS},
)
