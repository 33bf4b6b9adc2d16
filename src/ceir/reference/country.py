import importlib

from ceir.reference._markdown import code, head, join, table, whole
from ceir.reference._schema import key_row

# The register stands above this package.


def page() -> str:
    """Every key of a country's own settings, from the model that reads them."""
    schema = importlib.import_module("ceir.registry.country.written").CountryFile.model_json_schema()
    parts = [
        head(
            "Keys of `country.toml`",
            "What a country decides for its register besides the policy: a TOML file in the workspace. "
            "Every key has a default; one that is not listed here is an error. How it is put in force: "
            "[the country's own settings](../admin/country.md).",
        )
    ]
    tables = [("Top of the file", schema)]
    tables += [(code(title), schema["$defs"][model]) for model, title in _TABLES.items()]
    for title, model in tables:
        required = model.get("required", [])
        rows = [
            (code(key), *key_row(field, _NAMES, required=key in required))
            for key, field in model["properties"].items()
        ]
        about = "" if model is schema else str(model.get("description", ""))
        parts.append(
            join(f"## {title}", about, table(("key", "type", "default", "allowed", "meaning"), rows))
        )
    return whole(parts)


_TABLES = {
    "Registrations": "[registrations]",
    "QuotaWritten": "[registrations.received] and [registrations.quotas.KIND]",
    "Identifiers": "[registrations.identifiers]",
    "Pairings": "[pairings]",
    "ProvisionalBlocks": "[provisional_blocks]",
    "Codes": "[codes]",
    "Releases": "[releases]",
    "StageWritten": "[[releases.stages]]",
    "Appeals": "[appeals]",
}
_NAMES = {model: f"table {code(title)}" for model, title in _TABLES.items()} | {
    "QuotaWritten": "table of devices and days",
    "StageWritten": "tables `[[releases.stages]]`",
}
