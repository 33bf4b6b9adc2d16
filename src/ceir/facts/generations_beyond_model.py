"""How many generations of radio technology it was seen on that its model cannot use; null: nobody knows what
the model can."""

from ceir.facts.declaration import Context, Fact
from ceir.facts.model_generations import FACT as MODEL
from ceir.facts.observed_generations import FACT as OBSERVED


def _query(context: Context) -> str:
    return (
        "SELECT s.imei, CAST(BIT_COUNT(s.seen_on & ~m.value) AS INTEGER) AS value FROM ("
        f"SELECT imei, tac, {OBSERVED.sql(context)} AS seen_on FROM subjects WHERE rats IS NOT NULL) AS s "
        f"JOIN ({MODEL.sql(context)}) AS m ON m.tac = s.tac WHERE m.value IS NOT NULL"
    )


FACT = Fact(
    name="generations_beyond_model",
    title="Generations beyond the model",
    doc="How many generations of radio technology it was seen on that its model cannot use; null: nobody "
    "knows what the model can.",
    type="INTEGER",
    query=_query,
    reads=("tac",),
    unit="generations",
)
