"""Fields for personal data: stored encrypted, and sealed until a reason to read is given."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from ceir.errors import CeirError
from ceir.registry.actors import Actor
from ceir.registry.personal.keys import KeyRing
from ceir.registry.personal.reading import record_read

_LONGEST_BASIS = 300


class Purpose(Enum):
    """Why personal data is kept; nothing is kept without one."""

    CASE = "case"
    """To return a stolen or lost device, and to tell whose it is."""
    REGISTRATION = "registration"
    """To know to whom a device belongs."""
    PAIRING = "pairing"
    """To let a subscriber go on using a device."""
    NOTICE = "notice"
    """To tell people before something happens to their device."""
    APPEAL = "appeal"
    """To hear whoever says that a decision about his device is wrong."""


class LegalBasisError(CeirError, ValueError):
    """Personal data was asked for without a legal basis that can be kept."""

    code: ClassVar[str] = "legal_basis"


@dataclass(frozen=True, slots=True)
class Access:
    """Who reads personal data, when, and on which legal basis.

    Args:
        basis: the law, the case or the consent; 1 to 300 characters that can be seen.

    Raises:
        LegalBasisError: it is none.
    """

    actor: Actor
    at: datetime
    basis: str

    def __post_init__(self) -> None:
        if not self.basis.strip() or len(self.basis) > _LONGEST_BASIS or not self.basis.isprintable():
            raise LegalBasisError(
                "Personal data is read on a legal basis.",
                f"Name the law, the case or the consent, in at most {_LONGEST_BASIS} characters on one line.",
            )


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value that has not been read."""

    label: str
    stored: bytes

    def __str__(self) -> str:
        return "[sealed]"

    def reveal(self, access: Access, subject: str) -> str:
        """The value in clear; that it was read is recorded first, and stays so.

        Args:
            subject: whose, as the record names it: `case:12`.

        Raises:
            RuntimeError: a person reads in a transaction that is none of `reading.reading`.
        """
        record_read(
            "personal.read",
            subject,
            actor=access.actor,
            at=access.at,
            basis=access.basis,
            detail={"field": self.label},
        )
        return keys().decrypt(self.label, self.stored)


class EncryptedField(models.BinaryField):  # type: ignore[type-arg]  # its values are texts going in, sealed out
    """A text that is stored encrypted.

    Args:
        label: what binds a stored value to its field, like `case.msisdn`; never changed later.
        purpose: why it is kept.
        kept_days: after what it belongs to has ended, so many days until it is shredded.
    """

    def __init__(
        self, *args: Any, label: str = "", purpose: Purpose | None = None, kept_days: int = 0, **more: Any
    ) -> None:
        self.label, self.purpose, self.kept_days = label, purpose, kept_days
        super().__init__(*args, **{"editable": False, **more})

    def deconstruct(self) -> Any:
        """For migrations: what binds values must be known there; why they are kept need not."""
        name, path, args, more = super().deconstruct()
        more.pop("editable", None)
        return name, path, args, {**more, "label": self.label}

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt what goes in."""
        if value is None or isinstance(value, bytes | memoryview):
            return value
        if isinstance(value, Sealed):
            return value.stored
        return keys().encrypt(self.label, str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:  # noqa: ARG002 - Django's
        """Seal what comes out."""
        return None if value is None else Sealed(self.label, bytes(value))

    def value_to_string(self, obj: Any) -> str:
        """Never in clear, not in a dump either."""
        return str(self.value_from_object(obj))


class KeyedField(models.BinaryField):  # type: ignore[type-arg]  # its values are texts going in
    """What an encrypted text is found by: a keyed hash.

    Args:
        label: shared by all fields in which the same value must be found, like `msisdn`.
    """

    def __init__(self, *args: Any, label: str = "", **more: Any) -> None:
        self.label = label
        super().__init__(*args, **{"max_length": 16, "editable": False, **more})

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, more = super().deconstruct()
        more.pop("editable", None)
        return name, path, args, {**more, "label": self.label}

    def get_prep_value(self, value: Any) -> Any:
        """Hash texts; octets are hashes already."""
        if value is None or isinstance(value, bytes | memoryview):
            return value
        return keys().keyed(self.label, str(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """As binary fields do, from a text."""
        return super().get_db_prep_value(
            value if prepared else self.get_prep_value(value), connection, prepared=True
        )


@cache
def keys() -> KeyRing:
    """The keys of this register, read once."""
    return KeyRing.load(settings.CEIR_KEYS)


def personal_fields() -> list[tuple[str, EncryptedField]]:
    """Every field that holds personal data, with the name of its model; for documentation and shredding."""
    from django.apps import apps  # noqa: PLC0415 - only once all models are known

    return [
        (model._meta.label, field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedField)
    ]
