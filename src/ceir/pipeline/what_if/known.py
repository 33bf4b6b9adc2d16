"""What a workspace would have held on a day gone by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ceir.clock import day_number, day_of
from ceir.pipeline.catalogue import Catalogue, Ingest, ListState, Merged, Run
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest.listing import after_delta_sql, value_columns
from ceir.pipeline.ingest.opening import days_of_name
from ceir.pipeline.ingest.undoing import CHANGE
from ceir.pipeline.workspace import Workspace
from ceir.sources import source_named


@dataclass(frozen=True)
class Past:
    """A workspace as its files came in, told day by day.

    A file of observations, sightings or the like counts from the last day that it speaks of, or from the day
    it was received if that was earlier: a run for a day is made when that day's files are there. A list
    counts from the day it was received; with `lists_of_today` every list is on every day as it is now. Files
    that were undone count on no day.

    Args:
        scratch: where states of lists are put together that the workspace holds no more.
    """

    workspace: Workspace
    catalogue: Catalogue
    scratch: Path
    limits: Limits
    lists_of_today: bool = False

    def on(self, day: date) -> Catalogue:
        """What was there: its files by absolute paths, no runs, nothing derived."""
        there = tuple(i for i in self.catalogue.live if self.arrived(i) <= day)
        ids = {i.id for i in there}
        lists = self.catalogue.lists if self.lists_of_today else self._lists(there)
        return Catalogue(
            next_ingest=self.catalogue.next_ingest,
            next_run=self.catalogue.next_run,
            ingests=tuple(self._at_home(i) for i in there),
            lists={
                name: state.model_copy(update={"path": self._home(state.path)})
                for name, state in lists.items()
            },
            merged=tuple(self._merged(m) for m in self.catalogue.merged if set(m.ingests) <= ids),
            withdrawn={self._home(path): runs for path, runs in self.catalogue.withdrawn.items()},
            release_orders=self.catalogue.release_orders,
        )

    def arrived(self, ingest: Ingest) -> date:
        """The first day on which an ingest counts."""
        if source_named(ingest.source).folded == "list":
            return date.min if self.lists_of_today else ingest.received_on
        named = days_of_name(ingest.file.removesuffix(".gz").removesuffix(".zip"))
        days = named or [day for counted in ingest.days.values() for day in counted]
        return min(ingest.received_on, day_of(max(days))) if days else ingest.received_on

    def run_before(self, day: date) -> Run | None:
        """The run of the latest earlier day: what a run of the day continues."""
        earlier = [run for run in self.catalogue.runs if run.as_of < day]
        return max(earlier, key=lambda run: (run.as_of, run.id), default=None)

    def _lists(self, there: tuple[Ingest, ...]) -> Mapping[str, ListState]:
        found: dict[str, ListState] = {}
        for name, now in self.catalogue.lists.items():
            mine = [i for i in there if i.source == name]
            if not mine:
                continue
            all_of_it = [i for i in self.catalogue.live if i.source == name]
            state = now if len(mine) == len(all_of_it) else self._state(name, mine)
            if state is not None:
                found[name] = state
        return found

    def _state(self, name: str, ingests: list[Ingest]) -> ListState | None:
        """A list after these files: the last whole one, and the changes since; None: retention has deleted
        it."""
        place = max((n for n, i in enumerate(ingests) if not i.delta), default=0)
        whole, changes = ingests[place], ingests[place + 1 :]
        ids = tuple(i.id for i in ingests[place:])
        data = whole.files.get("data", ())
        if not data:
            return None
        if not changes:
            return ListState(path=data[0], rows=whole.counts.kept, ingests=ids)
        file = self.scratch / f"{name}-{ids[-1]:06d}.parquet"
        if not file.exists():
            self._put_together(name, data, changes, file)
        return ListState(path=str(file), rows=whole.counts.kept, ingests=ids)

    def _put_together(self, name: str, data: tuple[str, ...], changes: list[Ingest], file: Path) -> None:
        source = source_named(name)
        self.scratch.mkdir(parents=True, exist_ok=True)
        engine = DuckEngine(Limits(self.scratch / "lists", self.limits.threads, self.limits.memory_gb))
        try:
            engine.files("current", [self.workspace.path(p) for p in data], source.table.columns)
            values = [c for c in source.table.columns if c.name in value_columns(source)]
            for number, ingest in enumerate(changes):
                paths = [self.workspace.path(p) for p in ingest.files.get("data", ())]
                engine.files("changes", paths, [*values, CHANGE])
                received = day_number(ingest.received_on)
                engine.table(f"state_{number}", after_delta_sql(source, received))
                engine.view("current", f"SELECT * FROM state_{number}")
            engine.save_file(f"SELECT * FROM current ORDER BY {', '.join(source.key)}", file)
        finally:
            engine.close()

    def _at_home(self, ingest: Ingest) -> Ingest:
        files = {kind: tuple(self._home(p) for p in paths) for kind, paths in ingest.files.items()}
        return ingest.model_copy(update={"files": files})

    def _merged(self, merged: Merged) -> Merged:
        return merged.model_copy(update={"path": self._home(merged.path)})

    def _home(self, path: str) -> str:
        """A path that leads to the workspace from anywhere."""
        return str(self.workspace.path(path).resolve())
