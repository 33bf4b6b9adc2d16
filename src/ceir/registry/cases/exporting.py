"""The list of stolen and lost devices, as the pipeline takes it in."""

from collections.abc import Iterator
from datetime import datetime

from ceir.registry.cases.standing import standings
from ceir.registry.exports import Export


def rows(at: datetime) -> Iterator[tuple[str, ...]]:
    """A device a row: status empty while its case blocks it, also provisionally; the others are in the file
    and not in force: `pending` waits for somebody to decide, `recovered` for its owner."""
    for standing in standings(at):
        yield standing.imei.digits, f"{standing.reported_on:%Y%m%d}", standing.status


EXPORTS = (
    Export(
        source="stolen",
        doc="Devices of open cases of theft or loss in mode block.",
        header=("imei", "reporting_date", "status"),
        rows=rows,
    ),
)
