"""The register's database as commands open it: secret and keys are made the first time."""

import os
from pathlib import Path

from ceir.cli._session import Session
from ceir.policy import load_policy
from ceir.registry.country.policy_part import PolicyPart
from ceir.registry.country.reading import FILE as COUNTRY_FILE
from ceir.registry.country.reading import Decided, read_country, require_agreeing
from ceir.registry.country.written import CountryFile
from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import (
    RegistryConfigurationError,
    RegistryOptions,
    configure,
    new_secret,
)
from ceir.registry.project.identity_providers import read_identity_providers
from ceir.registry.project.migrating import is_fresh, migrate, require_migrated


def open_register(
    session: Session, *, make: bool = False, as_it_is: bool = False, undecided: bool = False
) -> RegistryOptions:
    """Make Django ready for the register chosen.

    Args:
        make: draw secret and keys where there are none: before the first migration.
        as_it_is: go on although the database may lack steps.
        undecided: go on without what the country decided: for what must work although that is broken.

    Raises:
        UsageError: no workspace and no settings say where things lie.
        RegistryConfigurationError: no register was made there.
        DatabaseUnreachableError: the database does not answer.
        DatabaseNotMigratedError: it lacks what this version needs.
        CountryFileError, PolicyError: what the country decided cannot be obeyed.
    """
    root, secret, keys = places(session)
    settings = session.settings
    if make and not secret.exists():
        _write_secret(secret)
        session.note(f"A secret was made: {secret}")
    if make and not keys.exists():
        make_keys(keys)
        session.note(f"Keys of personal data were made: {keys}. Keep a copy of them apart from the database.")
    if not secret.exists():
        raise RegistryConfigurationError(
            f"There is no register here: {secret} is missing.", "Make one with: ceir migrate"
        )
    decided = None if undecided else read_decided(session)
    policy = decided.policy if decided is not None else None
    options = RegistryOptions(
        database=settings.database or root / "register.sqlite3",
        secret=secret.read_text(encoding="ascii").strip(),
        keys=keys,
        documents=settings.documents or root / "documents",
        notices=_notices(settings.notices, root),
        hosts=tuple(host.strip() for host in settings.hosts.split(",") if host.strip()),
        tls={"auto": None, "yes": True, "no": False}[settings.tls],
        proxies=settings.proxies,
        certificate_header=settings.certificate_header,
        signing_key=settings.signing_key or _own_signing_key(root),
        identity_providers=read_identity_providers(settings.identity_providers)
        if settings.identity_providers
        else (),
        api_per_minute=settings.api_per_minute,
        exempt_device_types=policy.exempt_device_types if policy is not None else (),
        webhooks_private=settings.webhooks_private,
        country=decided,
    )
    configure(options)
    if decided is not None:
        from ceir.registry.country.given import require_obeyable  # noqa: PLC0415 - Django is set up only now

        require_obeyable(decided)
    if not (make or as_it_is):
        require_migrated()
    return options


def _own_signing_key(root: Path) -> Path | None:
    """The workspace's, if a snapshot was ever signed there."""
    own = root / "keys" / "signing.pem"
    return own if root != Path() and own.exists() else None


def places(session: Session) -> tuple[Path, Path, Path]:
    """Where things lie: the workspace (only asked for where settings are silent), the secret, the keys."""
    settings = session.settings
    every = (settings.database, settings.secret_file, settings.personal_keys, settings.documents)
    root = session.workspace().root.absolute() if None in every else Path()
    secret = settings.secret_file or root / "keys" / "secret"
    return root, secret, settings.personal_keys or root / "keys" / "personal"


def open_or_make_register(session: Session) -> RegistryOptions:
    """As `open_register`; a register that does not exist yet is made: secret, keys, tables."""
    options = open_register(session, make=True)
    if is_fresh():
        session.note(f"A register was made: {len(migrate())} steps.")
    else:
        require_migrated()
    return options


def read_decided(session: Session) -> Decided:
    """What the country decides: its own settings, and what the register needs of its policy.

    Raises:
        CountryFileError, PolicyError: they cannot be obeyed.
    """
    settings, workspace = session.settings, session.workspace_if_any()
    file, policy = settings.country, settings.policy
    if workspace is not None:
        own = workspace.root.absolute() / COUNTRY_FILE
        file = file or (own if own.is_file() else None)
        policy = policy or workspace.root.absolute() / "policy.toml"
    decided = Decided(
        own=CountryFile() if file is None else read_country(file),
        policy=None if policy is None else PolicyPart.of(load_policy(policy)[0]),
        origin=COUNTRY_FILE if file is None else str(file),
    )
    require_agreeing(decided)
    return decided


def _notices(chosen: Path | None, root: Path) -> Path | None:
    """The file that says how people are told: the one named, or the workspace's own if it has one."""
    own = root / "notices.toml"
    return chosen or (own if root.is_absolute() and own.is_file() else None)


def _write_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Whole or not there: half a secret would be taken for one by the next command.
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(new_secret() + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
