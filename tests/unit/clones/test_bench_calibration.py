"""What the benchmark measured, as a file that `ceir activate` reads."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clones.calibrating import LABEL, CalibrationMissingError, condition, of_own_data, of_worlds

from ceir.policy.calibration import load_calibration, meaning_of
from ceir.policy.model import Condition


def wrong(value: float, low: float, high: float, lines: int) -> dict[str, Any]:
    return {"wrongly_cut_per_1000_cut": {"value": value, "low": low, "high": high, "hits": 0, "of": lines}}


def result(**sets: dict[str, Any]) -> dict[str, Any]:
    return {
        "measured_on": "2026-11-22",
        "command": 'just bench-clones --keep "here"',
        "weights": {"name": "clones-1"},
        "sets": {
            purpose: {mode: {"fused": found} for mode, found in by.items()} for purpose, by in sets.items()
        },
    }


MEASURED = result(
    A={"sightings": wrong(900, 900, 900, 9)},
    B={"aggregate": wrong(0, 0, 4.4, 680), "sightings": wrong(1.2, 0, 2.1, 1432)},
    second={"aggregate": wrong(3.55872, 0, 15.12345, 281)},
)


def read(text: str, tmp_path: Path) -> Any:
    file = tmp_path / "calibration.toml"
    file.write_text(text, encoding="utf-8")
    return load_calibration(file)[0]


def test_the_set_with_the_worst_end_speaks_and_never_that_which_was_fitted_on(tmp_path: Path) -> None:
    found = read(of_worlds(MEASURED), tmp_path)
    told = found.conditions[LABEL]
    assert (told.precision, told.low, told.high) == (Decimal("0.99644"), Decimal("0.98487"), Decimal(1))
    assert told.lines == 281
    assert "second, aggregate" in told.provenance
    assert not found.field


def test_its_figure_is_found_for_the_condition_that_was_measured_and_for_no_other(tmp_path: Path) -> None:
    found = read(of_worlds(MEASURED), tmp_path)
    wanted = condition("clones-1")
    assert found.of(LABEL, wanted) is not None
    gentler = wanted.model_copy(update={"exceptions": "present"})
    assert found.of(LABEL, gentler) is None, "other lines go on"
    assert found.of(LABEL, wanted.model_copy(update={"grace_days": 90})) is not None
    stricter = Condition.model_validate(
        {
            "all": [{"rule": "cloned", "weights": "clones-1", "clone_at": 9}],
            "reason": "r",
            "exceptions": "genuine",
        }
    )
    assert found.of(LABEL, stricter) is None


def test_the_meaning_of_a_condition_without_exceptions_is_what_it_was() -> None:
    plain = Condition.model_validate({"all": [{"rule": "imei_malformed"}], "reason": "r"})
    assert meaning_of(plain) == "faf7cfb3eb7cfb10"
    assert meaning_of(plain.model_copy(update={"exceptions": "present"})) != meaning_of(plain)


def test_own_labelled_devices_are_the_field(tmp_path: Path) -> None:
    own = {"as_of": "2026-10-31", "labelled": 400, LABEL: wrong(0, 0, 12.5, 240)}
    found = read(of_own_data(own, condition("clones-1")), tmp_path)
    assert found.field
    assert found.conditions[LABEL].low == Decimal("0.98750")


def test_where_no_line_was_cut_nothing_is_calibrated() -> None:
    with pytest.raises(CalibrationMissingError):
        of_worlds(result(B={"aggregate": wrong(0, 0, 0, 0)}, none={"aggregate": wrong(1, 1, 1, 1)}))
    with pytest.raises(CalibrationMissingError):
        of_own_data({"as_of": "2026-10-31", "labelled": 4, LABEL: {}}, condition("clones-1"))
