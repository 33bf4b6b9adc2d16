"""How often a condition is right, as a benchmark or an operator's own labelled data measured it.

A file says it for exactly one meaning of each condition: another threshold is another condition, and what was
measured for the one says nothing of the other. Without such a file nothing is estimated.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ceir.errors import CeirError
from ceir.policy.model import Condition

Share = Annotated[Decimal, Field(ge=0, le=1)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class CalibrationError(CeirError):
    """A calibration file is not one that this version understands."""

    code = "calibration_invalid"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionCalibration(_Strict):
    """What was measured of a condition.

    Args:
        meaning: `meaning_of` the condition that was measured.
        precision: of the lines that it cuts, the share that is cut rightly; `low` and `high` are the ends of
            the interval of `confidence` around it.
        lines: lines that it cut where it was measured.
        provenance: where the figures come from: data, command, seeds, day.
    """

    meaning: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    precision: Share
    low: Share
    high: Share
    lines: Annotated[int, Field(ge=1)]
    provenance: Line

    @model_validator(mode="after")
    def _within(self) -> "ConditionCalibration":
        if not self.low <= self.precision <= self.high:
            raise ValueError("low, precision and high rise in this order")
        return self


class Calibration(_Strict):
    """A calibration file: `format = 1`, what it was made of, and `[conditions.LABEL]` tables.

    Args:
        field: measured on real devices whose truth is known; False: on synthetic ones, which says less.
        confidence: of the intervals, like 0.95.
    """

    format: Literal[1]
    title: Line
    field: bool
    confidence: Annotated[Decimal, Field(gt=0, lt=1)]
    conditions: Mapping[str, ConditionCalibration]

    def of(self, label: str, condition: Condition) -> ConditionCalibration | None:
        """What was measured of this very condition; None: nothing, or of one that means something else."""
        found = self.conditions.get(label)
        return found if found is not None and found.meaning == meaning_of(condition) else None


def meaning_of(condition: Condition) -> str:
    """Sixteen hexadecimal digits that change when a condition matches or cuts something else.

    Whose lines go on (`exceptions`) is part of it. Its title, reason, grace and limits are not: they change
    when and how, not whom.
    """
    rules = sorted(
        repr((use.rule, use.negated, sorted((k, str(v)) for k, v in use.parameters.items())))
        for use in condition.all
    )
    spares = () if condition.exceptions == "none" else (condition.exceptions,)
    told = repr((rules, str(condition.first_seen_from), *spares))
    return hashlib.sha256(told.encode("utf-8")).hexdigest()[:16]


def load_calibration(path: Path) -> tuple[Calibration, str]:
    """The calibration in a TOML file, and the SHA-256 of its text.

    Raises:
        CalibrationError: unreadable, not TOML, unknown keys or values outside their range.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CalibrationError(
            f"{path} cannot be read: {error.strerror}.", "Name a calibration file."
        ) from error
    try:
        raw = tomllib.loads(text.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CalibrationError(
            f"{path} is not TOML: {error}.", "See docs/what-if.md for its form."
        ) from error
    try:
        read = Calibration.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise CalibrationError(f"{path}: {faults}.", "See docs/what-if.md for its form.") from error
    return read, hashlib.sha256(text).hexdigest()
