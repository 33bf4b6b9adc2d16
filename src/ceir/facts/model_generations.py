"""Which generations of radio technology the model can use."""

from ceir.facts.declaration import Fact
from ceir.identifiers.rat import CAPABILITY_PREFIXES, CAPABILITY_TOKENS, NON_CELLULAR_TOKENS, Generation


def _any_of(patterns: list[str]) -> str:
    # `_` stands for any character in LIKE: "DC_" must not find "DCS 1800", a band of 2G
    bands = "REPLACE(UPPER(bands), '_', '~')"
    return " OR ".join(f"{bands} LIKE '{pattern.replace('_', '~')}'" for pattern in patterns)


def _capability() -> str:
    found = {
        generation: _any_of(
            [f"%{token}%" for token in tokens] + [f"{p}%" for p in CAPABILITY_PREFIXES.get(generation, ())]
        )
        for generation, tokens in CAPABILITY_TOKENS.items()
    }
    cellular = " + ".join(
        f"CASE WHEN {test} THEN {int(generation)} ELSE 0 END" for generation, test in found.items()
    )
    other = _any_of([f"%{token}%" for token in NON_CELLULAR_TOKENS])
    return (
        f"CASE WHEN {' OR '.join(found.values())} THEN {cellular} "
        f"WHEN {other} THEN {int(Generation.NON_CELLULAR)} END"
    )


FACT = Fact(
    name="model_generations",
    title="Model can use",
    doc="Generations of radio technology that any TAC of the same maker and model declares; "
    "null: the model has no name, or its bands cannot be read.",
    type="INTEGER",
    query=(
        "SELECT t.tac, m.generations AS value FROM tac AS t JOIN ("
        "SELECT manufacturer, model_name, BIT_OR(generations) AS generations FROM ("
        f"SELECT manufacturer, model_name, {_capability()} AS generations FROM tac "
        "WHERE manufacturer IS NOT NULL AND model_name IS NOT NULL) AS declared "
        "GROUP BY manufacturer, model_name) AS m "
        "ON m.manufacturer = t.manufacturer AND m.model_name = t.model_name"
    ),
    key="tac",
    reads=("tac",),
    show="generations",
    unit="mask of ceir.identifiers.rat.Generation",
)
