"""File checks: what is measured, against which limit, and who decided otherwise."""

import math
from collections.abc import Mapping, Sequence

from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import CheckResult
from ceir.policy import Policy
from ceir.sources import Check, Source

FILE_DATES = Check(
    "file_dates",
    0,
    "at most",
    "the name must say which days the file speaks of: its last two parts are first and last day",
    "faults of the name",
)
DAYS_OUTSIDE = Check(
    "days_outside",
    0,
    "at most",
    "rows of days that the file's name does not cover: another file's rows",
    "rows",
)
FROM_FUTURE = Check("from_future", 0, "at most", "no file can speak of days to come", "days ahead")
DATED_CHECKS = (FILE_DATES, DAYS_OUTSIDE, FROM_FUTURE)


class ChecksFailedError(CeirError):
    """The file failed a check; nothing of it was taken.

    Args:
        results: every check with its measured value, failed ones included.
        examples: where rows that cannot be read stand and why, without their content.
    """

    code = "checks_failed"

    def __init__(self, file: str, results: Sequence[CheckResult], examples: Sequence[str] = ()) -> None:
        self.results = tuple(results)
        failed = [r for r in results if not r.passed and r.accepted_because is None]
        parts = [f"{r.check} is {show(r.measured)}, limit {show(r.limit)} ({r.why})" for r in failed]
        super().__init__(
            f"{file} was refused: " + "; ".join(parts) + "." + "".join(f" {e}." for e in examples),
            f"Ask for a better file, or take it all the same: --accept {failed[0].check} --because REASON",
        )

    @property
    def data(self) -> Mapping[str, object]:
        """Every check with what it measured."""
        return {"checks": [result.model_dump(mode="json") for result in self.results]}


def all_checks(source: Source) -> tuple[Check, ...]:
    """A source's own checks and, where its files are dated, those of dates."""
    return (DATED_CHECKS if source.dated_name else ()) + source.checks


def refuse_unknown(source: Source, accepted: Mapping[str, str]) -> None:
    """Refuse reasons for checks that are never made.

    Raises:
        UsageError: the source does not have a check that is accepted.
    """
    known = [check.name for check in all_checks(source)]
    for name in accepted:
        if name not in known:
            raise UsageError(f"{source.name} has no check {name!r}.", f"Checks: {', '.join(known)}.")


def judge(
    source: Source,
    policy: Policy,
    measured: Mapping[str, float | None],
    accepted: Mapping[str, str],
) -> tuple[CheckResult, ...]:
    """Hold what was measured against the limits.

    Args:
        measured: by check; absent or None: the check does not apply to this file and is left out.
        accepted: reasons of those who take the file although a check fails, by check.

    """
    results = []
    for check in all_checks(source):
        name, value = check.name, measured.get(check.name)
        if value is None:
            continue
        limit = policy.limit(source.name, name, check.limit)
        passed = value <= limit if check.passes == "at most" else value >= limit
        results.append(
            CheckResult(
                check=name,
                limit=limit,
                measured=None if math.isinf(value) else round(value, 6),
                passed=passed,
                unit=check.unit,
                why=check.why,
                accepted_because=None if passed else accepted.get(name),
            )
        )
    return tuple(results)


def refused(results: Sequence[CheckResult]) -> bool:
    """Whether a check failed that nobody accepted."""
    return any(not r.passed and r.accepted_because is None for r in results)


def refuse_failed(file: str, results: Sequence[CheckResult], examples: Sequence[str] = ()) -> None:
    """Refuse the file if a check failed that nobody accepted.

    Args:
        examples: where rows that cannot be read stand and why.

    Raises:
        ChecksFailedError: one did.
    """
    if refused(results):
        raise ChecksFailedError(file, results, examples)


def show(value: float | None) -> str:
    """A measured value for people; None stands for infinitely many."""
    if value is None:
        return "unbounded"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.6f}".rstrip("0")
