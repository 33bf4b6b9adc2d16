"""Questions and their right answers, which every interface must give alike, and a checker that gives them."""

from dataclasses import dataclass

import numpy as np

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.equipment_check.snapshot.building import SnapshotContent

PERMITTED_IMEI = 35209900176148
TRACKED_IMEI = 35209900176149
BLOCKED_IMEI = 35209900176150
PAIRED_IMEI = 35209900176151
"""Blocked, except with the paired subscriber."""
OLD_SOFTWARE_IMEI = 35209900176152
"""In a range that is permitted, but blocked with software version 07."""
BARRED_TAC = 35766510
"""Every IMEI of it is blocked."""
BARRED_TAC_IMEI = BARRED_TAC * 1_000_000 + 42
LEADING_ZERO_IMEI = 1234567890123
"""01234567890123, tracked."""
UNKNOWN_IMEI = 86012304567891

PAIRED_IMSI = 1001010123456789
OTHER_IMSI = 1001010987654321
TEST_IMSI = 1001019900000500
"""In a range of subscribers that may use anything."""
TEST_IMSIS = (1001019900000000, 1001019900000999)

_PERMITTED = Answer(EquipmentStatus.PERMITTED, Reason.IDENTITY)
_TRACKED = Answer(EquipmentStatus.TRACKED, Reason.IDENTITY)
_BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
_UNKNOWN = Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT)
_PAIRED = Answer(EquipmentStatus.PERMITTED, Reason.PAIRED)
_RANGED = Answer(EquipmentStatus.PERMITTED, Reason.RANGE)
_BARRED = Answer(EquipmentStatus.BLOCKED, Reason.RANGE)
_TEST = Answer(EquipmentStatus.PERMITTED, Reason.SUBSCRIBER_RANGE)
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
    (Question(OLD_SOFTWARE_IMEI), _RANGED),
    (Question(OLD_SOFTWARE_IMEI, 7), _OLD),
    (Question(OLD_SOFTWARE_IMEI, 8), _RANGED),
    (Question(OLD_SOFTWARE_IMEI, 7, TEST_IMSI), _TEST),
    (Question(BARRED_TAC_IMEI), _BARRED),
    (Question(BARRED_TAC_IMEI, 3, OTHER_IMSI), _BARRED),
    (Question(BARRED_TAC_IMEI, 3, TEST_IMSI), _TEST),
    (Question(BLOCKED_IMEI, None, TEST_IMSI), _TEST),
    (Question(TRACKED_IMEI, None, TEST_IMSI), _TEST),
    (Question(UNKNOWN_IMEI, None, TEST_IMSI), _TEST),
    (Question(UNKNOWN_IMEI), _UNKNOWN),
    (Question(UNKNOWN_IMEI, 5, OTHER_IMSI), _UNKNOWN),
]


@dataclass(frozen=True)
class SetChecker:
    """The lists above, in memory; what is on no list is unknown."""

    malformed: Answer = _MALFORMED

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        answer = self._listed(imei, software_version)
        if imsi is None or answer.status is EquipmentStatus.PERMITTED:
            return answer
        if imei == PAIRED_IMEI and imsi == PAIRED_IMSI:
            return _PAIRED
        return _TEST if TEST_IMSIS[0] <= imsi <= TEST_IMSIS[1] else answer

    def _listed(self, imei: int | None, software_version: int | None) -> Answer:
        if imei is None:
            return self.malformed
        if imei == PAIRED_IMEI:
            return _BLOCKED
        if imei == OLD_SOFTWARE_IMEI:
            return _OLD if software_version == 7 else _RANGED
        if imei // 1_000_000 == BARRED_TAC:
            return _BARRED
        by_imei = {
            PERMITTED_IMEI: _PERMITTED,
            TRACKED_IMEI: _TRACKED,
            LEADING_ZERO_IMEI: _TRACKED,
            BLOCKED_IMEI: _BLOCKED,
        }
        return by_imei.get(imei, _UNKNOWN)


def content() -> SnapshotContent:
    """The same as a snapshot holds it."""
    return SnapshotContent(
        identities={
            "blocked": [np.array([BLOCKED_IMEI, PAIRED_IMEI], dtype=np.uint64)],
            "tracked": [np.array([LEADING_ZERO_IMEI, TRACKED_IMEI], dtype=np.uint64)],
            "permitted": [np.array([PERMITTED_IMEI], dtype=np.uint64)],
        },
        ranges=[
            (OLD_SOFTWARE_IMEI, OLD_SOFTWARE_IMEI, "permitted"),
            (BARRED_TAC * 1_000_000, BARRED_TAC * 1_000_000 + 999_999, "blocked"),
        ],
        versions=[(OLD_SOFTWARE_IMEI, 7, "blocked")],
        pairs=[(np.array([PAIRED_IMEI], dtype=np.uint64), np.array([PAIRED_IMSI], dtype=np.uint64))],
        subscribers=[TEST_IMSIS],
    )
