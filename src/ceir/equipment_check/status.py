"""What an equipment check answers."""

from dataclasses import dataclass
from enum import Enum


class EquipmentStatus(Enum):
    """The three statuses of TS 22.016, and the answer that none applies.

    Wire words (white, grey, black; 0, 1, 2) belong to the codecs alone.
    """

    PERMITTED = "permitted"
    TRACKED = "tracked"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Reason(Enum):
    """Which step of the order of decision answered; for logs, metrics and sightings."""

    OVERRIDE = "override"
    PAIRED = "paired"
    SUBSCRIBER_RANGE = "subscriber_range"
    IDENTITY = "identity"
    SOFTWARE_VERSION = "software_version"
    RANGE = "range"
    DEFAULT = "default"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the step that gave it."""

    status: EquipmentStatus
    reason: Reason
