"""Commands that list declarations, and show one of them: `ceir THINGS`, `ceir THINGS show NAME`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import typer

from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.errors import UsageError

T = TypeVar("T")
SHOW = "show"

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="show NAME", help="Show one of them; otherwise all are listed.", show_default=False
    ),
]


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """Declarations of one kind.

    Args:
        everything: all of them by name.
        named: one of them, for names that are not in `everything` too (a path); None: only those in it.
        head, row: the columns of the list.
        show: one of them for people.
        data: one of them for machines.
    """

    plural: str
    everything: Callable[[], Mapping[str, T]]
    head: tuple[str, ...]
    row: Callable[[str, T], tuple[object, ...]]
    show: Callable[[Session, T], None]
    data: Callable[[T], dict[str, object]]
    named: Callable[[str], T] | None = None

    def command(self) -> Callable[..., None]:
        """The function of the command."""

        def listing(session: Session, what: What = None) -> None:
            words = what or []
            if not words:
                self._list(session)
            elif words[0] == SHOW and len(words) == 2:
                item = self._one(words[1])
                session.data(self.data(item))
                if not session.as_json:
                    self.show(session, item)
            else:
                raise UsageError(
                    f"{' '.join(words)!r} is not understood.",
                    f"ceir {self.plural} or ceir {self.plural} show NAME",
                )

        return listing

    def _list(self, session: Session) -> None:
        found = self.everything()
        session.data([self.data(item) for item in found.values()])
        rows = [self.row(name, item) for name, item in found.items()]
        session.say(table(f"{len(rows)} {self.plural}", self.head, rows))
        session.say(f"\nMore about one: ceir {self.plural} show NAME")

    def _one(self, name: str) -> T:
        found = self.everything()
        if name in found:
            return found[name]
        if self.named is not None:
            return self.named(name)
        raise UsageError(
            f"There is no {name!r} among the {self.plural}.",
            f"{self.plural.capitalize()}: {', '.join(found)}.",
        )
