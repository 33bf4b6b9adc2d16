"""What the pipeline published of a run, held against its manifest before anything is believed."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, BinaryIO, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ceir.errors import CeirError

MANIFEST = "manifest.json"
DECISIONS = "decisions.csv"
CHANGED = "delta/"
"""Before the name of a list's file: what changed since the base."""

_LONGEST_MANIFEST = 16_000_000
_BLOCK = 1 << 20
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Rows = Annotated[int, Field(ge=0, le=10**10)]
_Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]
# The names that the pipeline writes: a list, an operator's list, and both below `delta/`.
_FILE_NAME = re.compile(r"(delta/)?([a-z0-9_]{1,16}/)?[a-z_]{1,32}\.(csv|parquet)")


class RunRefusedError(CeirError):
    """A publication cannot be taken over; nothing was changed."""

    code: ClassVar[str] = "run_refused"


class RunManifestError(RunRefusedError):
    """The manifest is missing or is not one that this version understands."""

    code: ClassVar[str] = "run_manifest_invalid"


class RunTamperedError(RunRefusedError):
    """A file is not the one that the manifest speaks of."""

    code: ClassVar[str] = "run_tampered"


class RunIncompleteError(RunRefusedError):
    """A file that is needed is not there."""

    code: ClassVar[str] = "run_incomplete"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class ListedFile(_Part):
    """A file as the manifest lists it."""

    file: str
    rows: _Rows
    sha256: _Sha256

    @model_validator(mode="after")
    def _named_as_written(self) -> Self:
        # A manifest names paths on this machine: only names of the pipeline's own form pass.
        if not _FILE_NAME.fullmatch(self.file):
            raise ValueError("a file has a name that the pipeline does not give")
        return self


class _Base(_Part):
    run: Annotated[int, Field(ge=1)]


class _Policy(_Part):
    name: Annotated[str, StringConstraints(max_length=64)]
    version: int
    sha256: _Sha256


class _Staged(_Part):
    condition: _Label


class _Release(_Part):
    staged_by: Literal["pipeline", "register"]
    conditions: tuple[_Staged, ...] = Field(default=(), strict=False)


