"""Identifiers of equipment, subscriptions and networks, as values that cannot be wrong."""

from ceir.identifiers import luhn
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.eid import Eid, eid_check_digits
from ceir.identifiers.hardware_address import HardwareAddress
from ceir.identifiers.iccid import Iccid
from ceir.identifiers.identify import Identification, IdentifierKind, identify
from ceir.identifiers.imei import EquipmentIdentity, Imei, MalformedImei, normalise_imei
from ceir.identifiers.imeisv import ANY_SOFTWARE_VERSION, Imeisv
from ceir.identifiers.imsi import Imsi
from ceir.identifiers.msisdn import Msisdn
from ceir.identifiers.pei import Pei, PeiKind
from ceir.identifiers.placeholder import (
    PLACEHOLDER_NUMBERS,
    PlaceholderPattern,
    is_placeholder,
    placeholder_pattern,
)
from ceir.identifiers.plmn import Plmn, check_prefix_free
from ceir.identifiers.rat import (
    ALL_TECHNOLOGIES_MASK,
    CAPABILITY_PREFIXES,
    CAPABILITY_TOKENS,
    GENERATION_MASKS,
    NON_CELLULAR_TOKENS,
    TECHNOLOGIES,
    Generation,
    RadioTechnology,
    codes_of_mask,
    describe,
    generation_mask,
    generations_of_bands,
    mask_of_codes,
)
from ceir.identifiers.reporting_body import REPORTING_BODIES, ReportingBody, reporting_body
from ceir.identifiers.tac import TEST_TAC_PREFIXES, Tac, is_test_tac

__all__ = [
    "ALL_TECHNOLOGIES_MASK",
    "ANY_SOFTWARE_VERSION",
    "CAPABILITY_PREFIXES",
    "CAPABILITY_TOKENS",
    "GENERATION_MASKS",
    "NON_CELLULAR_TOKENS",
    "PLACEHOLDER_NUMBERS",
    "REPORTING_BODIES",
    "TECHNOLOGIES",
    "TEST_TAC_PREFIXES",
    "Eid",
    "EquipmentIdentity",
    "Generation",
    "HardwareAddress",
    "Iccid",
    "Identification",
    "IdentifierKind",
    "Imei",
    "Imeisv",
    "Imsi",
    "InvalidIdentifierError",
    "MalformedImei",
    "Msisdn",
    "Pei",
    "PeiKind",
    "PlaceholderPattern",
    "Plmn",
    "RadioTechnology",
    "ReportingBody",
    "Tac",
    "check_prefix_free",
    "codes_of_mask",
    "describe",
    "eid_check_digits",
    "generation_mask",
    "generations_of_bands",
    "identify",
    "is_placeholder",
    "is_test_tac",
    "luhn",
    "mask_of_codes",
    "normalise_imei",
    "placeholder_pattern",
    "reporting_body",
]
