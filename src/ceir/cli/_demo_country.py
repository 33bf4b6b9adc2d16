"""The demonstration's country: made to fit a policy, and delivered as it would arrive over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ceir.cli._session import Session
from ceir.errors import UsageError
from ceir.pipeline.ingest import Delivery
from ceir.policy import Policy
from ceir.sources import source_named
from ceir.testing.country import DEFAULT_OPERATORS, CountryFiles, CountrySpec, OperatorSpec, write_country

GROWING = {"stolen": 1}
"""Lists of which only a part arrives early, and the column with the day by which its rows are divided."""

CHUNK = 16_384
"""Subscribers written at once: few enough for the progress to move."""

EARLIER = "earlier"
"""Folder of these parts, beside those of the whole files."""


@dataclass(frozen=True)
class Part:
    """What has arrived by a day, to be classified as of that day."""

    as_of: date
    deliveries: tuple[Delivery, ...]


def spec_for(policy: Policy, subscribers: int, months: int) -> CountrySpec:
    """A country with the policy's operators and numbers."""
    shares = [o.share for o in DEFAULT_OPERATORS]
    if len(policy.operators) != len(shares):
        shares = [1 / len(policy.operators)] * len(policy.operators)
    operators = tuple(
        OperatorSpec(o.id, o.prefixes[0], share) for o, share in zip(policy.operators, shares, strict=True)
    )
    mcc = operators[0].plmn[:3]
    free = next(f"{mcc}{mnc}" for mnc in range(99, 9, -1) if f"{mcc}{mnc}" not in policy.home_prefixes)
    return CountrySpec(
        subscribers=subscribers,
        months=months,
        operators=operators,
        unconfigured_plmn=free,
        country_code=policy.country.country_codes[0],
        chunk_subscribers=CHUNK,
    )


def make_files(session: Session, spec: CountrySpec, folder: Path) -> CountryFiles:
    """Write the country's files, with progress."""
    with session.progress.step("Making the country", float(spec.subscribers), "subscribers") as step:

        def tell(what: str, done: int, total: int) -> None:
            if what == "observations":
                step.at(spec.subscribers * done / total)

        return write_country(spec, folder, tell)


def parts_of(files: CountryFiles, spec: CountrySpec) -> tuple[Part, ...]:
    """The deliveries in two parts, a month apart, so that there are changes to see; one month is one part."""
    last = spec.last_day
    before = last.replace(day=1) - timedelta(days=1)
    early, rest = files.observations[: -len(spec.operators)], files.observations[-len(spec.operators) :]
    # What a run rests on comes first: the checks of observations look at the TAC list.
    lists = {"tac": files.lists["tac"], **files.lists}
    if not early:
        return (Part(last, (*_of_lists(lists, last), *_seen(rest, last), *_located(files, last))),)
    first = {**lists, **_early_lists(files, before)}
    grown = {name: path for name, path in lists.items() if name in GROWING}
    return (
        Part(before, (*_of_lists(first, before), *_seen(early, before))),
        Part(last, (*_of_lists(grown, last), *_seen(rest, last), *_located(files, last))),
    )


def _early_lists(files: CountryFiles, until: date) -> Mapping[str, Path]:
    """Copies of the growing lists with the rows reported by then."""
    folder = files.folder / EARLIER
    folder.mkdir()
    copies = {}
    for name, column in GROWING.items():
        copies[name] = folder / f"{name}.csv"
        with files.lists[name].open(encoding="utf-8") as whole, copies[name].open("w", newline="\n") as part:
            part.write(next(whole))
            part.writelines(line for line in whole if line.split(",")[column] <= f"{until:%Y%m%d}")
    return copies


def _of_lists(lists: Mapping[str, Path], day: date) -> list[Delivery]:
    return [Delivery(name, path, day) for name, path in lists.items()]


def _seen(files: Sequence[tuple[str, Path]], day: date) -> list[Delivery]:
    varying = [c.name for c in source_named("observations").checks if c.name.startswith("daily_")]
    accepted = dict.fromkeys(varying, "the smaller a made-up country is, the more its days differ")
    return [Delivery("observations", path, day, operator, accepted=accepted) for operator, path in files]


def _located(files: CountryFiles, day: date) -> list[Delivery]:
    return [Delivery("sightings", path, day, operator) for operator, path in files.sightings]


MARK = "made-by-ceir-demo.txt"
"""A file that tells a demonstration's folder from others: only such a folder is ever replaced."""


def may_replace(folder: Path) -> None:
    """Refuse a folder that no demonstration made.

    Raises:
        UsageError: it is somebody's.
    """
    if not (folder / MARK).is_file():
        raise UsageError(
            f"{folder} was not made by ceir demo, so it is not replaced.", "Name another folder: --dir DIR"
        )
