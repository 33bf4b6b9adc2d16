import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from ceir.reference._markdown import code, head, join, table, whole
from ceir.reference._schema import key_row

# Interfaces stand above this package: they are found by name, and their values have no type here.


def page() -> str:
    """Every key of the file that `ceir serve --config` takes."""
    declaration = importlib.import_module("ceir.interfaces.declaration")
    configuration = importlib.import_module("ceir.interfaces.serving.configuration")
    parts = [
        head(
            "Configuration of `ceir serve`",
            "A TOML file. Every key has a default; one that is not listed here is an error. An interface is "
            "configured in the table of its name; `ceir serve all` serves those that have one. Paths count "
            "from the folder that `ceir serve` was started in. How the parts work together: "
            "[operating the equipment check](../operating-the-equipment-check.md).",
        )
    ]
    schema = configuration.Serving.model_json_schema()
    parts += _tables(schema, "Top of the file", "", "What all interfaces share.")
    for interface in declaration.all_interfaces().values():
        schema = interface.configuration.model_json_schema()
        said = f"{interface.title}. {interface.doc} Source: {interface.source}."
        parts += _tables(schema, f"`[{interface.name}]`", interface.name, said)
    office = importlib.import_module("ceir.office.configuration")
    said = (
        "The register: pages, API and workers, for `ceir serve` without a name. What is said above goes for "
        "the equipment check beside it. How it is installed: [installing](../admin/installing.md)."
    )
    parts += _tables(office.Office.model_json_schema(), f"`[{office.SECTION}]`", office.SECTION, said)
    return whole(parts)


def _tables(schema: Mapping[str, Any], title: str, prefix: str, said: str) -> Iterator[str]:
    """A model and the models inside it, each as a table of its keys."""
    models = schema.get("$defs", {})
    places = dict(_places(schema, models, prefix))
    for model, (header, parent) in {"": (title, schema), **places}.items():
        required = parent.get("required", [])
        names = {name: f"`{place}`" for name, (place, _) in places.items()}
        rows = [
            (code(key), *key_row(field, names, required=key in required))
            for key, field in parent["properties"].items()
        ]
        heading = f"## {header}" if not model else f"### `{header}`"
        about = said if not model else str(parent.get("description", ""))
        yield join(heading, about, table(("key", "type", "default", "allowed", "meaning"), rows))


def _places(
    schema: Mapping[str, Any], models: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
    """Where in the file the models inside a model stand: `[table]`, or `[[table]]` for lists of them."""
    for key, field in schema["properties"].items():
        name = f"{prefix}.{key}" if prefix else key
        for many, holder in _holders(field):
            if "$ref" in holder:
                model = str(holder["$ref"]).rsplit("/", 1)[-1]
                yield model, (f"[[{name}]]" if many else f"[{name}]", models[model])
                yield from _places(models[model], models, name)


def _holders(field: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any]]]:
    for one in (field, *field.get("anyOf", ())):
        yield False, one
        if isinstance(one.get("items"), Mapping):
            yield True, one["items"]
