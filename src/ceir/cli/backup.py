from pathlib import Path
from typing import Annotated

import typer

import ceir
from ceir.cli._register import open_register, places
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A new folder; it appears once the back-up is whole.")
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        help="Copy the keys of personal data and the secret into this new folder, to be kept elsewhere.",
        show_default=False,
    ),
]


def backup(session: Session, folder: Folder, keys: Keys = None) -> None:
    """Make a back-up of the register."""
    if keys is not None and keys.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            "Keys beside what they open protect nothing.", "Name a folder that is kept somewhere else."
        )
    open_register(session, undecided=True)
    from ceir.registry.backups.making import copy_keys, make_backup  # noqa: PLC0415 - Django is set up only now

    if keys is not None:
        copy_keys(keys, places(session)[1])
    made = make_backup(folder, version=ceir.__version__, at=session.now)
    session.data({"folder": folder, "keys_in": keys, **made.model_dump(mode="json")})
    session.say_whole(f"{folder} holds the {made.database} database and {made.documents:,} documents.")
    if made.missing:
        session.note(
            f"{len(made.missing)} documents have lost their files, the first is {made.missing[0]}: "
            "look for them in older back-ups."
        )
    where = f"in {keys}: keep it away from the back-up" if keys else "not in it: see --keys"
    session.say_whole(f"The keys of personal data are {where}.")
    session.say_whole(f"The record of deeds then ended at {made.mark}")


COMMAND = Command(
    name="backup",
    panel=Panel.KEEP,
    place=65,
    purpose="Make a back-up of the register: database and documents.",
    explanation="The register goes on meanwhile. The database is written as it is at one moment (by pg_dump "
    "on PostgreSQL), then the documents, which are encrypted; a manifest names what is in it with its "
    "digests. Keys of personal data are not in it: without them a stolen back-up tells little about people, "
    "and without them a restored one does so too, so keep a copy of them elsewhere. What the pipeline keeps "
    "(observations, runs, lists) is files: copy the workspace's folder.",
    examples=(
        Example("ceir backup /backups/2026-11-23", "every night"),
        Example("ceir backup /backups/first --keys /media/safe/ceir-keys", "once, and after each new key"),
    ),
    function=backup,
    uses="change",
    exits={0: "whole", 1: "refused, or something could not be written; nothing is left of it"},
)
