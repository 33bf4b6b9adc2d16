import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from ceir.identifiers import luhn
from ceir.identifiers._digits import compact, is_digits
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.eid import TELECOM_INDUSTRY, eid_check_digits
from ceir.identifiers.hardware_address import HardwareAddress
from ceir.identifiers.iccid import ICCID_LENGTHS
from ceir.identifiers.imei import Imei, MalformedImei, normalise_imei
from ceir.identifiers.imeisv import Imeisv
from ceir.identifiers.imsi import Imsi
from ceir.identifiers.msisdn import Msisdn
from ceir.identifiers.pei import Pei
from ceir.identifiers.placeholder import placeholder_pattern
from ceir.identifiers.plmn import Plmn
from ceir.identifiers.reporting_body import reporting_body
from ceir.identifiers.tac import Tac

IdentifierKind: TypeAlias = Literal[
    "imei", "imeisv", "malformed_imei", "tac", "imsi", "msisdn", "eid", "iccid", "mac", "eui"
]

LONGEST_TEXT = 200
"""Characters; no identifier with its label and separators is longer, and nobody reads an answer to more."""


@dataclass(frozen=True, slots=True)
class Identification:
    """One way to read a text as an identifier.

    Args:
        kind: what it is then.
        value: its canonical text: what other commands take and tables hold (14 digits for an IMEI).
        facts: name and text of what follows from the digits alone, in the order to show them.
        warnings: sentences about what is wrong or doubtful with it.
    """

    kind: IdentifierKind
    value: str
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def identify(text: str, plmns: Collection[Plmn] = ()) -> tuple[Identification, ...]:
    """Everything that a text may be, the likeliest first.

    Why several: 15 digits can be an IMEI as well as an IMSI, 8 a TAC or a phone number. A label before the
    digits (`IMEI:`, `imsi-`) settles it. What is nearly right is told with what is wrong.

    Args:
        text: as typed or pasted; separators are dropped, digits of any script are understood.
        plmns: networks of the country; an IMSI of one of them is likelier than anything else.

    Returns:
        No reading at all when nothing fits. It raises for no text.
    """
    typed = text.strip()
    if not typed or len(typed) > LONGEST_TEXT:
        return ()
    pei = _as_pei(typed)
    if pei is not None:
        return (pei,)
    attempt = _Typed.of(typed, plmns)
    likely = sorted(filter(None, (read(attempt) for read in _READERS)), key=_likelihood, reverse=True)
    readings = tuple(reading for _, reading in likely)
    labelled = tuple(
        reading for reading in readings if reading.kind in _KINDS_BY_LABEL.get(attempt.label, ())
    )
    return labelled or _without_doubtful(readings, attempt)


_Reading: TypeAlias = tuple[int, Identification] | None


def _likelihood(reading: tuple[int, Identification]) -> int:
    return reading[0]


@dataclass(frozen=True, slots=True)
class _Typed:
    bare: str  # separators dropped, upper case
    digits: str  # the same when it is digits only, else empty
    international: str  # the digits behind a plus, else empty
    raw: str  # without the label only
    label: str  # lower case, empty without one
    plmns: Collection[Plmn]

    @classmethod
    def of(cls, typed: str, plmns: Collection[Plmn]) -> "_Typed":
        found = _LABEL.match(typed)
        rest = typed[found.end() :] if found else typed
        bare = compact(rest).upper()
        phone = re.sub(r"[().]", "", bare)
        behind_plus = phone[1:] if phone.startswith(("+", "＋")) else ""
        return cls(
            bare=bare,
            digits=bare if is_digits(bare) else "",
            international=behind_plus if is_digits(behind_plus) else "",
            raw=rest.strip(),
            label=found["label"].lower() if found else "",
            plmns=plmns,
        )


