from collections.abc import Mapping
from typing import Any

from ceir.policy import Policy
from ceir.reference._markdown import code, codes, head, join, link, number, table, value, whole
from ceir.sources import all_sources


def page() -> str:
    """Every key of a policy file, from the model that reads it."""
    schema = Policy.model_json_schema()
    sections = [
        ("Top of the file", schema),
        *(
            (f"`{header}`", schema["$defs"][model])
            for header, model in (
                ("[country]", "Country"),
                ("[[operators]]", "Operator"),
                ("[retention]", "Retention"),
                ("[lists]", "ListOptions"),
                ("[amnesty]", "Amnesty"),
                ("[equipment_check]", "EquipmentCheck"),
                ("[[equipment_check.subscriber_ranges]]", "SubscriberRange"),
                ("[conditions.LABEL]", "Condition"),
            )
        ),
    ]
    parts = [
        head(
            "Policy keys",
            "A policy is a TOML file. A key that is not listed here is an error. What the keys do together, "
            "with examples: [policy](../policy.md).",
        )
    ]
    for title, model in sections:
        described = str(model.get("description", ""))
        required = model.get("required", [])
        rows = [
            (code(key), *_key(field, required=key in required)) for key, field in model["properties"].items()
        ]
        parts.append(
            join(f"## {title}", described, table(("key", "type", "default", "allowed", "meaning"), rows))
        )
    uses = [
        ("`rule`", "text", "must be given", "name of a [rule](rules.md)", "The rule."),
        ("`not`", "boolean", "`false`", "any", "Matches seen equipment that is known not to match the rule."),
        ("the rule's parameters", "", "", "", "Beside `rule`, in the same inline table."),
    ]
    parts.append(
        join(
            "## Entries of `all`",
            "`all = [{ rule = NAME, ... }, ...]`. At least one entry stands without `not`.",
            table(("key", "type", "default", "allowed", "meaning"), uses),
        )
    )
    limits = [
        (link(source.name, "sources.md"), codes(check.name for check in source.checks))
        for source in all_sources().values()
    ]
    parts.append(
        join(
            "## `[checks.SOURCE]`",
            "`CHECK = LIMIT` sets another limit for a check of that source's files.",
            table(("source", "checks"), limits),
        )
    )
    return whole(parts)


_SECTIONS = {
    "Country": "table `[country]`",
    "Operator": "tables `[[operators]]`",
    "Retention": "table `[retention]`",
    "ListOptions": "table `[lists]`",
    "Amnesty": "table `[amnesty]`",
    "EquipmentCheck": "table `[equipment_check]`",
    "SubscriberRange": "tables `[[equipment_check.subscriber_ranges]]`",
    "Condition": "tables `[conditions.LABEL]`",
    "RuleUse": "inline tables",
}


def _key(field: Mapping[str, Any], *, required: bool) -> tuple[str, str, str, str]:
    """Type, default, what is allowed, and meaning of a key, from its JSON schema."""
    chosen = next((f for f in field.get("anyOf", ()) if f.get("type") != "null"), field)
    section = _section_of(chosen)
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


def _section_of(field: Mapping[str, Any]) -> str:
    """The table of the file that a key stands for; empty: it is a value."""
    for holder in (field, field.get("items", {}), field.get("additionalProperties") or {}):
        if isinstance(holder, Mapping) and "$ref" in holder:
            return _SECTIONS[str(holder["$ref"]).rsplit("/", 1)[-1]]
    return ""


def _type_of(field: Mapping[str, Any]) -> str:
    if "enum" in field or field.get("type") == "string":
        return str(field.get("format", "text"))
    names = {"array": "list of texts", "object": "table"}
    return names.get(str(field.get("type")), str(field.get("type")))


def _range_of(field: Mapping[str, Any]) -> str:
    inner = [v for v in (field.get("items"), *field.get("patternProperties", {}).values()) if v]
    told = []
    if "enum" in field:
        told.append(" or ".join(code(v) for v in field["enum"]))
    for part in (field, *inner):
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
