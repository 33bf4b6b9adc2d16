from ceir.reference._markdown import assignments, code, codes, head, join, link, table, value, whole
from ceir.rules import Parameter, Rule, all_rules


def page() -> str:
    """Every rule: what it means, looks at and takes, with its examples."""
    rules = all_rules()
    parts = [
        head(
            "Rules",
            "A rule is a test over facts. A policy's condition combines rules and says what follows. A fact "
            "that is unknown never makes a rule match, and with `not = true` never makes it match either. "
            "Every rule may use `day_after`, the day number of the day after the run.",
        ),
        table(
            ("rule", "title", "source", "peer's name"),
            [(link(r.name), r.title, r.source, code(r.peer_name)) for r in rules.values()],
        ),
    ]
    return whole(parts + [_rule(rule) for rule in rules.values()])


def _rule(rule: Rule) -> str:
    seen = "equipment that a network saw"
    looked_at = (
        f"{seen}, and identities on {codes(rule.lists)} that none saw"
        if rule.applies_to == "listed"
        else seen
    )
    return join(
        f"## {rule.name}",
        f"**{rule.title}.** {rule.doc}",
        table(
            ("", ""),
            [
                ("looks at", looked_at),
                ("facts", ", ".join(link(n, "facts.md") for n in rule.needs)),
                ("matches when", code(rule.matches)),
                ("a person is told", rule.reason),
                ("source", rule.source),
                ("peer's name", code(rule.peer_name) or "none"),
            ],
        ),
        _parameters(rule),
        "Examples:",
        table(
            ("facts", "parameters", "matches", "because"),
            [
                (
                    assignments(e.given),
                    assignments(e.parameters),
                    "yes" if e.matches else "no",
                    e.because,
                )
                for e in rule.examples
            ],
        ),
    )


def _parameters(rule: Rule) -> str:
    if not rule.parameters:
        return "No parameters."
    exclusive = [f"Exactly one of {codes(group)} is given." for group in rule.one_of]
    return join(
        table(
            ("parameter", "type", "default", "allowed", "meaning"),
            [(code(p.name), p.type, _default(rule, p), _allowed(p), p.doc) for p in rule.parameters],
        ),
        " ".join(exclusive),
    )


def _default(rule: Rule, parameter: Parameter) -> str:
    if parameter.required:
        return "must be given"
    if any(parameter.name in group for group in rule.one_of):
        return "none"
    return code(value(parameter.default))


def _allowed(parameter: Parameter) -> str:
    limits = []
    if parameter.minimum is not None:
        limits.append(f"at least {parameter.minimum}")
    if parameter.above is not None:
        limits.append(f"above {parameter.above}")
    if parameter.choices:
        limits.append(" or ".join(code(c) for c in parameter.choices))
    return ", ".join(limits) or "any"
