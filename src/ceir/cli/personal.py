import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli._tables import pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.identifiers import Imsi, Msisdn

if TYPE_CHECKING:
    from ceir.registry.personal.fields import Access

What = Annotated[
    Literal["access", "erase", "hold", "release", "catalogue"],
    typer.Argument(
        help="`access`: all that is kept about a person; `erase`: overwrite what is not needed any more; "
        "`hold`, `release`: keep a case or the like from being shredded, and no longer; "
        "`catalogue`: which personal data is kept, why and how long."
    ),
]
Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="[SUBJECT]", help="For `hold` and `release`: as the record names it.", show_default=False
    ),
]
Basis = Annotated[
    str | None,
    typer.Option(
        "--basis",
        metavar="TEXT",
        help="The law and the request, like `article 15, letter of 3 November`. It is kept in the record.",
        show_default=False,
    ),
]
Kind = Annotated[
    Literal["number", "imsi"],
    typer.Option("--by", help="What the person is found by; it is asked for, or read from standard input."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")]


def personal(
    session: Session,
    what: What,
    subject: Subject = None,
    basis: Basis = None,
    by: Kind = "number",
    yes: Yes = False,
) -> None:
    """Tell a person what is kept, erase it, hold it, or show what is kept in general."""
    if (subject is not None) != (what in ("hold", "release")):
        raise UsageError(
            f"{what} {'takes no' if subject else 'needs a'} subject.",
            "A person's number is asked for; a case is named: ceir personal hold case:12 --basis TEXT",
        )
    if what != "catalogue" and not (basis or "").strip():
        raise UsageError(
            "Personal data is touched on a legal basis only.", "Name the law and the request: --basis TEXT"
        )
    open_register(session)
    from ceir.registry.actors import SYSTEM  # noqa: PLC0415 - Django is set up only now
    from ceir.registry.personal import catalogue, holding  # noqa: PLC0415
    from ceir.registry.personal.fields import Access  # noqa: PLC0415

    if what == "catalogue":
        session.data(catalogue.holdings())
        session.say_whole(catalogue.page())
        return
    access = Access(SYSTEM, session.now, f"command line: {basis}")
    if subject is not None:
        act = holding.hold if what == "hold" else holding.end_hold
        act(subject, reason=access.basis, actor=SYSTEM, at=session.now)
        session.data({"subject": subject, "held": what == "hold"})
        session.say(f"{subject} is {'held from now on' if what == 'hold' else 'held no longer'}.")
        return
    who = _who(by)
    if what == "access":
        _tell(session, who, access)
    else:
        _erase(session, who, access, yes=yes)


def _who(by: str) -> Msisdn | Imsi:
    # Never an option: what is typed on a command line is seen by everybody on the machine, and kept.
    asked = typer.prompt(by.upper() if by == "imsi" else "Number", err=True) if sys.stdin.isatty() else ""
    text = (asked or sys.stdin.readline()).strip().removeprefix("+")
    if not text:
        raise UsageError("Whom it is about was not said.", "Type it, or give it on standard input.")
    return Imsi(text) if by == "imsi" else Msisdn(text)


def _tell(session: Session, who: Msisdn | Imsi, access: "Access") -> None:
    from ceir.registry.personal.subject_access import everything_about  # noqa: PLC0415

    told = everything_about(who, access=access)
    session.data(told)
    for row in told.rows:
        session.say(f"{row.subject} ({row.model})")
        session.say(pairs(list(row.values.items())))
        session.say()
    session.say(f"{len(told.rows)} rows are kept about this person.")
    if told.withheld:
        # On stderr: what is on stdout is for the person.
        session.note(
            f"Not to be told before they end: {', '.join(told.withheld)}. Keep this from the person."
        )


def _erase(session: Session, who: Msisdn | Imsi, access: "Access", *, yes: bool) -> None:
    from ceir.registry.personal.shredding import erase_about  # noqa: PLC0415

    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Erasing cannot be taken back.", "Say that it is meant: --yes")
        typer.confirm("Overwrite it? This cannot be taken back", abort=True, err=True)
    erased = erase_about(who, access=access)
    session.data(erased)
    session.say(f"Shredded: {', '.join(erased.shredded) or 'nothing'}.")
    if erased.open:
        session.say(f"Goes on, and is shredded after its end: {', '.join(erased.open)}.")
    if erased.held:
        session.say(f"Under a legal hold: {', '.join(erased.held)}.")


COMMAND = Command(
    name="personal",
    panel=Panel.KEEP,
    place=64,
    purpose="Tell a person what is kept, erase it, or hold it.",
    explanation="For requests of people about their own data, and for courts. Each needs a basis, and each "
    "value that is read is in the record with it. The number is asked for, or read from standard input; it "
    "is never an option. What is too old is shredded by the job personal-shred.",
    examples=(
        Example("ceir personal access --basis 'article 15, letter of 3 November'", "for the person"),
        Example("ceir personal erase --basis 'article 17, letter of 3 November'", "what has ended"),
        Example("ceir personal hold case:12 --basis 'order of the court of 4 November'", "for a court"),
        Example("ceir personal catalogue", "what is kept, why and how long"),
    ),
    function=personal,
    uses="change",
)
