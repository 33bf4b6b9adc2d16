from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._register import open_register, places
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.registry.personal.keys import make_keys

NEW_KEY = "restored"
"""Name of the key that is drawn when the old ones are lost: another than theirs."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="What `ceir backup` made.")]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        help="Where the keys and the secret were kept; not needed if they are in their place.",
        show_default=False,
    ),
]
KeysLost = Annotated[
    bool,
    typer.Option(
        "--keys-lost", help="Go on although keys are lost: personal data stays unreadable for good."
    ),
]
OnlyExamine = Annotated[
    bool, typer.Option("--examine", help="Look what is missing in the register as it is; restore nothing.")
]


def restore(
    session: Session,
    folder: Folder,
    keys: Keys = None,
    keys_lost: KeysLost = False,
    only_examine: OnlyExamine = False,
) -> None:
    """Bring the register back from a back-up."""
    _place_keys(session, keys, lost=keys_lost, needed=not only_examine)
    open_register(session, make=not only_examine, as_it_is=True, undecided=True)
    from ceir.registry.backups import contents, restoring  # noqa: PLC0415 - Django is set up only now

    if only_examine:
        came = restoring.examine(contents.read_manifest(folder))
    else:
        came = restoring.restore(folder, keys_lost=keys_lost)
    session.data(
        {
            "whole": came.is_whole,
            "made_at": came.manifest.made_at,
            "entries": came.mark.sequence,
            "mark": str(came.mark),
            "documents": came.manifest.documents,
            "missing_documents": came.missing,
            "unreadable": came.unreadable,
            "migrated": came.migrated,
        }
    )
    if not only_examine:
        session.say_whole(f"The register is as it was at {came.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC.")
        session.say(f"{came.manifest.documents:,} documents came back.")
    session.say(f"The record of deeds is whole: {came.mark.sequence:,} entries.")
    if came.migrated:
        session.say(f"It was brought up to date: {len(came.migrated)} steps.")
    for digest in came.missing:
        session.note(f"Missing: the file of document {digest}")
    for field in came.unreadable:
        session.note(f"Unreadable: {field}")
    if not came.is_whole:
        raise typer.Exit(1)


def _place_keys(session: Session, given: Path | None, *, lost: bool, needed: bool) -> None:
    """Put keys and secret where they belong, if nothing is there."""
    _, secret, place = places(session)
    if given is not None:
        from ceir.registry.backups.contents import copy  # noqa: PLC0415 - it reads no more than a path

        found = sorted(given.glob("*.key"))
        if not found:
            raise UsageError(f"{given} holds no keys.", "Name the folder that ceir backup --keys made.")
        if place.exists():
            raise UsageError(f"{place} holds keys already.", "Leave --keys out, or move them away first.")
        for file in found:
            copy(file, place / file.name)
        if (given / "secret").is_file() and not secret.exists():
            copy(given / "secret", secret)
    elif needed and not place.exists():
        if not lost:
            raise UsageError(
                f"There are no keys of personal data in {place}.",
                "Bring them: --keys DIR. If they are lost for good: --keys-lost",
            )
        make_keys(place, NEW_KEY)


COMMAND = Command(
    name="restore",
    panel=Panel.KEEP,
    place=66,
    purpose="Bring the register back from a back-up.",
    explanation="Into an empty database: everything is held against the manifest first, then documents and "
    "database come back, the database in one piece. Then the record of deeds is walked from its beginning "
    "and held against the mark of the back-up, every document is looked for, and personal data is tried with "
    "the keys that are there. What is missing is told. Interrupted, it is begun anew.",
    examples=(
        Example("ceir restore /backups/2026-11-23", "keys are in their place"),
        Example("ceir restore /backups/2026-11-23 --keys /media/safe/ceir-keys", "on a new machine"),
        Example("ceir restore /backups/2026-11-23 --examine", "look again what is missing"),
    ),
    function=restore,
    uses="change",
    exits={0: "restored, and nothing is missing", 1: "refused, or restored and something is missing"},
)
