from ceir.facts import Context, Fact, all_facts
from ceir.reference._markdown import code, codes, head, link, table, whole
from ceir.rules import all_rules
from ceir.workings import all_workings


def page() -> str:
    """Every fact: meaning, type, what it rests on and which rules use it."""
    facts, rules = all_facts(), all_rules()
    rows = [
        (
            f'<a id="{fact.name}"></a>{code(fact.name)}',
            fact.title,
            fact.doc,
            f"{fact.type}, {fact.unit}" if fact.unit else fact.type,
            _rests_on(fact),
            codes(_parameters(fact)),
            ", ".join(link(r.name, "rules.md") for r in rules.values() if fact.name in r.needs),
        )
        for fact in facts.values()
    ]
    return whole(
        [
            head(
                "Facts",
                "A fact is something true of a piece of equipment on the day of a run: one column of the "
                "table that all rules look at. It is computed only if a rule of the policy needs it, and "
                "stored as evidence. While a source that it rests on was never ingested, it is unknown.",
            ),
            table(
                ("fact", "people read", "meaning", "type and unit", "rests on", "parameters", "rules"), rows
            ),
        ]
    )


def _parameters(fact: Fact) -> tuple[str, ...]:
    """Its own, and those of the workings that it reads."""
    workings = all_workings()
    found = dict.fromkeys(fact.parameters)
    for name in fact.workings:
        found |= dict.fromkeys(workings[name].parameters)
    return tuple(found)


def _rests_on(fact: Fact) -> str:
    told = [link(name, "workings.md") for name in fact.workings]
    if fact.rows != "none":
        told.append("observations of the window")
    if callable(fact.reads):
        # Which sources it reads depends on the policy: this context sets everything that can be set.
        full = Context(end=0, start=0, exempt_device_types=("any",))
        told += [f"{code(name)}, under some policies" for name in fact.reads(full)]
    else:
        told += [code(name) for name in fact.reads]
    if fact.expression is not None and not told:
        told.append("the identity, or what networks ever told about it")
    return "; ".join(told)
