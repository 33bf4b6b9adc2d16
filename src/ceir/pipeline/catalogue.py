"""What a workspace holds: one file that names every live ingest, list state and run.

Data files never change once they are named here. Work writes new files first and replaces the catalogue
last, in one atomic rename: a workspace is either before or after, never between.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(_Record):
    """Where the rows of a file went; `read` is always kept + folded + quarantined.

    Args:
        read: lines that are neither header nor blank.
        kept: distinct entries.
        folded: rows equal to a kept one.
        quarantined: rows that cannot be read, kept apart with line and reason.
        stored: rows of the table they were compacted to.
    """

    read: int
    kept: int
    folded: int
    quarantined: int
    stored: int = 0


class CheckResult(_Record):
    """A file check, what it measured and how it went."""

    check: str
    limit: float
    measured: float | None
    passed: bool
    unit: str
    why: str
    accepted_because: str | None = None


class Ingest(_Record):
    """One file taken in.

    Args:
        files: data files by kind (`data`, `malformed`, `quarantine`), relative to the workspace.
        days: distinct IMEIs, IMSIs and MSISDNs by day number: the history of later files' checks.
        months: months (yyyymm) it speaks of.
    """

    id: int
    source: str
    operator: str | None
    delta: bool
    file: str
    sha256: str
    received_on: date
    counts: Counts
    checks: tuple[CheckResult, ...]
    files: dict[str, tuple[str, ...]]
    months: tuple[int, ...] = ()
    days: dict[str, dict[int, int]] = {}
    state: Literal["live", "undone"] = "live"
    undone_because: str | None = None
    stripped_months: tuple[int, ...] = ()


class ListState(_Record):
    """The current entries of a list source."""

    path: str
    rows: int
    ingests: tuple[int, ...]


class Merged(_Record):
    """Several ingests' rows of one month and operator, folded together."""

    path: str
    month: int
    operator: str
    ingests: tuple[int, ...]
    rows: int


class Devices(_Record):
    """Where the folded devices of a run lie; only the newest run's are kept."""

    path: str
    run: int


class ConditionCount(_Record):
    """How many pieces of equipment a condition matched in a run."""

    condition: str
    matched: int
    share: float
    blocking: bool


class Publication(_Record):
    """Lists of a run as they were written.

    Args:
        path: their folder; the first publication of a run holds the full lists.
        base: the run the deltas are against; None: there was none before.
        rows: of each file.
        sha256: of each file.
    """

    path: str
    base: int | None
    rows: dict[str, int]
    sha256: dict[str, str]


class SnapshotRecord(_Record):
    """A snapshot for equipment checks, made of a run's lists.

    Args:
        sequence: raised with every snapshot, whoever receives it.
        receiver: id of the operator, or `all`.
        path: its file; None: it was deleted as newer ones came.
        delta: file of the changes since the receiver's snapshot before; None: there is none.
        override: the one answer it gives to everything; None: it answers from the lists.
    """

    sequence: int
    receiver: str
    run: int
    as_of: date
    expires_at: datetime
    key_id: str
    override: Literal["permitted", "tracked", "blocked", "unknown"] | None = None
    because: str | None = None
    path: str | None = None
    delta: str | None = None
    sha256: str = ""
    counts: dict[str, int] = {}


class ReleaseOrder(_Record):
    """What a person decided about blocks that come step by step.

    Args:
        due: of the equipment that became due on this day only; None: of all of the condition.
        from_day: first day that it changes; an undo changes every day.
    """

    what: Literal["stop", "resume", "undo"]
    condition: str
    due: date | None = None
    from_day: date
    given_at: datetime
    by: str
    because: str


class Pause(_Record):
    """Days on which nothing of a condition is let out.

    Args:
        from_day: first of them; None: since ever, so that what was out is taken back.
        until: first day after them; None: nobody knows.
        due: only for equipment that became due on this day; None: for all.
        by: who stopped it; empty: it stopped by itself.
    """

    from_day: date | None
    until: date | None
    due: date | None = None
    by: str = ""
    because: str = ""