_ADDRESS_LABELS = ("mac", "eui")
_PHONE_LABELS = ("msisdn", "gpsi", "tel", "phone")
_EQUIPMENT_KINDS: tuple[IdentifierKind, ...] = ("imei", "imeisv", "malformed_imei")
_KINDS_BY_LABEL = MappingProxyType[str, tuple[IdentifierKind, ...]](
    {
        "imei": _EQUIPMENT_KINDS,
        "imeisv": _EQUIPMENT_KINDS,
        "tac": ("tac",),
        "imsi": ("imsi",),
        "supi": ("imsi",),
        **dict.fromkeys(_PHONE_LABELS, ("msisdn",)),
        "eid": ("eid",),
        "iccid": ("iccid",),
        "mac": ("mac",),
        "eui": ("eui",),
    }
)
_SHORTEST_MALFORMED = 8  # characters; below, a text without a label is no attempt at an IMEI

# The optional number is the slot that two-SIM phones print: "IMEI 1: 35...", "IMEI (slot 2) 35...".
_LABEL = re.compile(
    rf"(?P<label>{'|'.join(sorted(_KINDS_BY_LABEL, key=len, reverse=True))})"
    r"(?:\s*(?:[1-4]|\((?:slot\s*|sim\s*)?[1-4]\))\s*(?=[:=])|\s*\((?:slot\s*|sim\s*)?[1-4]\))?"
    r"(?![^\W\d_])[\s:=#-]*(?=[+＋(\w])",
    re.IGNORECASE,
)


def _without_doubtful(readings: tuple[Identification, ...], typed: _Typed) -> tuple[Identification, ...]:
    """Drops the reading as malformed IMEI, which nearly any short text allows, where it helps nobody."""
    digit_or_two_short = len(typed.digits) in (12, 13)
    nothing_else = len(readings) == 1 and len(typed.bare) >= _SHORTEST_MALFORMED
    if not typed.label and (digit_or_two_short or nothing_else):
        return readings
    return tuple(reading for reading in readings if reading.kind != "malformed_imei")


# Likelihoods are only compared with each other; on a tie the reader that comes first in _READERS wins.
_SURE = 9
_ALLOCATING_BODY = 4
_FORMER_BODY = 1
_CHECK_DIGIT_RIGHT = 2
_SPARE_ZERO = 1
_UNCHECKED = 1
_CHECK_DIGIT_WRONG = -1
_COUNTRY_CODE_IN_USE = 3
_TEST_COUNTRY_CODE = 4
_LAST_RESORT = -5

_TEST_MCC = "001"
_MCC_IN_USE = re.compile(r"[2-7][0-9]{2}|901|999")
"""E.212: 2 to 7 open the geographic codes, 901 is for worldwide networks, 999 for private ones."""


def _as_pei(typed: str) -> Identification | None:
    lowered = typed.lower()
    try:
        pei = Pei.parse(lowered)
    except InvalidIdentifierError:
        return None
    shown = ("PEI", pei.wire)
    if pei.imeisv is not None:
        return _with_fact(_imeisv_reading(pei.imeisv, ()), shown)
    if pei.imei is not None:
        fifteenth = lowered.removeprefix("imei-")[14:]
        return _with_fact(_imei_reading(pei.imei, _fifteenth_digit(pei.imei, fifteenth)[1]), shown)
    reading = _with_fact(_address_reading(HardwareAddress(pei.value)), shown)
    if pei.untrusted:
        return replace(reading, warnings=(*reading.warnings, "The network could not confirm this address."))
    return reading


def _with_fact(reading: Identification, fact: tuple[str, str]) -> Identification:
    return replace(reading, facts=(*reading.facts, fact))


def _read_imei(typed: _Typed) -> _Reading:
    if len(typed.digits) in (14, 15):
        imei = Imei(typed.digits[:14])
        weight, warnings = _fifteenth_digit(imei, typed.digits[14:])
        return _body_weight(imei) + weight, _imei_reading(imei, warnings)
    identity = None if typed.digits else _as_file_field(typed.bare)
    if not isinstance(identity, Imei):
        return None
    warning = "Only the first 14 digits count; what stands behind them is dropped when files are read."
    return _UNCHECKED, _imei_reading(identity, (warning,))


