"""A register for tests: a workspace that takes rows or files, runs, publishes and tells what it decided."""

import csv
import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from ceir.pipeline.catalogue import Ingest, Publication, Run
from ceir.pipeline.classify import Request, classify
from ceir.pipeline.engines import DuckEngine, Engine, Limits
from ceir.pipeline.exporting import export_verdicts
from ceir.pipeline.ingest import Delivery, take_in, undo
from ceir.pipeline.ingest.checking import all_checks
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace
from ceir.sources import source_named

HEADERS = {
    "observations": "date,imei,imsi,msisdn,rat",
    "tac": "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|"
    "Fixed Code|Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|"
    "WLAN|Device Type",
    "stolen": "imei,reporting_date,status",
    "stolen-foreign": "imei,reporting_date,status,country",
    "registrations": "approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,"
    "device_id",
    "pairings": "imei,imsi,msisdn",
    "golden": "golden_imei",
    "barred": "imei",
    "barred-tacs": "tac",
    "barred-ranges": "first_imei,last_imei",
    "monitored": "imei",
    "appeals": "imei,condition",
    "complaints": "imei,complained_on",
    "subscribers": "uid,imsi",
    "associations": "uid,imei",
    "type-approvals": "tac,certificate,holder,model,status,valid_from,valid_until",
    "imports": "imei,consignment,importer,submitted_on,released_on",
    "software-versions": "imei,software_version,status",
    "cells": "cell,latitude,longitude,radius_m",
    "scrapped": "imei,scrapped_on",
    "proofs": "imei,imsi,kind,proven_on",
    "sightings": "imei,imsi,cell,started_at,ended_at",
    "fingerprints": "imei,imsi,seen_on,software_version,capability,agent",
}
"""The documented first line of every source's files."""

DATED = {"observations": "date", "sightings": "started_at", "fingerprints": "seen_on"}
"""The column that tells the day of a row."""

OperatorList = tuple[str, str]
ListName = str | OperatorList
"""A list's name, or its name and the operator that receives it."""


class VerdictRow(NamedTuple):
    """A line of the export of verdicts."""

    imei: str
    rule: str
    first_matched_on: date
    block_on: date | None


def model_row(
    tac: str, bands: str = "", maker: str = "Aster", name: str = "A1", device_type: str = "Smartphone"
) -> str:
    """A line of the TAC list; a model is a maker and a name."""
    return f"{tac}|m|i|{maker}|{bands}|01-Jan-2020|c|f|mc|r|b|{name}|os|n|b|w|{device_type}"


def registration_row(imei: str, status: str = "", device: str = "D1") -> str:
    """A line of the registrations."""
    return f"{imei},Aster,A1,{status},A1,Aster,Smartphone,LTE,{device}"


def compact(day: date) -> str:
    """A day as files write it."""
    return f"{day:%Y%m%d}"


def all_accepted(source: str) -> dict[str, str]:
    """Every check of a source waived: what tests deliver is seldom plausible."""
    return {check.name: "made for a test" for check in all_checks(source_named(source))}