class ReleaseState(_Record):
    """How far the blocks of a condition have come at a run.

    Args:
        stops: of `pauses` those that began by themselves, carried from run to run.
        out: equipment that it blocks; `ahead`: that has a day to come; `held`: that has none, for a pause.
        signals: how many of a kind were counted since it was last resumed, about equipment that was out
            after the run before.
        counted_of: that equipment.
    """

    condition: str
    stops: tuple[Pause, ...] = ()
    pauses: tuple[Pause, ...] = ()
    out: int = 0
    ahead: int = 0
    held: int = 0
    signals: dict[str, int] = {}
    counted_of: int = 0


class Activation(_Record):
    """A policy that was put in force by a person, or with the workspace.

    Args:
        by: who; empty: it came with the workspace.
        budget: wrongly cut lines for 1,000 that it bears; None: it has no budget.
        accepted: reasons for what was accepted, by condition, or by `budget` and `what-if`.
        accepted_meanings: what the accepted conditions meant.
        data: fingerprint of the data that the what-if looked at; None: there was none.
        lines: lines that it would have cut; `wrong_low` to `wrong_high` of them wrongly, as far as
            calibrated.
    """

    sha256: str
    name: str
    version: int
    budget: float | None = None
    at: datetime | None = None
    by: str = ""
    accepted: dict[str, str] = {}
    accepted_meanings: dict[str, str] = {}
    data: str | None = None
    since: date | None = None
    until: date | None = None
    lines: int | None = None
    wrong_low: float | None = None
    wrong_high: float | None = None
    calibration_sha256: str | None = None


class Run(_Record):
    """One classification, and once published its lists.

    Args:
        parent: the run whose verdicts this one continues: the last of an earlier day.
        fingerprint: of what the software meant by the policy.
        looked_at: equipment judged anew; the rest was carried over.
        inputs: ids of the live ingests it looked at.
        stripped: its lists were deleted by retention.
        claims: where its claims lie; None: its policy asked for none, or retention deleted them.
        releases: where blocks that come step by step stand; empty: the policy has none.
        orders: how many orders about them it knew.
    """

    id: int
    as_of: date
    parent: int | None
    policy_sha256: str
    fingerprint: str
    inputs: tuple[int, ...]
    list_states: dict[str, str]
    engine: str
    mode: Literal["full", "changed"]
    looked_at: int
    equipment: int
    verdicts: int
    counts: tuple[ConditionCount, ...]
    accepted: dict[str, str] = {}
    publications: tuple[Publication, ...] = ()
    stripped: bool = False
    claims: str | None = None
    releases: tuple[ReleaseState, ...] = ()
    orders: int = 0


class Catalogue(_Record):
    """Everything a workspace holds.

    Args:
        sequence: raised by every commit.
        withdrawn: for each undone ingest the file of its equipment's keys, and the runs that saw it.
    """

    format: Literal[1] = 1
    sequence: int = 0
    next_ingest: int = 1
    next_run: int = 1
    next_snapshot: int = 1
    ingests: tuple[Ingest, ...] = ()
    lists: dict[str, ListState] = {}
    merged: tuple[Merged, ...] = ()
    withdrawn: dict[str, tuple[int, ...]] = {}
    runs: tuple[Run, ...] = ()
    snapshots: tuple[SnapshotRecord, ...] = ()
    devices: Devices | None = None
    release_orders: tuple[ReleaseOrder, ...] = ()
    activations: tuple[Activation, ...] = ()

    @property
    def live(self) -> tuple[Ingest, ...]:
        """Ingests in force."""
        return tuple(ingest for ingest in self.ingests if ingest.state == "live")

    def run(self, run_id: int) -> Run | None:
        """The run with this id."""
        return next((run for run in self.runs if run.id == run_id), None)

    def referenced(self) -> set[str]:
        """Every path below the workspace that must stay."""
        paths = {path for ingest in self.ingests for kind in ingest.files.values() for path in kind}
        paths |= {state.path for state in self.lists.values()}
        paths |= {merged.path for merged in self.merged}
        paths |= set(self.withdrawn)
        # The newest run compares list states with those it saw, so they outlive a newer state.
        if self.runs:
            paths |= set(self.runs[-1].list_states.values())
        if self.devices:
            paths.add(self.devices.path)
        paths |= {f"runs/{run.id:05d}" for run in self.runs}
        paths |= {run.claims for run in self.runs if run.claims}
        paths |= {path for s in self.snapshots for path in (s.path, s.delta) if path}
        paths |= {p.path for run in self.runs for p in run.publications}
        return paths