def _read_imeisv(typed: _Typed) -> _Reading:
    if len(typed.digits) not in (16, 17):
        return None
    imei = Imei(typed.digits[:14])
    warnings = _fifteenth_digit(imei, typed.digits[14])[1] if len(typed.digits) == 17 else ()
    return _SURE, _imeisv_reading(Imeisv(imei, typed.digits[-2:]), warnings)


def _read_tac(typed: _Typed) -> _Reading:
    if len(typed.digits) != 8:
        return None
    tac = Tac(typed.digits)
    facts, warnings = _tac_facts(tac)
    return _SURE, Identification("tac", tac.digits, facts, warnings)


def _read_imsi(typed: _Typed) -> _Reading:
    if len(typed.digits) not in (14, 15):
        return None
    imsi = Imsi(typed.digits)
    facts = [("mobile country code", imsi.mcc)]
    warnings = []
    weight = 0
    home = imsi.plmn_in(typed.plmns)
    if home is not None:
        facts.append(("network", str(home)))
        weight = _SURE
    elif imsi.mcc == _TEST_MCC:
        warnings.append("The country code 001 is for test networks.")
        weight = _TEST_COUNTRY_CODE
    elif _MCC_IN_USE.fullmatch(imsi.mcc) or any(imsi.mcc == plmn.mcc for plmn in typed.plmns):
        weight = _COUNTRY_CODE_IN_USE
    else:
        warnings.append(f"No country has the mobile country code {imsi.mcc}.")
    return weight - (15 - len(imsi.digits)), Identification(
        "imsi", imsi.digits, tuple(facts), tuple(warnings)
    )


def _read_msisdn(typed: _Typed) -> _Reading:
    if 1 <= len(typed.international) <= 15:
        return _SURE, _msisdn_reading(Msisdn(typed.international), ())
    lengths = range(1, 16) if typed.label in _PHONE_LABELS else range(7, 14)
    if len(typed.digits) in lengths:
        warning = "There is no + before it: it is a phone number only if its country code comes first."
        return 0, _msisdn_reading(Msisdn(typed.digits), (warning,))
    return None


def _read_eid(typed: _Typed) -> _Reading:
    if len(typed.digits) != 32:
        return None
    given, right = typed.digits[30:], eid_check_digits(typed.digits[:30])
    facts = (("check digits", given),)
    if given == right:
        return _SURE, Identification("eid", typed.digits, facts)
    if not typed.digits.startswith(TELECOM_INDUSTRY):
        return None
    warning = f"The check digits {given} are wrong: after these 30 digits they should be {right}."
    return 0, Identification("eid", typed.digits, facts, (warning,))


def _read_iccid(typed: _Typed) -> _Reading:
    digits = typed.bare.removesuffix("F")  # the filler of a card with 19 digits
    if len(digits) not in ICCID_LENGTHS or not is_digits(digits) or not digits.startswith(TELECOM_INDUSTRY):
        return None
    given, right = digits[-1], luhn.check_digit(digits[:-1])
    facts = (("check digit", given),)
    if given == right:
        return _SURE, Identification("iccid", digits, facts)
    warning = f"The check digit {given} is wrong: after these digits it should be {right}."
    return 0, Identification("iccid", digits, facts, (warning,))


def _read_address(typed: _Typed) -> _Reading:
    # Digits alone are far likelier something else, and 16 letters and digits in a row are a malformed IMEI.
    ambiguous = typed.digits == typed.raw or (typed.bare == typed.raw.upper() and len(typed.bare) == 16)
    if ambiguous and typed.label not in _ADDRESS_LABELS:
        return None
    try:
        address = HardwareAddress.parse(typed.raw)
    except InvalidIdentifierError:
        return None
    return _SURE, _address_reading(address)


def _read_malformed_imei(typed: _Typed) -> _Reading:
    identity = _as_file_field(typed.bare)
    if not isinstance(identity, MalformedImei):
        return None
    facts = (("characters", str(len(identity.text))),)
    warning = "An IMEI has 15 digits on a label, 14 without the check digit. Networks do report such texts."
    return _LAST_RESORT, Identification("malformed_imei", identity.text, facts, (warning,))


