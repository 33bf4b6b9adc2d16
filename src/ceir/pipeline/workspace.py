"""A workspace: one country's folder, changed by one command at a time, always before or after."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from ceir.errors import CeirError
from ceir.pipeline.catalogue import Activation, Catalogue
from ceir.policy import Policy, load_policy

CATALOGUE = "catalogue.json"
SWEPT = ("lake", "quarantine", "runs", "lists", "snapshots")
"""Folders in which a file that the catalogue does not name is left over from a killed command."""


class WorkspaceError(CeirError):
    """The folder is not a workspace, or not one this version understands."""

    code = "workspace_invalid"


class WorkspaceExistsError(WorkspaceError):
    """The folder has something in it already."""

    code = "workspace_exists"


class WorkspaceBusyError(WorkspaceError):
    """Another command is changing the workspace."""

    code = "workspace_busy"


class Workspace:
    """One country's folder.

    Layout: `policy.toml` (in force), `policies/` (every version that a run used, by hash), `catalogue.json`,
    `lake/` (ingested data), `quarantine/`, `runs/`, `lists/` (published), `snapshots/` (for equipment checks,
    by receiver), `keys/` (the key that signs them), `tmp/` (nothing in it matters), `lock`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def create(cls, root: Path, policy: Path) -> "Workspace":
        """Make a workspace in a new or empty folder.

        Raises:
            WorkspaceExistsError: the folder is not empty.
            PolicyError: the policy cannot be obeyed.
        """
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise WorkspaceExistsError(f"{root} exists and is not an empty folder.", "Name another folder.")
        load_policy(policy)
        file = policy / "policy.toml" if policy.is_dir() else policy
        with disk_errors():
            for folder in (*SWEPT, "tmp", "policies"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, root / "policy.toml")
            workspace = cls(root)
            policy_now, sha256 = workspace.policy()
            workspace.commit(Catalogue(activations=(_first_activation(policy_now, sha256),)))
        return workspace

    @classmethod
    def open(cls, root: Path) -> "Workspace":
        """An existing workspace.

        Raises:
            WorkspaceError: there is none.
        """
        if not (root / CATALOGUE).is_file():
            raise WorkspaceError(f"{root} is not a workspace.", f"Make one with: ceir init {root}")
        return cls(root)

    def path(self, relative: str) -> Path:
        """An absolute path from one that the catalogue holds."""
        return self.root / relative

    @property
    def scratch(self) -> Path:
        """Where engines spill."""
        return self.root / "tmp"

    def catalogue(self) -> Catalogue:
        """What the workspace holds now.

        Raises:
            WorkspaceError: the catalogue was made by another version or by hand.
        """
        text = (self.root / CATALOGUE).read_text(encoding="utf-8")
        try:
            return Catalogue.model_validate_json(text)
        except ValidationError as error:
            raise WorkspaceError(
                f"{self.root / CATALOGUE} is not a catalogue of this version: {error.error_count()} faults.",
                "Use the version that wrote it, or restore it from a backup.",
            ) from error

    def policy(self) -> tuple[Policy, str]:
        """The policy in force and the SHA-256 of its text."""
        return load_policy(self.root / "policy.toml")

    def keep_policy(self, sha256: str) -> None:
        """Keep the text of the policy in force for those who audit runs made with it."""
        kept = self.root / "policies" / f"{sha256}.toml"
        if not kept.exists():
            with disk_errors():
                kept.parent.mkdir(exist_ok=True)
                replace_file(kept, (self.root / "policy.toml").read_bytes())

    def commit(self, catalogue: Catalogue) -> None:
        """Put a new catalogue in force, all at once."""
        with disk_errors():
            text = catalogue.model_copy(update={"sequence": catalogue.sequence + 1}).model_dump_json(indent=1)
            replace_file(self.root / CATALOGUE, text.encode("utf-8"))

    @contextmanager
    def locked(self, wait_seconds: float = 10.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the workspace for changing it.

        Args:
            wait_seconds: how long to wait for another command.
            waiting: called once when it has to wait.

        Raises:
            WorkspaceBusyError: the other command took longer.
        """
        with (self.root / "lock").open("a") as lock:
            deadline = time.monotonic() + wait_seconds
            told = False
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= deadline:
                        raise WorkspaceBusyError(
                            f"Another command is changing {self.root}.",
                            "Run it again when that one has ended, or give --wait SECONDS.",
                        ) from error
                    if waiting is not None and not told:
                        waiting()
                        told = True
                    time.sleep(0.1)
            yield

    def sweep(self) -> list[str]:
        """Remove what a killed command left; call it only with the lock held.

        Returns: the paths removed, relative to the workspace: empty when the last command ended well.
        """
        referenced = self.catalogue().referenced()
        removed: list[str] = []
        for top in SWEPT:
            for path in sorted((self.root / top).rglob("*"), reverse=True):
                relative = path.relative_to(self.root)
                kept = any(str(part) in referenced for part in (relative, *relative.parents))
                if kept:
                    continue
                if path.is_dir():
                    if not any(path.iterdir()):
                        path.rmdir()
                else:
                    path.unlink()
                    removed.append(str(relative))
        for half in sorted((*self.root.glob(".*.new"), *self.root.glob("policies/.*.new"))):
            half.unlink()
            removed.append(str(half.relative_to(self.root)))
        for leftover in sorted(self.scratch.iterdir()) if self.scratch.is_dir() else []:
            removed.append(str(leftover.relative_to(self.root)))
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        return removed

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A fresh folder for work under way, gone afterwards."""
        folder = self.scratch / f"work-{os.getpid()}"
        with disk_errors():
            # A killed command's that had our number: in a container every command has the same one.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, staged: Path, relative: str) -> str:
        """Move a finished file or folder to where the next catalogue will name it."""
        target = self.path(relative)
        with disk_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync_tree(staged)
            if target.is_dir():  # a killed command's: the catalogue names no folder before it is adopted
                shutil.rmtree(target)
            staged.replace(target)
            _sync(target.parent)
        return relative


def _first_activation(policy: Policy, sha256: str) -> Activation:
    budget = policy.budget.wrongly_cut_lines_per_1000
    return Activation(
        sha256=sha256,
        name=policy.name,
        version=policy.version,
        budget=float(budget) if budget is not None else None,
    )


def replace_file(target: Path, content: bytes) -> None:
    """Write a file so that whoever reads it sees the old content or the new, never a part."""
    fresh = target.with_name(f".{target.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def canonical_json(value: object) -> bytes:
    """JSON that is the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn failures of the file system into errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (28, 122):  # no space left, quota exceeded
            # Here, for whoever only opens a workspace needs no engine.
            from ceir.pipeline.engines.engine import DiskFullError  # noqa: PLC0415

            raise DiskFullError(
                "The disk is full; nothing was changed.",
                "Free room on the workspace's disk, then run it again.",
            ) from error
        raise WorkspaceError(
            f"{error.filename or 'A file'} cannot be read or written: {error.strerror}.",
            "Check that it exists and that you may read and write it.",
        ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(path: Path) -> None:
    for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
        _sync(file)
