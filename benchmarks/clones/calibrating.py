"""A calibration file for `ceir what-if` and `ceir activate`, from what the benchmark measured.

The figure is that of lines, as the condition would cut them: those whom the ladder calls clones, on
identities that the score calls clones. Of the sets and modes that were measured the one with the worst upper
end speaks: a country does not know which of them it is most like.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from ceir.policy.calibration import meaning_of
from ceir.policy.model import Condition

LABEL = "cloned"
"""The condition's label; a policy's condition is called so too, or its figure is not found."""

CONFIDENCE = "0.95"
_WRONG = "wrongly_cut_per_1000_cut"
_DIGITS = Decimal("0.00001")
_SETS = ("B", "second")


class CalibrationMissingError(ValueError):
    """Nothing was measured that a calibration could say."""


def condition(weights: str) -> Condition:
    """What the benchmark measures: the score with these weights, and lines cut as the ladder answers."""
    return Condition.model_validate(
        {
            "all": [{"rule": "cloned", "weights": weights}],
            "reason": LABEL,
            "blocking": True,
            "exceptions": "genuine",
        }
    )


def of_worlds(result: Mapping[str, Any]) -> str:
    """The file's text from results of the benchmark, as `measure` writes them.

    Raises:
        CalibrationMissingError: no set that may be reported on cut a line.
    """
    measured = [
        (found["fused"][_WRONG], f"{purpose}, {mode}")
        for purpose in _SETS
        for mode, found in result["sets"].get(purpose, {}).items()
        if found.get("fused", {}).get(_WRONG, {}).get("of")
    ]
    if not measured:
        raise CalibrationMissingError(
            "no line of seeds B or of the second generator was cut: nothing to tell"
        )
    worst, where = max(measured, key=lambda found: (float(found[0]["high"]), found[1]))
    weights = result["weights"]["name"]
    return _text(
        f"Clones, synthetic worlds, {result['measured_on']}",
        meaning_of(condition(weights)),
        worst,
        field=False,
        provenance=f"{result['command']}; {result['measured_on']}; weights {weights}; the worst of seeds B "
        f"and the second generator in each mode: {where}",
    )


def of_own_data(result: Mapping[str, Any], cloned: Condition) -> str:
    """The same from an operator's labelled devices, as `own_data` measures them, for its policy's condition.

    Raises:
        CalibrationMissingError: no line of a labelled identity was cut.
    """
    wrong = result[LABEL].get(_WRONG, {})
    if not wrong.get("of"):
        raise CalibrationMissingError("no line of a labelled identity was cut")
    return _text(
        f"Clones, labelled devices, {result['as_of']}",
        meaning_of(cloned),
        wrong,
        field=True,
        provenance=f"{result['labelled']} labelled identities, run of {result['as_of']}",
    )


def _text(title: str, meaning: str, wrong: Mapping[str, Any], *, field: bool, provenance: str) -> str:
    def right(per_1000: float, rounding: str) -> Decimal:
        return (1 - Decimal(str(per_1000)) / 1000).quantize(_DIGITS, rounding=rounding)

    precision = right(wrong["value"], ROUND_FLOOR)
    # Rounded away from the value: an interval is never told narrower than it is.
    low = min(precision, right(wrong["high"], ROUND_FLOOR))
    high = max(precision, right(wrong["low"], ROUND_CEILING))
    told = provenance.replace("\\", "/").replace('"', "'")
    return (
        f'format = 1\ntitle = "{title}"\nfield = {str(field).lower()}\nconfidence = {CONFIDENCE}\n\n'
        f'[conditions.{LABEL}]\nmeaning = "{meaning}"\nprecision = {precision}\nlow = {low}\nhigh = {high}\n'
        f'lines = {wrong["of"]}\nprovenance = "{told}"\n'
    )
