from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._shelf import Shelf
from ceir.cli._tables import pairs, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.lists import ControlList, all_lists


def _show(session: Session, entry: ControlList) -> None:
    session.say(Text.assemble((entry.name, "bold"), f": {entry.title}"))
    session.say(Text(f"\n{entry.doc}\n"))
    session.say(
        pairs(
            [
                ("source", entry.source),
                ("received by", entry.receivers),
                ("files", "one for each operator" if entry.per_operator else "one for all"),
                ("published where a policy is", " or ".join(entry.modes)),
                ("one row for each", ", ".join(entry.key)),
            ]
        )
    )
    session.say()
    session.say(
        table(
            "Columns; a delta has change and reason before them",
            ("column", "meaning", "personal"),
            [(c.name, c.doc, c.personal) for c in entry.columns],
        )
    )


def _data(entry: ControlList) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.title,
        "doc": entry.doc,
        "source": entry.source,
        "columns": entry.columns,
        "key": entry.key,
        "receivers": entry.receivers,
        "per_operator": entry.per_operator,
        "modes": entry.modes,
    }


COMMAND = Command(
    name="lists",
    panel=Panel.SHELVES,
    place=4,
    purpose="List what is published, or show how a list looks.",
    explanation="A list leaves the register for operators: what to block, whom to tell, who may use blocked "
    "equipment. The page of one names its columns and who receives it.",
    examples=(Example("ceir lists show notifications", "columns and receivers"),),
    function=Shelf("lists", all_lists, ("list", "title"), lambda n, i: (n, i.title), _show, _data).command(),
    uses="nothing",
)
