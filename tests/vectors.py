"""Questions and their right answers, which every interface must give alike, and a checker that gives them."""

from dataclasses import dataclass

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason

PERMITTED_IMEI = 35209900176148
TRACKED_IMEI = 35209900176149
BLOCKED_IMEI = 35209900176150
PAIRED_IMEI = 35209900176151
"""Blocked, except with the paired subscriber."""
OLD_SOFTWARE_IMEI = 35209900176152
"""Permitted, but blocked with software version 07."""
LEADING_ZERO_IMEI = 1234567890123
"""01234567890123, tracked."""
UNKNOWN_IMEI = 86012304567891

PAIRED_IMSI = 1001010123456789
OTHER_IMSI = 1001010987654321

_PERMITTED = Answer(EquipmentStatus.PERMITTED, Reason.IDENTITY)
_TRACKED = Answer(EquipmentStatus.TRACKED, Reason.IDENTITY)
_BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
_UNKNOWN = Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT)
_PAIRED = Answer(EquipmentStatus.PERMITTED, Reason.PAIRED)
_OLD = Answer(EquipmentStatus.BLOCKED, Reason.SOFTWARE_VERSION)
_MALFORMED = Answer(EquipmentStatus.UNKNOWN, Reason.MALFORMED)

VECTORS: list[tuple[Question, Answer]] = [
    (Question(PERMITTED_IMEI), _PERMITTED),
    (Question(PERMITTED_IMEI, 1, OTHER_IMSI), _PERMITTED),
    (Question(TRACKED_IMEI), _TRACKED),
    (Question(TRACKED_IMEI, 0), _TRACKED),
    (Question(LEADING_ZERO_IMEI, 99, PAIRED_IMSI), _TRACKED),
    (Question(BLOCKED_IMEI), _BLOCKED),
    (Question(BLOCKED_IMEI, 42), _BLOCKED),
    (Question(BLOCKED_IMEI, None, PAIRED_IMSI), _BLOCKED),
    (Question(PAIRED_IMEI), _BLOCKED),
    (Question(PAIRED_IMEI, None, PAIRED_IMSI), _PAIRED),
    (Question(PAIRED_IMEI, 12, PAIRED_IMSI), _PAIRED),
    (Question(PAIRED_IMEI, 12, OTHER_IMSI), _BLOCKED),
    (Question(OLD_SOFTWARE_IMEI), _PERMITTED),
    (Question(OLD_SOFTWARE_IMEI, 7), _OLD),
    (Question(OLD_SOFTWARE_IMEI, 8), _PERMITTED),
    (Question(UNKNOWN_IMEI), _UNKNOWN),
    (Question(UNKNOWN_IMEI, 5, OTHER_IMSI), _UNKNOWN),
]


@dataclass(frozen=True)
class SetChecker:
    """The lists above, in memory; what is on no list is unknown."""

    malformed: Answer = _MALFORMED

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        if imei is None:
            return self.malformed
        if imei == PAIRED_IMEI:
            return _PAIRED if imsi == PAIRED_IMSI else _BLOCKED
        if imei == OLD_SOFTWARE_IMEI:
            return _OLD if software_version == 7 else _PERMITTED
        by_imei = {
            PERMITTED_IMEI: _PERMITTED,
            TRACKED_IMEI: _TRACKED,
            LEADING_ZERO_IMEI: _TRACKED,
            BLOCKED_IMEI: _BLOCKED,
        }
        return by_imei.get(imei, _UNKNOWN)
