"""What the register does by itself again and again: each capability says so in its module `jobs`."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import ClassVar

from ceir.errors import CeirError


class UnknownJobError(CeirError):
    """No capability has a job of that name."""

    code: ClassVar[str] = "job_unknown"
    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Job:
    """Something that is done again and again.

    Args:
        name: what it does, like `cases-deadlines`; letters, digits and `-`, 64 at most.
        doc: one sentence.
        every: how often, one second or more.
        run: does it as of a moment, and tells what came of it; done again it does nothing twice, for a
            process that was killed begins anew. What it tells holds no personal data: everybody on duty
            reads it.
    """

    name: str
    doc: str
    every: timedelta
    run: Callable[[datetime], str]


@cache
def all_jobs() -> Mapping[str, Job]:
    """Every job by its name: the `JOBS` of the module `jobs` of each of our applications that has one.

    Raises:
        TypeError: two have the same name.
    """
    from django.apps import apps  # noqa: PLC0415 - `Job` itself needs no Django

    found: dict[str, Job] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.jobs"
        if not app.name.startswith("ceir.") or importlib.util.find_spec(name) is None:
            continue
        for job in importlib.import_module(name).JOBS:
            if job.name in found:
                raise TypeError(f"{name} has the job {job.name}, which another has already")
            found[job.name] = job
    return dict(sorted(found.items()))


def job_named(name: str) -> Job:
    """The job of that name.

    Raises:
        UnknownJobError: there is none.
    """
    job = all_jobs().get(name)
    if job is None:
        raise UnknownJobError(f"There is no job {name!r}.", f"There are: {', '.join(all_jobs())}")
    return job
