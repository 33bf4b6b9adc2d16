from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._shelf import Shelf
from ceir.cli._tables import head, pairs, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.rules import Parameter, Rule, all_rules


def _show(session: Session, rule: Rule) -> None:
    session.say(Text.assemble((rule.name, "bold"), f": {rule.title}"))
    session.say(Text(f"\n{rule.doc}"))
    looked = "equipment that a network saw"
    if rule.applies_to == "listed":
        looked += f", and what is on {', '.join(rule.lists)}"
    session.say()
    session.say(
        pairs(
            [
                ("people are told", rule.reason),
                ("source", rule.source),
                ("looks at", looked),
                ("rests on the facts", ", ".join(rule.needs)),
                ("matches if", rule.matches),
            ]
        )
    )
    if rule.parameters:
        session.say()
        session.say(
            table(
                "Parameters",
                ("name", "type", "value", "meaning"),
                [(p.name, p.type, _default(rule, p), p.doc) for p in rule.parameters],
            )
        )
    session.say(head("Examples"))
    for example in rule.examples:
        given = ", ".join(f"{k}={_value(v)}" for k, v in {**example.parameters, **example.given}.items())
        session.say(Text(f"• {'match' if example.matches else 'no match'}: {example.because}"))
        session.say(Text(f"  {given}", style="dim"))


def _default(rule: Rule, parameter: Parameter) -> str:
    group = next((g for g in rule.one_of if parameter.name in g), None)
    if group is not None:
        return "one of these: " + " or ".join(group)
    return "must be given" if parameter.required else f"default {_value(parameter.default)}"


def _value(value: object) -> str:
    if value is None:
        return "unknown"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _data(rule: Rule) -> dict[str, object]:
    return {
        "name": rule.name,
        "title": rule.title,
        "doc": rule.doc,
        "reason": rule.reason,
        "source": rule.source,
        "needs": rule.needs,
        "matches": rule.matches,
        "applies_to": rule.applies_to,
        "lists": rule.lists,
        "parameters": rule.parameters,
        "examples": rule.examples,
    }


COMMAND = Command(
    name="rules",
    panel=Panel.SHELVES,
    place=1,
    purpose="List the rules that a policy can combine, or show one.",
    explanation="A rule is a test over facts of a piece of equipment. The page of one tells what it means, "
    "what people are told, its parameters and examples.",
    examples=(
        Example("ceir rules", "all of them"),
        Example("ceir rules show too_many_imsis", "one, with its parameters and examples"),
    ),
    function=Shelf(
        "rules", all_rules, ("rule", "matches"), lambda n, r: (n, r.title), _show, _data
    ).command(),
    uses="nothing",
)
