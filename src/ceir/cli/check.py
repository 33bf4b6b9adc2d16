from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._session import Session
from ceir.cli._snapshotting import TRUSTED
from ceir.cli._tables import head, pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.equipment_check import Answer, Reason
from ceir.equipment_check.keys import load_trusted_keys
from ceir.equipment_check.shelf import SnapshotShelf
from ceir.equipment_check.snapshot import Header, SnapshotRefusedError
from ceir.errors import UsageError
from ceir.identifiers import Imei, Imeisv, Imsi, InvalidIdentifierError

WHY = {
    Reason.OVERRIDE: "an override is in force: one answer to everything",
    Reason.PAIRED: "the subscriber is paired with it, whatever the lists say",
    Reason.SUBSCRIBER_RANGE: "the subscriber's IMSI lies in a range that may use anything",
    Reason.IDENTITY: "its identity is on the list",
    Reason.SOFTWARE_VERSION: "its identity is listed with this software version",
    Reason.RANGE: "it lies in a span of identities with this answer",
    Reason.DEFAULT: "it is on no list: the policy's answer for unlisted equipment",
    Reason.MALFORMED: "the identity is not 14 digits: the policy's answer for malformed ones",
}

Snapshots = Annotated[
    Path | None,
    typer.Option(
        "--snapshots",
        metavar="PATH",
        help="A snapshot, or the folder they arrive in; otherwise CEIR_SNAPSHOTS, otherwise the workspace's "
        "for all operators.",
        show_default=False,
    ),
]
Trust = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="PATH",
        help="The register's public key, or a folder of keys; otherwise CEIR_TRUSTED_KEYS, otherwise the "
        "workspace's.",
        show_default=False,
    ),
]


def check(
    session: Session,
    imei: Annotated[
        str, typer.Argument(metavar="IMEI", help="14, 15 or 16 digits; 16: with the software version.")
    ],
    imsi: Annotated[
        str | None, typer.Option("--imsi", metavar="IMSI", help="The subscriber.", show_default=False)
    ] = None,
    software_version: Annotated[
        int | None,
        typer.Option("--software-version", metavar="NN", min=0, max=99, help="0 to 99.", show_default=False),
    ] = None,
    snapshots: Snapshots = None,
    trust: Trust = None,
) -> None:
    """What a network would be answered."""
    number, version = _identity(imei)
    _warn_of_a_slip(session, imei)
    if software_version is not None:
        version = software_version
    subscriber = Imsi(imsi.strip()).number if imsi is not None else None
    keys = load_trusted_keys(place_of_keys(session, trust))
    shelf = SnapshotShelf(place_of_snapshots(session, snapshots), keys)
    holder, arrivals = shelf.holder(session.now)
    for arrival in arrivals:
        if arrival.what == "refused":
            session.note(f"{arrival.file} is refused: {arrival.reason}")
    answer = holder.verdict(number, version, subscriber)
    stale = holder.expired(session.now)
    if stale:
        session.note(f"These lists expired on {holder.expires_at:%Y-%m-%d %H:%M} UTC: fetch newer ones.")
    session.data(
        {
            "status": answer.status.value,
            "reason": answer.reason.value,
            "why": WHY[answer.reason],
            "sequence": holder.sequence,
            "as_of": holder.as_of,
            "expires_at": holder.expires_at,
            "expired": stale,
        }
    )
    if not session.as_json:
        _show(session, answer, holder.header, holder.sequence, holder.as_of.isoformat())


def place_of_snapshots(session: Session, chosen: Path | None) -> Path:
    """Where snapshots lie: as typed, as set, or the workspace's for all operators.

    Raises:
        UsageError: none of these, or what was typed is not there.
    """
    place = chosen or session.settings.snapshots
    if place is None:
        workspace = session.workspace_if_any()
        if workspace is None:
            raise UsageError(
                "No snapshot was named.",
                "Give --snapshots PATH or set CEIR_SNAPSHOTS, or choose a workspace.",
            )
        place = workspace.root / "snapshots" / "all"
        if not place.is_dir():
            raise SnapshotRefusedError(
                "The workspace has no snapshot yet.", "Make one with: ceir publish snapshot"
            )
    if not place.exists():
        raise UsageError(f"{place} does not exist.", "Give a snapshot file or a folder of them.")
    return place


def place_of_keys(session: Session, chosen: Path | None) -> Path:
    """Where public keys lie: as typed, as set, or the workspace's.

    Raises:
        UsageError: none of these.
    """
    place = chosen or session.settings.trusted_keys
    if place is not None:
        return place
    workspace = session.workspace_if_any()
    if workspace is None:
        raise UsageError(
            "No public key was named.", "Give --trust PATH or set CEIR_TRUSTED_KEYS, or choose a workspace."
        )
    return workspace.root / TRUSTED


def _identity(text: str) -> tuple[int | None, int | None]:
    """IMEI and software version as interfaces would take them; a text that is no IMEI is a malformed one."""
    digits = "".join(c for c in text if c not in " -./")
    try:
        if len(digits) == 16:
            both = Imeisv.from_wire(digits)
            return both.imei.number, int(both.software_version)
        return Imei.from_wire(digits).number, None
    except InvalidIdentifierError:
        return None, None


def _warn_of_a_slip(session: Session, text: str) -> None:
    """Networks ignore the 15th digit; a person who typed another one than the label's may have slipped."""
    try:
        Imei.from_printed(text)
    except InvalidIdentifierError as error:
        session.note(f"{error.detail} {error.hint}")


def _show(session: Session, answer: Answer, header: Header, sequence: int, as_of: str) -> None:
    session.say(head(f"{answer.status.value}: {WHY[answer.reason]}"))
    rows: list[tuple[str, object]] = [
        ("lists", f"snapshot {sequence} of {header.country}, as of {as_of}"),
        ("for", header.operator or "all operators"),
    ]
    because = header.extra.get("override_because")
    if answer.reason is Reason.OVERRIDE and because:
        rows.append(("override because", because))
    session.say(pairs(rows))


COMMAND = Command(
    name="check",
    panel=Panel.NETWORK,
    place=1,
    purpose="Answer as a network would be answered about a device.",
    explanation="Asks a snapshot, without a network and without the register: permitted, tracked, blocked or "
    "unknown, and which step of the order of decision said so. Nothing is stored. What the check digit says "
    "does not matter: equipment checks know the first 14 digits.",
    examples=(
        Example("ceir check 356759040000011", "with the workspace's newest snapshot"),
        Example("ceir check 35675904000001 --imsi 111010000000001", "with this subscriber"),
        Example(
            "ceir check 35675904000001 --snapshots FOLDER --trust KEY.pem",
            "at an operator, without a workspace",
        ),
    ),
    function=check,
    exits={0: "answered, whatever the answer", 1: "no snapshot that may be served"},
)
