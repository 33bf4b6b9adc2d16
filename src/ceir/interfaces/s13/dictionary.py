"""The part of the Diameter dictionary that S13 and S13' need."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

VENDOR_3GPP: Final = 10415
S13_APPLICATION: Final = 16777252
"""S13 (MME) and S13' (SGSN) share it. Source: 3GPP TS 29.272 clause 7.1.8."""
COMMON_APPLICATION: Final = 0
RELAY_APPLICATION: Final = 0xFFFFFFFF
"""What a relay advertises instead of the applications it carries. Source: RFC 6733 clause 2.4."""


class Command(IntEnum):
    """Command codes that are answered."""

    CAPABILITIES_EXCHANGE = 257
    DEVICE_WATCHDOG = 280
    DISCONNECT_PEER = 282
    ME_IDENTITY_CHECK = 324


class Result(IntEnum):
    """Result codes that are sent. Source: RFC 6733 clause 7.1."""

    SUCCESS = 2001
    COMMAND_UNSUPPORTED = 3001
    UNABLE_TO_DELIVER = 3002
    REALM_NOT_SERVED = 3003
    TOO_BUSY = 3004
    LOOP_DETECTED = 3005
    APPLICATION_UNSUPPORTED = 3007
    INVALID_HDR_BITS = 3008
    INVALID_AVP_BITS = 3009
    UNKNOWN_PEER = 3010
    AVP_UNSUPPORTED = 5001
    INVALID_AVP_VALUE = 5004
    MISSING_AVP = 5005
    AVP_OCCURS_TOO_MANY_TIMES = 5009
    NO_COMMON_APPLICATION = 5010
    UNSUPPORTED_VERSION = 5011
    UNABLE_TO_COMPLY = 5012
    INVALID_AVP_LENGTH = 5014
    INVALID_MESSAGE_LENGTH = 5015
    NO_COMMON_SECURITY = 5017

    @property
    def is_protocol_error(self) -> bool:
        """Whether the answer carries the E bit and may leave the command's own form."""
        return 3000 <= self < 4000


EQUIPMENT_UNKNOWN: Final = 5422
"""DIAMETER_ERROR_EQUIPMENT_UNKNOWN, an Experimental-Result-Code. Source: TS 29.272 clause 7.4.3.5."""


class Kind(Enum):
    """Basic forms of an AVP's data, each with the least number of octets it takes."""

    OCTETS = 0
    IDENTITY = 1
    UNSIGNED32 = 4
    ADDRESS = 6
    GROUPED = -1

    @property
    def least(self) -> int:
        """The least number of octets of data."""
        return max(self.value, 0)


@dataclass(frozen=True, slots=True)
class AvpType:
    """A known attribute: its code, vendor (0: none) and form."""

    name: str
    code: int
    kind: Kind
    vendor: int = 0


USER_NAME = AvpType("User-Name", 1, Kind.OCTETS)
HOST_IP_ADDRESS = AvpType("Host-IP-Address", 257, Kind.ADDRESS)
AUTH_APPLICATION_ID = AvpType("Auth-Application-Id", 258, Kind.UNSIGNED32)
ACCT_APPLICATION_ID = AvpType("Acct-Application-Id", 259, Kind.UNSIGNED32)
VENDOR_SPECIFIC_APPLICATION_ID = AvpType("Vendor-Specific-Application-Id", 260, Kind.GROUPED)
SESSION_ID = AvpType("Session-Id", 263, Kind.IDENTITY)
ORIGIN_HOST = AvpType("Origin-Host", 264, Kind.IDENTITY)
SUPPORTED_VENDOR_ID = AvpType("Supported-Vendor-Id", 265, Kind.UNSIGNED32)
VENDOR_ID = AvpType("Vendor-Id", 266, Kind.UNSIGNED32)
FIRMWARE_REVISION = AvpType("Firmware-Revision", 267, Kind.UNSIGNED32)
RESULT_CODE = AvpType("Result-Code", 268, Kind.UNSIGNED32)
PRODUCT_NAME = AvpType("Product-Name", 269, Kind.OCTETS)
DISCONNECT_CAUSE = AvpType("Disconnect-Cause", 273, Kind.UNSIGNED32)
AUTH_SESSION_STATE = AvpType("Auth-Session-State", 277, Kind.UNSIGNED32)
ORIGIN_STATE_ID = AvpType("Origin-State-Id", 278, Kind.UNSIGNED32)
FAILED_AVP = AvpType("Failed-AVP", 279, Kind.GROUPED)
PROXY_HOST = AvpType("Proxy-Host", 280, Kind.IDENTITY)
ROUTE_RECORD = AvpType("Route-Record", 282, Kind.IDENTITY)
DESTINATION_REALM = AvpType("Destination-Realm", 283, Kind.IDENTITY)
PROXY_INFO = AvpType("Proxy-Info", 284, Kind.GROUPED)
DESTINATION_HOST = AvpType("Destination-Host", 293, Kind.IDENTITY)
ERROR_REPORTING_HOST = AvpType("Error-Reporting-Host", 294, Kind.IDENTITY)
ORIGIN_REALM = AvpType("Origin-Realm", 296, Kind.IDENTITY)
EXPERIMENTAL_RESULT = AvpType("Experimental-Result", 297, Kind.GROUPED)
EXPERIMENTAL_RESULT_CODE = AvpType("Experimental-Result-Code", 298, Kind.UNSIGNED32)
INBAND_SECURITY_ID = AvpType("Inband-Security-Id", 299, Kind.UNSIGNED32)
TERMINAL_INFORMATION = AvpType("Terminal-Information", 1401, Kind.GROUPED, VENDOR_3GPP)
IMEI = AvpType("IMEI", 1402, Kind.OCTETS, VENDOR_3GPP)
SOFTWARE_VERSION = AvpType("Software-Version", 1403, Kind.OCTETS, VENDOR_3GPP)
EQUIPMENT_STATUS = AvpType("Equipment-Status", 1445, Kind.UNSIGNED32, VENDOR_3GPP)
MEID = AvpType("3GPP2-MEID", 1471, Kind.OCTETS, VENDOR_3GPP)

NO_STATE_MAINTAINED: Final = 1
NO_INBAND_SECURITY: Final = 0


class DisconnectCause(IntEnum):
    """Why a peer takes its leave. Source: RFC 6733 clause 5.4.3."""

    REBOOTING = 0
    BUSY = 1
    DO_NOT_WANT_TO_TALK_TO_YOU = 2
