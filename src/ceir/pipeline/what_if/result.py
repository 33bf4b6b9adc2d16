"""What a replay showed, as values that can be written, read again and drawn."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Literal[1] = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Count(_Part):
    """How many.

    Args:
        lines: different subscribers (IMSIs) seen with the devices within the policy's look-back and not
            paired with them.
        persons: different persons behind these lines; None: no list says who they are.
    """

    devices: int = 0
    lines: int = 0
    persons: int | None = None


class Group(_Part):
    """The devices of one operator, region, model, age or condition; `name` None: unknown."""

    name: str | None
    notified: Count = Count()
    cut: Count = Count()


class Step(_Part):
    """A day of the replay: what stands on it, and what is new since the one before."""

    as_of: date
    notified: int
    blocked: int
    newly_notified: int
    newly_cut: int


class Fuse(_Part):
    """A blocking condition that matched more than its limit: a real run would have stopped there."""

    condition: str
    as_of: date
    share: float
    limit: float


class Overlap(_Part):
    """Devices that are cut, or would be, and something else is known of."""

    name: str
    meaning: str
    count: Count


class Calibrated(_Part):
    """What is known of a blocking condition's precision.

    Args:
        precision, low, high: of the lines it cuts, the share cut rightly; None: not calibrated.
    """

    condition: str
    count: Count
    precision: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    field: bool | None = None
    provenance: str = ""
    why: str = ""


class Expected(_Part):
    """Lines that are expected to be cut wrongly, of those that calibrated conditions cut.

    Args:
        calibrated, uncalibrated: lines of devices that some calibrated condition cuts, and of the others.
        wrong, low, high: expected number; None: no line is calibrated.
    """

    calibrated: int
    uncalibrated: int
    wrong: float | None = None
    low: float | None = None
    high: float | None = None

    def per_1000(self, wrong: float | None) -> float | None:
        """A number of wrong lines for 1,000 calibrated ones."""
        return None if wrong is None or not self.calibrated else 1000 * wrong / self.calibrated


class Side(_Part):
    """A policy replayed.

    Args:
        notified: told on some day of the replay and not before it; `cut`: blocked, in the same sense.
        notified_last, blocked_last: what stands on the last day, what came before the replay included.
        pending: notified on the last day whose block comes later: what the replay is too short to show.
    """

    name: str
    version: int
    sha256: str
    notified: Count
    cut: Count
    notified_last: Count
    blocked_last: Count
    steps: tuple[Step, ...]
    fuses: tuple[Fuse, ...]
    operators: tuple[Group, ...]
    regions: tuple[Group, ...]
    makers: tuple[Group, ...]
    models: tuple[Group, ...]
    ages: tuple[Group, ...]
    conditions: tuple[Group, ...]
    overlaps: tuple[Overlap, ...]


class ConditionChange(_Part):
    """A condition's devices on the last day under the policy in force, and under the new one."""

    condition: str
    before: int
    after: int


class Difference(_Part):
    """The last day under the new policy, against the policy in force.

    Args:
        newly_cut, no_longer_cut, newly_notified, no_longer_notified: devices by what becomes of the device;
            lines and persons by what becomes of the line, for a device may be cut under both policies, and
            some of its lines go on under one.
    """

    newly_cut: Count
    no_longer_cut: Count
    newly_notified: Count
    no_longer_notified: Count
    conditions: tuple[ConditionChange, ...]
    examples: tuple[tuple[str, str], ...]

    @property
    def is_none(self) -> bool:
        """Whether nobody is treated otherwise."""
        counts = (self.newly_cut, self.no_longer_cut, self.newly_notified, self.no_longer_notified)
        return not any(c.devices or c.lines for c in counts) and all(
            c.before == c.after for c in self.conditions
        )


class WhatIf(_Part):
    """The whole answer.

    Args:
        data: fingerprint of the files looked at; `software`: the version that looked.
        every: days between two runs of the replay.
        continued_from: the run whose verdicts both replays continue; None: there was none.
        notes: what a reader must know before believing the figures.
    """

    format: Literal[1] = FORMAT
    software: str
    country: str
    data: str
    since: date
    until: date
    every: int
    lists: Literal["then", "now"]
    continued_from: int | None
    persons_known: bool
    new: Side
    in_force: Side
    difference: Difference
    calibration: tuple[Calibrated, ...]
    calibration_sha256: str | None
    expected: Expected
    budget: float | None
    notes: tuple[str, ...]
