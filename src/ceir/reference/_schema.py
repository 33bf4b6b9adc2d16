"""Keys of a file's tables, as the JSON schema of the model that reads them tells."""

from collections.abc import Mapping
from typing import Any

from ceir.reference._markdown import code, number, value


def key_row(
    field: Mapping[str, Any], sections: Mapping[str, str], *, required: bool
) -> tuple[str, str, str, str]:
    """Type, default, what is allowed, and meaning of a key, from its JSON schema."""
    chosen = next((f for f in field.get("anyOf", ()) if f.get("type") != "null"), field)
    section = _section_of(chosen, sections)
    default = field.get("default")
    if required:
        shown = "must be given"
    elif section or default in (None, "", [], {}):
        shown = "none"
    else:
        shown = code(value(default))
    return (
        section or _type_of(chosen),
        shown,
        "" if section else _range_of(chosen),
        str(field.get("description", "")) or ("See below." if section else ""),
    )


def _section_of(field: Mapping[str, Any], sections: Mapping[str, str]) -> str:
    """The table of the file that a key stands for; empty: it is a value."""
    for holder in (field, field.get("items", {}), field.get("additionalProperties") or {}):
        if isinstance(holder, Mapping) and "$ref" in holder:
            return sections[str(holder["$ref"]).rsplit("/", 1)[-1]]
    return ""


def _type_of(field: Mapping[str, Any]) -> str:
    if "enum" in field or field.get("type") == "string":
        return str(field.get("format", "text"))
    names = {"array": "list of texts", "object": "table"}
    return names.get(str(field.get("type")), str(field.get("type")))


def _range_of(field: Mapping[str, Any]) -> str:
    inner = [v for v in (field.get("items"), *field.get("patternProperties", {}).values()) if v]
    told = []
    for part in (field, *inner):
        if "enum" in part:
            told.append(" or ".join(code(v) for v in part["enum"]))
        if "minimum" in part and "maximum" in part:
            told.append(f"{number(part['minimum'])} to {number(part['maximum'])}")
        elif "minimum" in part:
            told.append(f"at least {number(part['minimum'])}")
        if "pattern" in part:
            told.append(code(part["pattern"]))
        if "maxLength" in part:
            told.append(f"{part.get('minLength', 0)} to {part['maxLength']} characters")
    told += [f"keys {code(pattern)}" for pattern in field.get("patternProperties", {})]
    if field.get("minItems") or field.get("minProperties"):
        told.append("at least one")
    return "; ".join(told)