class Manifest(_Part):
    """What lies in a publication and what it was made of; the parts of it that the register needs.

    Args:
        keeps_lines: conditions that block identities of which some lines go on, by exceptions of the run.
        release: who lets blocks out step by step; None: they all come at once in the lists.
    """

    format: Literal[1]
    country: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    as_of: Annotated[date, Field(strict=False)]
    run: Annotated[int, Field(ge=1, lt=2**62)]
    base: _Base | None
    policy: _Policy
    keeps_lines: tuple[_Label, ...] = Field(default=(), strict=False)
    release: _Release | None = None
    files: tuple[ListedFile, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _each_file_once(self) -> Self:
        if len({f.file for f in self.files}) != len(self.files):
            raise ValueError("a file is listed twice")
        return self

    @property
    def staged(self) -> tuple[str, ...]:
        """Conditions whose blocks the pipeline itself lets out step by step, sorted."""
        if self.release is None or self.release.staged_by != "pipeline":
            return ()
        return tuple(sorted({state.condition for state in self.release.conditions}))

    @property
    def operators(self) -> tuple[str, ...]:
        """Those that have lists of their own in it, sorted."""
        parts = (f.file.removeprefix(CHANGED).split("/") for f in self.files)
        return tuple(sorted({part[0] for part in parts if len(part) == 2}))

    def file(self, name: str) -> ListedFile | None:
        """The file of this name."""
        return next((f for f in self.files if f.file == name), None)

    def named(self, name: str) -> tuple[ListedFile, ...]:
        """The files of every operator with this name, like `notifications.csv`, sorted."""
        found = (f for f in self.files if re.fullmatch(rf"[a-z0-9_]+/{re.escape(name)}", f.file))
        return tuple(sorted((f for f in found if not f.file.startswith(CHANGED)), key=lambda f: f.file))

    def changed(self, name: str) -> tuple[ListedFile, ...]:
        """The same of what changed."""
        found = (f for f in self.files if re.fullmatch(rf"delta/[a-z0-9_]+/{re.escape(name)}", f.file))
        return tuple(sorted(found, key=lambda f: f.file))


@dataclass(frozen=True)
class Publication:
    """A publication whose manifest was read.

    Args:
        sha256: of the manifest.
        places: where each file lies, by its name in the manifest.
    """

    manifest: Manifest
    sha256: str
    places: Mapping[str, Path]

    @property
    def whole(self) -> bool:
        """Whether it holds whole lists; else only what changed since its base."""
        return self.manifest.file(DECISIONS) is not None

    def verify(self) -> int:
        """Hold every file against the manifest, those too that are not read later. Returns: files verified.

        Only a Parquet file may be missing: the CSV of the same name says the same.

        Raises:
            RunTamperedError: a file differs.
            RunIncompleteError: one is missing.
        """
        verified = 0
        for listed in self.manifest.files:
            place = self.places.get(listed.file)
            if place is None or not place.is_file() or place.is_symlink():
                if listed.file.endswith(".parquet") and (place is None or not place.exists()):
                    continue
                raise RunIncompleteError(
                    f"{listed.file} is in the manifest of run {self.manifest.run} and not there.",
                    "Copy the whole folder again.",
                )
            with self.opened(listed) as file:
                while file.read(_BLOCK):
                    pass
            verified += 1
        return verified

    @contextmanager
    def opened(self, listed: ListedFile) -> Iterator["VerifiedFile"]:
        """A file for reading to its end; when it ends, what was read is held against the manifest once more.

        Raises:
            RunTamperedError: it differs.
        """
        place = self.places.get(listed.file)
        if place is None:
            raise RunIncompleteError(f"{listed.file} is not there.", "Copy the whole folder again.")
        with place.open("rb") as file:
            verified = VerifiedFile(file)
            yield verified
            if verified.sha256 != listed.sha256:
                raise RunTamperedError(
                    f"{listed.file} is not the file that the manifest of run {self.manifest.run} speaks of.",
                    "Copy it again from the workspace; if it differs there too, find out who changed it.",
                )


class VerifiedFile:
    """Reads a file and knows the SHA-256 of all that was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what was read so far, hexadecimal."""
        return self._digest.hexdigest()

    def read(self, size: int) -> bytes:
        """The next octets; none: the end."""
        block = self._file.read(size)
        self._digest.update(block)
        return block

    def lines(self) -> Iterator[str]:
        """Its lines without their ends, up to the end of the file.

        Raises:
            UnicodeDecodeError: it is no UTF-8.
        """
        rest = b""
        while block := self.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield line.decode("utf-8")
            if len(rest) > _BLOCK:
                raise RunRefusedError(
                    f"A line is longer than {_BLOCK} octets.", "It is no list of the pipeline."
                )
        if rest:
            yield rest.decode("utf-8")


def open_publication(source: Path | Mapping[str, Path]) -> Publication:
    """Read the manifest of a publication.

    Args:
        source: its folder, or where each file lies by its name in the manifest.

    Raises:
        RunManifestError: there is none, or it is not one.
    """
    place = source / MANIFEST if isinstance(source, Path) else source.get(MANIFEST)
    if place is None or not place.is_file():
        raise RunManifestError(f"There is no {MANIFEST}.", "Give the folder of a publication: lists/NNNNN")
    if place.stat().st_size > _LONGEST_MANIFEST:
        raise RunManifestError(f"{MANIFEST} is too long to be one.", "Give the folder of a publication.")
    text = place.read_bytes()
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "its form"
        raise RunManifestError(
            f"{MANIFEST} is not one of this version: {where}: {first['msg'].lower()}.",
            "Use the version of the register that fits the pipeline's.",
        ) from error
    if isinstance(source, Path):
        places = {listed.file: source / listed.file for listed in manifest.files}
    else:
        places = {name: path for name, path in source.items() if name != MANIFEST}
    return Publication(manifest, hashlib.sha256(text).hexdigest(), places)
