"""Keys of personal data: in a folder outside the database, so that a copy of the one is nothing without the
other."""

import hmac
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ceir.errors import CeirError

_VERSION = b"\x01"
_NONCE = 12
_NAME = 8
_KEY = 32
_INDEX_FILE = "index.key"
_SUFFIX = ".key"


class PersonalKeyError(CeirError):
    """Keys of personal data are missing or do not fit."""

    code: ClassVar[str] = "personal_keys"


@dataclass(frozen=True)
class KeyRing:
    """The keys of a register.

    Args:
        current: name of the key that new values are encrypted with.
        keys: by name, 8 characters; old ones stay for what they encrypted.
        index: keys the hashes by which values are found.
    """

    current: str
    keys: dict[str, bytes]
    index: bytes

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """The keys in a folder: `NNNNNNNN.key` (the last by name is current) and `index.key`, 64 hexadecimal
        digits each.

        Raises:
            PersonalKeyError: none, unreadable, or open to others.
        """
        try:
            files = sorted(folder.glob(f"*{_SUFFIX}"))
            open_to_others = [f.name for f in files if f.stat().st_mode & 0o077]
            read = {f.name.removesuffix(_SUFFIX): bytes.fromhex(f.read_text().strip()) for f in files}
        except (OSError, ValueError) as error:
            raise PersonalKeyError(
                f"The keys in {folder} cannot be read.", "Restore them from their back-up."
            ) from error
        if open_to_others:
            raise PersonalKeyError(f"{open_to_others[0]} can be read by others.", f"chmod 600 {folder}/*.key")
        index = read.pop("index", b"")
        names = sorted(name for name in read if len(name) == _NAME)
        if not names or len(index) != _KEY or any(len(read[name]) != _KEY for name in names):
            raise PersonalKeyError(f"{folder} holds no whole set of keys.", "Make one with: ceir migrate")
        return cls(names[-1], {name: read[name] for name in names}, index)

    def encrypt(self, label: str, text: str) -> bytes:
        """A value as it is stored: bound to the field it belongs to."""
        return self.encrypt_octets(label, text.encode("utf-8"))

    def encrypt_octets(self, label: str, octets: bytes) -> bytes:
        """As `encrypt`, of what is no text."""
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, octets, label.encode())
        return _VERSION + self.current.encode("ascii") + nonce + sealed

    def decrypt(self, label: str, stored: bytes) -> str:
        """The value again.

        Raises:
            PersonalKeyError: its key is not there, or it was changed or moved.
        """
        return self.decrypt_octets(label, stored).decode("utf-8")

    def decrypt_octets(self, label: str, stored: bytes) -> bytes:
        """As `decrypt`, of what is no text."""
        name = stored[1 : 1 + _NAME].decode("ascii", "replace")
        key = self.keys.get(name)
        if stored[:1] != _VERSION or key is None:
            raise PersonalKeyError(f"A value needs the key {name!r}.", "Restore it from its back-up.")
        start = 1 + _NAME
        try:
            return AESGCM(key).decrypt(
                stored[start : start + _NONCE], stored[start + _NONCE :], label.encode()
            )
        except InvalidTag as error:
            raise PersonalKeyError(
                "A stored value was changed or belongs elsewhere.", "Compare with a back-up."
            ) from error

    def keyed(self, label: str, text: str) -> bytes:
        """What a value is found by: 16 octets that only the holder of the key can make."""
        return hmac.new(self.index, f"{label}\0{text}".encode(), sha256).digest()[:16]


def make_keys(folder: Path, name: str = "00000001") -> None:
    """Draw a first set of keys, or one more key to encrypt with; never overwrites.

    Raises:
        PersonalKeyError: the key is there already.
    """
    if not folder.exists():
        # All of a first set or nothing: what a killed process left half would be no set for good.
        fresh = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        _draw(fresh / f"{name}{_SUFFIX}")
        _draw(fresh / _INDEX_FILE)
        fresh.rename(folder)
        return
    wanted = [folder / f"{name}{_SUFFIX}"]
    if not (folder / _INDEX_FILE).exists():
        wanted.append(folder / _INDEX_FILE)
    for file in wanted:
        _draw(file)


def _draw(file: Path) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise PersonalKeyError(f"{file.name} exists.", "A key is not overwritten.") from error
    with os.fdopen(handle, "w") as opened:
        opened.write(os.urandom(_KEY).hex() + "\n")
        opened.flush()
        os.fsync(opened.fileno())
