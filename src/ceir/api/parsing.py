"""What callers send, turned into values that cannot be wrong: identifiers, numbers, moments, keys.

Limits stand in the schema, so that the document says them and nothing larger is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from typing import Annotated

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from ceir.api.country import country
from ceir.identifiers import Imei, Imsi, InvalidIdentifierError, Msisdn
from ceir.registry.codes.proving import Proof
from ceir.registry.devices.identifying import Identifiers

GREATEST_KEY = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 1990, 2199

Key = Annotated[int, Field(ge=1, le=GREATEST_KEY)]
"""A key in a path. As a parameter of the framework's own (`P`) its bounds would be dropped in silence."""

KeyIn = Annotated[int, Field(ge=1, le=GREATEST_KEY)]
"""A key in a body."""


def _in_range(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"the year lies outside {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def _moment_in_range(moment: datetime) -> datetime:
    _in_range(moment.date())
    return moment


Day = Annotated[date, AfterValidator(_in_range)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment_in_range)]

_Short = StringConstraints(max_length=40)
ImeiText = Annotated[str, _Short, Field(description="14 or 15 digits, as on the box or after *#06#.")]
MsisdnText = Annotated[str, _Short, Field(description="With + and the country code.")]
ImsiText = Annotated[str, _Short, Field(description="14 or 15 digits.")]
Reason = Annotated[str, StringConstraints(max_length=300)]
Basis = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    Field(description="The law, the case or the consent: kept with who read."),
]


def one_of(choices: type[Enum]) -> WithJsonSchema:
    """For an enumeration whose name others of the API have too: its values stand where it is used.

    The document knows one schema of a name; of two the last would describe both.
    """
    return WithJsonSchema({"type": "string", "enum": [choice.value for choice in choices]})


class In(Schema):
    """What a body holds: what is not declared is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class Because(In):
    """Why."""

    reason: Reason


class ReadOn(In):
    """On which legal basis personal data is read."""

    basis: Basis


class ProofIn(In):
    """That somebody holds a number: the code that `codes` answered with, proven, and the number."""

    code: KeyIn
    msisdn: MsisdnText

    def value(self) -> Proof:
        """As services take it; they look at what was proven."""
        return Proof(self.code, msisdn_of(self.msisdn))


class ProvenIn(In):
    """Only a proof."""

    proof: ProofIn


class MaybeProvenIn(In):
    """A proof of the holder's number; none: an organisation's own device."""

    proof: ProofIn | None = None

    def value(self) -> Proof | None:
        """As services take it."""
        return proof_of(self.proof)


class IdentifiersIn(In):
    """Everything that identifies one device."""

    imeis: Annotated[list[ImeiText], Field(min_length=1, max_length=8)]
    eid: Annotated[str, StringConstraints(max_length=64)] = ""
    serial: Annotated[str, StringConstraints(max_length=128)] = ""

    def value(self) -> Identifiers:
        """As services take it.

        Raises:
            InvalidIdentifierError, IdentifiersRefusedError: it is none.
        """
        with _hinting("Dial *#06# on the device: it shows all its identifiers."):
            return Identifiers.read(tuple(self.imeis), self.eid, self.serial)


@contextmanager
def _hinting(hint: str) -> Iterator[None]:
    """Say what to do about an identifier that is none, where it does not say so itself."""
    try:
        yield
    except InvalidIdentifierError as error:
        raise InvalidIdentifierError(error.detail, error.hint or hint) from error


def imei_of(text: str) -> Imei:
    """The IMEI that somebody sent.

    Raises:
        InvalidIdentifierError: it is none.
    """
    with _hinting("Dial *#06# on the device: it shows 15 digits."):
        return Imei.from_printed(text)


def imsi_of(text: str) -> Imsi:
    """The IMSI that somebody sent.

    Raises:
        InvalidIdentifierError: it is none.
    """
    with _hinting("An IMSI has 14 or 15 digits."):
        return Imsi("".join(text.split()))


def msisdn_of(text: str) -> Msisdn:
    """The number that somebody sent.

    Raises:
        InvalidIdentifierError: it is none.
    """
    with _hinting("Write it with + and the country code, 7 to 15 digits."):
        return Msisdn.from_people(text, country().region)


def proof_of(given: ProofIn | None) -> Proof | None:
    """A proof, if there is one."""
    return None if given is None else given.value()


def printed(number: int) -> str:
    """An IMEI from a table, with its check digit."""
    return Imei.from_number(number).printed
