"""Keys of snapshots: the register signs with one, checkers trust the public halves they were given."""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ceir.errors import CeirError

ID_DIGITS = 16


class KeyRefusedError(CeirError):
    """A key file cannot be used, or must not be."""

    code: ClassVar[str] = "key_refused"


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is called: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:ID_DIGITS]


def create_signing_key(path: Path) -> Ed25519PrivateKey:
    """Draw a new key and keep it in a file that only its owner can read.

    Raises:
        KeyRefusedError: the file exists: a key is never overwritten, snapshots signed with it would be lost.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyRefusedError(f"{path} exists.", "A signing key is not overwritten.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return key


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The register's key, PEM (PKCS 8, not encrypted).

    Raises:
        KeyRefusedError: no Ed25519 key, unreadable, or readable by others than its owner.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyRefusedError(f"{path} can be read by others.", f"chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyRefusedError(f"{path} cannot be read: {error.strerror}.", "Name the key file.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(f"{path} holds no private key.", "Give an Ed25519 key as PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusedError(f"{path} holds a key of another kind.", "Give an Ed25519 key as PEM.")
    return key


def write_public_key(key: Ed25519PublicKey, folder: Path) -> Path:
    """Write the public half as `<id>.pem`, for those who are to trust it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key_id(key)}.pem"
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def load_trusted_keys(place: Path) -> Mapping[str, Ed25519PublicKey]:
    """The public keys in a PEM file, or in all `*.pem` of a folder, by id.

    Raises:
        KeyRefusedError: there is none, or a file holds something else: a key that is silently not trusted
            would look like a damaged snapshot.
    """
    files = sorted(place.glob("*.pem")) if place.is_dir() else [place]
    if not files:
        raise KeyRefusedError(f"{place} holds no *.pem file.", "Put the register's public key there.")
    keys: dict[str, Ed25519PublicKey] = {}
    for file in files:
        try:
            key = load_pem_public_key(file.read_bytes())
        except OSError as error:
            raise KeyRefusedError(
                f"{file} cannot be read: {error.strerror}.", "Name the register's public key, or its folder."
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyRefusedError(f"{file} holds no public key.", "Give an Ed25519 key as PEM.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeyRefusedError(f"{file} holds a key of another kind.", "Give an Ed25519 key as PEM.")
        keys[key_id(key)] = key
    return keys
