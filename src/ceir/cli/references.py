from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.pipeline.engines.engine import parquet_files
from ceir.pipeline.workspace import Workspace

_EPOCH = date(1970, 1, 1)

Tacs = Annotated[
    Path | None,
    typer.Option(
        "--tacs", metavar="FILE", help="GSMA's list, as `ceir ingest tac` takes it.", show_default=False
    ),
]
Observed = Annotated[
    bool, typer.Option("--observed", help="When networks saw which equipment, from the workspace.")
]


def references(session: Session, tacs: Tacs = None, observed: Observed = False) -> None:
    """Give the register the lists that it looks things up in."""
    if tacs is None and not observed:
        raise UsageError("Nothing is to be taken over.", "Give --tacs FILE, --observed, or both.")
    if tacs is not None and not tacs.is_file():
        raise UsageError(f"There is no file {tacs}.", "Give GSMA's list.")
    workspace = session.workspace() if observed else None
    open_register(session)
    from ceir.registry.actors import SYSTEM  # noqa: PLC0415 - Django is set up only now
    from ceir.registry.references.taking import take_observed, take_tacs  # noqa: PLC0415

    counts: dict[str, int] = {}
    if tacs is not None:
        counts["tacs"] = take_tacs(tacs, actor=SYSTEM, at=session.now)
    if workspace is not None:
        counts["observed"] = take_observed(_seen(workspace), actor=SYSTEM, at=session.now)
    session.data(counts)
    session.say("Taken over: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()) + ".")


def _seen(workspace: Workspace) -> Iterator[tuple[int, date, date]]:
    devices = workspace.catalogue().devices
    if devices is None:
        return
    for file in parquet_files(workspace.path(devices.path)):
        columns = ["imei", "first_day", "last_day"]
        for batch in pq.ParquetFile(file).iter_batches(columns=columns):
            imeis, first, last = (batch.column(name).to_pylist() for name in columns)
            for imei, begin, end in zip(imeis, first, last, strict=True):
                yield imei, _EPOCH + timedelta(days=begin), _EPOCH + timedelta(days=end)


COMMAND = Command(
    name="references",
    panel=Panel.KEEP,
    place=75,
    purpose="Give the register the lists that it looks things up in.",
    explanation="A status says which model a device is and when networks saw it. The register takes both "
    "over as a whole: models from GSMA's list, first and last days from the observations in the workspace. "
    "Until then a status says that nothing is known. Do it after each run.",
    examples=(
        Example("ceir references --tacs tac.txt --observed", "both, after a run"),
        Example("ceir references --observed", "only when equipment was seen"),
    ),
    function=references,
    uses="change",
    exits={1: "the list is none, the one before stays", 2: "wrong use"},
)
