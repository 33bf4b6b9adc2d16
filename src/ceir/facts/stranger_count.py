"""Registered persons who used it in the window although it is somebody else's."""

from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="stranger_count",
    title="Strangers",
    doc="Registered persons who used it in the window although others, and not they, declared it as theirs; "
    "counted where two or more subscribers were; 0 where nobody declared it.",
    type="INTEGER",
    query=(
        "SELECT p.imei, CAST(COUNT(DISTINCT CASE WHEN own.uid IS NULL THEN p.uid END) AS INTEGER) AS value "
        "FROM {person_uses} AS p JOIN (SELECT DISTINCT imei FROM associations) AS declared "
        "ON declared.imei = p.imei "
        "LEFT JOIN associations AS own ON own.imei = p.imei AND own.uid = p.uid GROUP BY p.imei"
    ),
    otherwise="0",
    reads=("subscribers", "associations"),
    workings=("person_uses",),
    parameters=WINDOW,
    unit="persons",
)
