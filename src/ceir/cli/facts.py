from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._shelf import Shelf
from ceir.cli._tables import pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.facts import Fact, all_facts
from ceir.rules import all_rules


def _show(session: Session, fact: Fact) -> None:
    session.say(Text.assemble((fact.name, "bold"), f": {fact.title}"))
    session.say(Text(f"\n{fact.doc}\n"))
    reads = "depends on the policy" if callable(fact.reads) else ", ".join(fact.reads)
    session.say(
        pairs(
            [
                ("unit", fact.unit or "–"),
                ("type", fact.type),
                ("rests on the sources", reads or "observations"),
                ("known for", "every TAC" if fact.key == "tac" else "every IMEI"),
                ("depends on", ", ".join(fact.parameters) or "no parameter"),
                ("used by the rules", ", ".join(_rules(fact)) or "none"),
            ]
        )
    )


def _rules(fact: Fact) -> list[str]:
    return [rule.name for rule in all_rules().values() if fact.name in rule.needs]


def _data(fact: Fact) -> dict[str, object]:
    return {
        "name": fact.name,
        "title": fact.title,
        "doc": fact.doc,
        "type": fact.type,
        "unit": fact.unit,
        "reads": None if callable(fact.reads) else fact.reads,
        "parameters": fact.parameters,
        "rules": _rules(fact),
    }


COMMAND = Command(
    name="facts",
    panel=Panel.SHELVES,
    place=2,
    purpose="List the facts that rules rest on, or show one.",
    explanation="A fact is something true of a piece of equipment, computed from observations and lists. It "
    "is unknown while a list that it rests on never came, and what is unknown makes no rule match.",
    examples=(Example("ceir facts show subscriber_days", "what it counts, and which rules use it"),),
    function=Shelf(
        "facts", all_facts, ("fact", "meaning"), lambda n, f: (n, f.title), _show, _data
    ).command(),
    uses="nothing",
)