def write_text(path: Path, lines: Iterable[str]) -> Path:
    """A file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@dataclass
class Register:
    """A workspace under test.

    Args:
        engine: opens what classifies and publishes; it is closed after each use.
    """

    root: Path
    limits: Limits
    engine: Callable[[], Engine]
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def make(
        cls,
        root: Path,
        policy: Path | str,
        *,
        threads: int = 1,
        memory_gb: float | None = None,
        engine: Callable[[], Engine] | None = None,
    ) -> "Register":
        """A new one; `policy` is a file, or a policy's text."""
        if isinstance(policy, str):
            policy = write_text(root.with_name(f"{root.name}-policy.toml"), [policy])
        workspace = Workspace.create(root, policy)
        limits = Limits(workspace.scratch, threads, memory_gb)
        return cls(root, limits, engine or (lambda: DuckEngine(limits)))

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root)

    def copy(self, root: Path) -> "Register":
        """The same register elsewhere."""
        shutil.copytree(self.root, root)
        limits = Limits(root / "tmp", self.limits.threads, self.limits.memory_gb)
        return Register(root, limits, lambda: DuckEngine(limits))

    def set_policy(self, policy: Path | str) -> None:
        """Put another policy in force."""
        text = policy if isinstance(policy, str) else policy.read_text(encoding="utf-8")
        (self.root / "policy.toml").write_text(text, encoding="utf-8")

    def deliver(
        self,
        source: str,
        path: Path,
        received_on: date,
        *,
        operator: str | None = None,
        delta: bool = False,
        accepted: Mapping[str, str] | None = None,
    ) -> Ingest:
        """Take a file in, whatever its checks say unless `accepted` is given."""
        waived = all_accepted(source) if accepted is None else accepted
        delivery = Delivery(source, path, received_on, operator, delta=delta, accepted=waived)
        return take_in(self.workspace, delivery, self.limits)

    def take(
        self,
        source: str,
        rows: Iterable[str],
        received_on: date,
        *,
        operator: str | None = None,
        delta: bool = False,
    ) -> Ingest:
        """Take in a file of these rows; a delta's rows end with their change type.

        Files of observations, sightings and fingerprints are named after the days that their rows speak of.
        """
        rows = list(rows)
        folder = self.root.with_name(f"{self.root.name}-files") / f"{next(self._numbers):04d}"
        header = HEADERS[source] + (",change_type" if delta else "")
        name = f"{source}.csv"
        if source_named(source).dated_name:
            place = HEADERS[source].split(",").index(DATED[source])
            dates = (row.split(",")[place].strip().replace("-", "")[:8] for row in rows)
            days = sorted(dates) or [compact(received_on)]
            name = f"{operator}_{days[0]}_{days[-1]}.csv"
        path = write_text(folder / name, [header, *rows])
        return self.deliver(source, path, received_on, operator=operator, delta=delta)

    def undo(self, ingest: Ingest | int) -> None:
        """Take an ingest back."""
        undo(
            self.workspace,
            ingest if isinstance(ingest, int) else ingest.id,
            "it was a mistake",
            self.limits,
        )

    def classify(
        self, as_of: date | None = None, *, full: bool = False, accepted: Mapping[str, str] | None = None
    ) -> Run:
        """Classify; fuses are waived unless `accepted` is given."""
        workspace = self.workspace
        waived = dict.fromkeys(workspace.policy()[0].conditions, "made for a test")
        engine = self.engine()
        try:
            request = Request(as_of, waived if accepted is None else accepted, full)
            return classify(workspace, request, engine)[0]
        finally:
            engine.close()

    def publish(self, base: int | None = None) -> Publication:
        """Publish the newest run, with deltas against `base` or the last published."""
        engine = self.engine()
        try:
            return publish(self.workspace, PublishRequest(base=base), engine)[1]
        finally:
            engine.close()

    def run(self, as_of: date, *, full: bool = False) -> Run:
        """Classify and publish."""
        run = self.classify(as_of, full=full)
        self.publish()
        found = self.workspace.catalogue().run(run.id)
        assert found is not None
        return found

    def export(self, run: int | None = None) -> bytes:
        """The export of a run's verdicts, the newest run's by default."""
        out = self.root.with_name(f"{self.root.name}-export.csv")
        engine = self.engine()
        try:
            export_verdicts(self.workspace, "latest" if run is None else str(run), out, engine)
        finally:
            engine.close()
        return out.read_bytes()

    def verdicts(self, run: int | None = None) -> list[VerdictRow]:
        """A run's verdicts in force."""
        lines = self.export(run).decode().splitlines()[1:]
        return [
            VerdictRow(imei, rule, date.fromisoformat(first), date.fromisoformat(block) if block else None)
            for imei, rule, first, block in (line.split(",") for line in lines)
        ]

    def labels(self, run: int | None = None) -> dict[str, set[str]]:
        """The conditions in force of each identity."""
        found: dict[str, set[str]] = {}
        for row in self.verdicts(run):
            found.setdefault(row.imei, set()).add(row.rule)
        return found

    def list_file(
        self, name: ListName, *, delta: bool = False, publication: Publication | None = None
    ) -> Path:
        """The CSV of a list of a publication, the newest run's first by default."""
        workspace = self.workspace
        chosen = publication or workspace.catalogue().runs[-1].publications[0]
        place = Path(name) if isinstance(name, str) else Path(name[1]) / name[0]
        return workspace.path(chosen.path) / ("delta" if delta else "") / place.with_suffix(".csv")

    def rows(
        self, name: ListName, *, delta: bool = False, publication: Publication | None = None
    ) -> list[tuple[str, ...]]:
        """The rows of a list, or of its changes."""
        with self.list_file(name, delta=delta, publication=publication).open(encoding="utf-8") as file:
            return [tuple(row) for row in csv.reader(file)][1:]

    def list_names(self) -> tuple[ListName, ...]:
        """The lists that the policy in force publishes."""
        policy = self.workspace.policy()[0]
        whole: tuple[ListName, ...] = ("blocked", "tracked")
        if policy.mode == "restrictive":
            whole += ("permitted",)
        return whole + tuple((n, o.id) for n in ("notifications", "exceptions") for o in policy.operators)

    def list_bytes(self, publication: Publication | None = None) -> dict[str, bytes]:
        """Every list and every change, as CSV and Parquet, by name of the file."""
        workspace = self.workspace
        folder = workspace.path((publication or workspace.catalogue().runs[-1].publications[0]).path)
        return {
            str(file.relative_to(folder)): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.suffix in (".csv", ".parquet") and file.parent.name != "decisions"
        }


def tree(folder: Path) -> dict[str, str]:
    """Fingerprint of every file below a folder."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
