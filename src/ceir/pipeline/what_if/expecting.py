"""How many lines a policy is expected to cut wrongly, as far as somebody measured its conditions."""

from collections.abc import Iterable

from ceir.pipeline.what_if.result import Calibrated, Expected, Group
from ceir.policy import Policy
from ceir.policy.calibration import Calibration

NOT_CALIBRATED = "not calibrated"


def calibrated_conditions(
    policy: Policy, groups: Iterable[Group], calibration: Calibration | None
) -> tuple[Calibrated, ...]:
    """What is known of each blocking condition; without a figure of its very meaning: nothing."""
    counted = {group.name: group.cut for group in groups}
    found = []
    for label, condition in policy.conditions.items():
        if not condition.blocking:
            continue
        count = counted[label]
        known = calibration.of(label, condition) if calibration is not None else None
        if calibration is None or known is None:
            other = calibration is not None and label in calibration.conditions
            why = "calibrated with other rules or parameters only" if other else NOT_CALIBRATED
            found.append(Calibrated(condition=label, count=count, why=why))
            continue
        found.append(
            Calibrated(
                condition=label,
                count=count,
                precision=float(known.precision),
                low=float(known.low),
                high=float(known.high),
                confidence=float(calibration.confidence),
                field=calibration.field,
                provenance=known.provenance,
            )
        )
    return tuple(found)


def expected_wrong(
    policy: Policy, masks: Iterable[tuple[int, int]], calibrated: Iterable[Calibrated]
) -> Expected:
    """Lines expected to be cut wrongly, with the interval that the calibration's intervals leave.

    A line that several conditions cut is wrong only if all of them are; how far they err together nobody
    measured, so the best of them alone speaks for it: that is never too few.

    Args:
        masks: conditions (bits in the policy's order) and how many lines they cut together.
    """
    known = {c.condition: c for c in calibrated if c.precision is not None}
    labels = list(policy.conditions)
    sure = unsure = 0
    wrong = low = high = 0.0
    for mask, lines in masks:
        speaking = [known[label] for bit, label in enumerate(labels) if mask >> bit & 1 and label in known]
        if not speaking:
            unsure += lines
            continue
        best = max(speaking, key=lambda c: (c.low or 0.0, c.condition))
        sure += lines
        wrong += lines * (1 - (best.precision or 0.0))
        low += lines * (1 - (best.high or 0.0))
        high += lines * (1 - (best.low or 0.0))
    if not known:
        return Expected(calibrated=0, uncalibrated=unsure)
    return Expected(calibrated=sure, uncalibrated=unsure, wrong=wrong, low=low, high=high)
