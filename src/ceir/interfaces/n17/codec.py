"""From the query of an equipment-status request to a question, and from an answer to its JSON."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from ceir.equipment_check import EquipmentStatus, Question
from ceir.errors import CeirError
from ceir.identifiers import InvalidIdentifierError, Pei
from ceir.interfaces.n17.problems import Cause, Problem

PATH = "/n5g-eir-eic/v1/equipment-status"
METHOD = "GET"
PARAMETERS = ("pei", "supi", "gpsi", "supported-features")

STATUS_WORDS = {
    EquipmentStatus.PERMITTED: "WHITELISTED",
    EquipmentStatus.TRACKED: "GREYLISTED",
    EquipmentStatus.BLOCKED: "BLACKLISTED",
}
"""Source: 3GPP TS 29.511 clause 6.1.6.3.3 (EquipmentStatus). Unknown has no word: it is a 404."""

_MANDATORY = "pei"
_PEI_PREFIX = re.compile(r"(?:imei|imeisv|mac|eui)-")
_IMSI = re.compile(r"imsi-([0-9]{5,15})")
_MSISDN = re.compile(r"msisdn-[0-9]{5,15}")
_EXTERNAL = re.compile(r"extid-[^@]+@[^@]+")
_FEATURES = re.compile(r"[0-9A-Fa-f]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RAW = re.compile(r"[!$'()*+,;:@/?\-._~0-9A-Za-z%=]*")
_OPEN_FORM = re.compile(r".+")
"""How the specification leaves room for kinds of identifiers that later releases may define."""

_COMMON = re.compile(
    r"pei=imei(?:-([0-9]{14})[0-9]|sv-([0-9]{14})([0-9]{2}))(?:&supi=imsi-([0-9]{5,15}))?"
).fullmatch


class QueryRefusedError(CeirError):
    """The query of a request is not one that the API defines.

    Args:
        problem: what the answer says.
    """

    code: ClassVar[str] = "n17_query_refused"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """A well-formed request for the status of equipment.

    Args:
        pei: None when it has a form that a later release may define: nothing can be known of it here.
        imsi: the digits when the SUPI is an IMSI.
        features: bit mask of the consumer's features, feature 1 in the lowest bit; None: not told.

    Source: 3GPP TS 29.511 table 6.1.3.2.3.1-1.
    """

    pei: Pei | None
    imsi: str | None = None
    features: int | None = None

    @property
    def question(self) -> Question:
        """What the checker is asked; a MAC address or EUI-64 is no IMEI, so it asks about none."""
        imei = self.pei.imei if self.pei is not None else None
        imeisv = self.pei.imeisv if self.pei is not None else None
        return Question(
            imei=None if imei is None else imei.number,
            software_version=None if imeisv is None else int(imeisv.software_version),
            imsi=None if self.imsi is None else int("1" + self.imsi),
        )


def common_values(query: str) -> tuple[int, int | None, int | None] | None:
    """The values of a `Question` in the query that nearly every AMF sends, read by one pattern.

    Why: it costs under a microsecond, the whole grammar ten. What it takes, `parse_query` reads alike (a
    property test says so); what it does not take may be well-formed all the same. A bare tuple, because
    making a `Question` of it would cost half as much again and only an observer needs one.

    Args:
        query: as on the wire, without the question mark.

    Returns:
        None for anything but `pei=` with an IMEI of 15 or IMEISV of 16 digits, perhaps followed by
        `&supi=imsi-`.
    """
    found = _COMMON(query)
    if found is None:
        return None
    imei, with_version, version, imsi = found.groups()
    if version is None:
        return int(imei), None, None if imsi is None else int("1" + imsi)
    return int(with_version), int(version), None if imsi is None else int("1" + imsi)


def parse_query(query: str) -> StatusQuery:
    """The request in a query string, by the whole grammar.

    Args:
        query: as on the wire, percent-encoded, without the question mark.

    Raises:
        QueryRefusedError: a parameter unknown, twice, missing, badly encoded or of the wrong form.

    Source: 3GPP TS 29.511 clause 6.1.3.2.3.1; TS 29.571 clauses 5.2.2 and 5.3.2; TS 29.500 clause 5.2.7.2.
    """
    texts = _parameters(query)
    if _MANDATORY not in texts:
        raise QueryRefusedError(
            Problem(400, Cause.MANDATORY_QUERY_PARAM_MISSING, "The parameter pei is missing.", _MANDATORY)
        )
    pei = _pei(texts["pei"])
    supi = texts.get("supi")
    gpsi = texts.get("gpsi")
    features = texts.get("supported-features")
    if gpsi is not None:
        _check_gpsi(gpsi)
    return StatusQuery(
        pei,
        None if supi is None else _imsi(supi),
        None if features is None else _feature_mask(features),
    )


def _parameters(query: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    if not query:
        return texts
    for pair in query.split("&"):
        raw_name, separator, raw_value = pair.partition("=")
        name = _decoded(raw_name, _unreadable_name)
        if name not in PARAMETERS:
            raise QueryRefusedError(
                Problem(400, Cause.INVALID_QUERY_PARAM, "The API has no query parameter of this name.")
            )
        if name in texts:
            raise _incorrect(name, "The parameter comes more than once.")
        if not separator:
            raise _incorrect(name, "The parameter has no value.")
        texts[name] = _decoded(raw_value, partial(_unreadable_value, name))
    return texts


def _decoded(raw: str, refusal: Callable[[], QueryRefusedError]) -> str:
    if not _RAW.fullmatch(raw) or _BAD_ESCAPE.search(raw):
        raise refusal()
    try:
        return unquote_to_bytes(raw).decode("utf-8") if "%" in raw else raw
    except UnicodeDecodeError:
        raise refusal() from None


def _unreadable_name() -> QueryRefusedError:
    return QueryRefusedError(
        Problem(400, Cause.INVALID_QUERY_PARAM, "The name of a query parameter is not readable.")
    )


def _unreadable_value(name: str) -> QueryRefusedError:
    return _incorrect(name, "The value is not percent-encoded UTF-8.")


def _incorrect(name: str, detail: str) -> QueryRefusedError:
    cause = (
        Cause.MANDATORY_QUERY_PARAM_INCORRECT if name == _MANDATORY else Cause.OPTIONAL_QUERY_PARAM_INCORRECT
    )
    return QueryRefusedError(Problem(400, cause, detail, name))


def _pei(text: str) -> Pei | None:
    if not _PEI_PREFIX.match(text):
        _check_open_form("pei", text)
        return None
    try:
        return Pei.parse(text)
    except InvalidIdentifierError as problem:
        raise _incorrect("pei", problem.hint or problem.detail) from None


def _imsi(supi: str) -> str | None:
    if not supi.startswith("imsi-"):
        if supi in ("nai-", "gci-", "gli-"):
            raise _incorrect("supi", "Nothing follows the kind of the identifier.")
        _check_open_form("supi", supi)
        return None
    found = _IMSI.fullmatch(supi)
    if found is None:
        raise _incorrect("supi", "An IMSI is imsi- and 5 to 15 digits.")
    return found[1]


def _check_gpsi(gpsi: str) -> None:
    if gpsi.startswith("msisdn-"):
        if not _MSISDN.fullmatch(gpsi):
            raise _incorrect("gpsi", "An MSISDN is msisdn- and 5 to 15 digits.")
    elif gpsi.startswith("extid-"):
        if not _EXTERNAL.fullmatch(gpsi):
            raise _incorrect("gpsi", "An external identifier is extid-, a local part, @ and a domain.")
    else:
        _check_open_form("gpsi", gpsi)


def _check_open_form(name: str, text: str) -> None:
    if not _OPEN_FORM.fullmatch(text):
        raise _incorrect(name, "The value is empty or has a line end in it.")


def _feature_mask(text: str) -> int:
    if not _FEATURES.fullmatch(text):
        raise _incorrect("supported-features", "The value is not hexadecimal digits.")
    return int(text or "0", 16)
