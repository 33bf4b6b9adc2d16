"""Longest time in which nobody used it."""

from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="longest_silence",
    title="Longest silence",
    doc="Longest time without any use that ended in the window; 0: none of two weeks or more. A silence that "
    "began before the window counts from its first day. Known where it had several subscribers.",
    type="INTEGER",
    query=(
        "SELECT s.imei, COALESCE(g.days, 0) AS value FROM (SELECT DISTINCT imei FROM {rows}) AS s "
        "LEFT JOIN (SELECT imei, MAX(days) AS days FROM {silences} GROUP BY imei) AS g ON g.imei = s.imei"
    ),
    otherwise="NULL",
    rows="shared",
    workings=("silences",),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Times in which nobody used it",
        query="SELECT imei, back_on, days FROM {silences}",
        columns=(("back_on", "used again on", "day"), ("days", "days of silence", "plain")),
    ),
)