_READERS: tuple[Callable[[_Typed], _Reading], ...] = (
    _read_imei,
    _read_imeisv,
    _read_tac,
    _read_imsi,
    _read_msisdn,
    _read_eid,
    _read_iccid,
    _read_address,
    _read_malformed_imei,
)


def _as_file_field(bare: str) -> Imei | MalformedImei | None:
    try:
        return normalise_imei(bare)
    except InvalidIdentifierError:
        return None


def _body_weight(imei: Imei) -> int:
    body = reporting_body(imei.reporting_body)
    if body is None:
        return 0
    return _ALLOCATING_BODY if body.allocating else _FORMER_BODY


def _fifteenth_digit(imei: Imei, digit: str) -> tuple[int, tuple[str, ...]]:
    """What the digit behind the 14 says: how likely it makes an IMEI, and what to warn of."""
    right = imei.check_digit
    if not digit:
        return _UNCHECKED, ()
    if digit == right:
        return _CHECK_DIGIT_RIGHT, ()
    if digit == "0":
        text = f"The 15th digit is 0, as networks send it; on a label it would be {right}: {imei.printed}."
        return _SPARE_ZERO, (text,)
    text = f"The check digit {digit} is wrong: after these 14 digits it should be {right} ({imei.printed})."
    return _CHECK_DIGIT_WRONG, (text,)


def _imei_reading(imei: Imei, warnings: tuple[str, ...]) -> Identification:
    tac_facts, tac_warnings = _tac_facts(imei.tac)
    pattern = placeholder_pattern(imei)
    facts = (
        ("as printed", imei.printed),
        ("TAC", imei.tac.digits),
        ("serial number", imei.serial),
        ("check digit", imei.check_digit),
        *tac_facts,
        ("placeholder", pattern or "no"),
    )
    made_up = (
        ("Its digits follow a pattern: nobody allocated it, many devices may show it.",) if pattern else ()
    )
    return Identification("imei", imei.digits, facts, (*warnings, *tac_warnings, *made_up))


def _imeisv_reading(imeisv: Imeisv, warnings: tuple[str, ...]) -> Identification:
    reading = _imei_reading(imeisv.imei, warnings)
    version = imeisv.software_version + (" (any)" if imeisv.is_any_version else "")
    facts = (("IMEI", imeisv.imei.digits), ("software version", version), *reading.facts)
    return Identification("imeisv", imeisv.digits, facts, reading.warnings)


def _tac_facts(tac: Tac) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    body = reporting_body(tac.reporting_body)
    facts = (
        ("reporting body", f"{tac.reporting_body} {body or '(not publicly known)'}"),
        ("test range", "yes" if tac.is_test else "no"),
    )
    warnings = []
    if body is None:
        warnings.append(f"No known reporting body has the code {tac.reporting_body}.")
    elif not body.allocating:
        warnings.append(
            f"The reporting body {tac.reporting_body} no longer allocates: equipment of it is old."
        )
    if tac.is_test:
        warnings.append("The TAC is set aside for test equipment.")
    return facts, tuple(warnings)


def _msisdn_reading(msisdn: Msisdn, warnings: tuple[str, ...]) -> Identification:
    facts = (("international", msisdn.international), ("digits", str(len(msisdn.digits))))
    if not msisdn.is_countable:
        warnings = (*warnings, "It is too short to be somebody's number.")
    return Identification("msisdn", msisdn.digits, facts, warnings)


def _address_reading(address: HardwareAddress) -> Identification:
    local, group = address.is_locally_administered, address.is_group
    facts = (("assigned by", "nobody (made up by the device)" if local else "manufacturer"),)
    warnings = []
    if local:
        warnings.append("The address is locally administered: it does not identify equipment for long.")
    if group:
        warnings.append("The address is for a group of receivers: no single equipment has it.")
    return Identification("mac" if address.is_mac else "eui", address.octets, facts, tuple(warnings))
