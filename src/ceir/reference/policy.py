from ceir.policy import Policy
from ceir.reference._markdown import code, codes, head, join, link, table, whole
from ceir.reference._schema import key_row
from ceir.sources import all_sources


def page() -> str:
    """Every key of a policy file, from the model that reads it."""
    schema = Policy.model_json_schema()
    sections = [
        ("Top of the file", schema),
        *(
            (header if " " in header else f"`{header}`", schema["$defs"][model])
            for header, model in (
                ("[country]", "Country"),
                ("[[operators]]", "Operator"),
                ("[retention]", "Retention"),
                ("[lists]", "ListOptions"),
                ("[amnesty]", "Amnesty"),
                ("[budget]", "Budget"),
                ("[release]", "Release"),
                ("[release.conditions.LABEL]", "ConditionRelease"),
                ("Entries of `steps`", "ReleaseStep"),
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
            (code(key), *key_row(field, _SECTIONS, required=key in required))
            for key, field in model["properties"].items()
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
    "Budget": "table `[budget]`",
    "Release": "table `[release]`",
    "ConditionRelease": "tables `[release.conditions.LABEL]`",
    "ReleaseStep": "inline tables",
    "EquipmentCheck": "table `[equipment_check]`",
    "SubscriberRange": "tables `[[equipment_check.subscriber_ranges]]`",
    "Condition": "tables `[conditions.LABEL]`",
    "RuleUse": "inline tables",
}
