"""A what-if in words and numbers, for the terminal and for the page alike."""

from ceir.pipeline.what_if.result import Calibrated, Count, WhatIf

UNKNOWN = "unknown"


def amount(value: object) -> str:
    """A number with separators; what nobody knows is said to be unknown."""
    return UNKNOWN if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def counted(count: Count) -> str:
    """Devices, lines and persons as words."""
    persons = "" if count.persons is None else f", {count.persons:,} persons"
    return f"{count.devices:,} devices ({count.lines:,} lines{persons})"


def main_sentences(found: WhatIf) -> tuple[str, ...]:
    """What matters most."""
    new = found.new
    return (
        f"Had this policy been in force since {found.since}, {counted(new.notified)} would have been told "
        f"that "
        f"they will be cut, and {counted(new.cut)} would have been cut by {found.until}.",
        f"On the last day {counted(new.notified_last)} still wait for their block, and "
        f"{counted(new.blocked_last)} "
        "are blocked, those blocked before the replay included.",
    )


def change_rows(found: WhatIf) -> list[tuple[object, ...]]:
    """Who is treated otherwise on the last day: change, devices, lines, persons."""
    d = found.difference
    return [
        (name, c.devices, c.lines, c.persons)
        for name, c in (
            ("newly cut", d.newly_cut),
            ("no longer cut", d.no_longer_cut),
            ("newly told", d.newly_notified),
            ("no longer told", d.no_longer_notified),
        )
    ]


def precision_words(known: Calibrated) -> str:
    """A condition's precision with its interval, or that nobody measured it."""
    if known.precision is None or known.low is None or known.high is None:
        return known.why
    where = "field data" if known.field else "synthetic data"
    return f"{known.precision:.2%} ({known.low:.2%} to {known.high:.2%}; {where})"


def expected_sentence(found: WhatIf) -> str:
    """How many lines are expected to be cut wrongly; without a calibration no number."""
    e = found.expected
    if e.wrong is None or e.low is None or e.high is None:
        return (
            "Not calibrated: nobody measured how often these conditions are right, so nothing is estimated."
        )
    rest = (
        f" {e.uncalibrated:,} more lines are cut by conditions that are not calibrated."
        if e.uncalibrated
        else ""
    )
    if not e.calibrated:
        return f"Calibrated conditions cut no line.{rest}"
    synthetic = any(c.field is False for c in found.calibration)
    warn = " Precision on synthetic data is not precision in the field." if synthetic else ""
    return (
        f"Of {e.calibrated:,} lines cut by calibrated conditions, {_few(e.wrong)} are expected to be cut "
        f"wrongly "
        f"({_few(e.low)} to {_few(e.high)}), that is {_few(e.per_1000(e.wrong))} of 1,000 "
        f"({_few(e.per_1000(e.low))} to {_few(e.per_1000(e.high))}).{rest}{warn}"
    )


def budget_sentence(found: WhatIf) -> tuple[str, bool]:
    """How that stands to the policy's budget, and whether it is above; empty: there is none, or no figure."""
    if found.budget is None:
        return "", False
    most = found.expected.per_1000(found.expected.high)
    if most is None:
        return f"The budget is {found.budget:g} of 1,000 lines; nothing can be held against it.", False
    over = most > found.budget
    how = "above" if over else "within"
    return f"The upper end, {_few(most)} of 1,000, is {how} the budget of {found.budget:g}.", over


def _few(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"
