"""Publishing a snapshot as the command does it: with the key at hand, or one made the first time."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs
from ceir.distribution import SnapshotRequest, publish_snapshot
from ceir.distribution.publishing import Published
from ceir.equipment_check.keys import create_signing_key, load_signing_key, write_public_key
from ceir.pipeline.workspace import Workspace

TRUSTED = Path("keys") / "trusted"
"""Where, in a workspace, the public halves lie."""


def publish_snapshot_now(session: Session, workspace: Workspace, request: SnapshotRequest) -> Published:
    """Publish with the engine and the key chosen; the workspace is held."""
    key = _signing_key(session, workspace)
    with session.engine(workspace) as engine:
        return publish_snapshot(workspace, request, key, engine, session.progress)


def _signing_key(session: Session, workspace: Workspace) -> Ed25519PrivateKey:
    chosen = session.settings.signing_key
    path = chosen or workspace.root / "keys" / "signing.pem"
    if chosen is None and not path.exists():
        key = create_signing_key(path)
        session.note(f"A key that signs snapshots was made: {path}. Keep it safe, and a copy of it.")
    else:
        key = load_signing_key(path)
    public = key.public_key()
    write_public_key(public, workspace.root / TRUSTED)
    return key


def show_snapshot(session: Session, workspace: Workspace, published: Published) -> None:
    """What is in the snapshot, for whom, until when, and where it lies."""
    record, content = published.record, published.content
    file = workspace.path(record.path) if record.path else None
    delta = workspace.path(record.delta) if record.delta else None
    public = workspace.root / TRUSTED / f"{record.key_id}.pem"
    session.data(
        {
            **record.model_dump(mode="json", exclude={"path", "delta"}),
            "file": file,
            "delta": delta,
            "public_key": public,
            "new": published.is_new,
            "malformed_left_out": content.malformed if content else None,
            "spared": content.spared if content else None,
        }
    )
    session.say(
        head(
            f"Snapshot {record.sequence} for {record.receiver}"
            + ("" if published.is_new else ": there already")
        )
    )
    about: list[tuple[str, object]] = [
        ("made of", f"run {record.run}, as of {record.as_of.isoformat()}"),
        ("good until", f"{record.expires_at:%Y-%m-%d %H:%M} UTC"),
    ]
    if record.override:
        about.append(("OVERRIDE", f"answers {record.override} to everything: {record.because}"))
    about += [(name.replace("_", " "), count) for name, count in record.counts.items() if count]
    if content and content.spared:
        about.append(("spared", f"{content.spared:,} seen or golden inside barred spans: permitted by name"))
    for name, count in content.malformed.items() if content else ():
        about.append(("left out", f"{count:,} {name} that are not 14 digits: answered as malformed"))
    session.say(pairs(about))
    session.say()
    session.say_whole(f"snapshot    {file}")
    if delta is not None:
        session.say_whole(f"delta       {delta}")
    session.say_whole(f"public key  {public}")
