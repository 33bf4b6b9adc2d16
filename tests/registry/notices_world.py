"""A register that takes runs over, and a gateway that shows what it was given."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from people import NOW
from registry_publications import decided, imeis, publish, told

from ceir.registry.actors import SYSTEM
from ceir.registry.gateways import Gateway, open_gateway
from ceir.registry.notices.sending import Route
from ceir.registry.notices.terms import NoticeTerms, QuietHours
from ceir.registry.runs.applying import apply

A, B = imeis(2)
BLOCK = date(2026, 12, 22)
QUIET = QuietHours.of(time(21), time(8), "Africa/Nairobi")
TERMS = NoticeTerms("Regulator", "*123#", QUIET, languages=("en", "ar", "fr"), opt_out=True)
DAY = timedelta(days=1)
AMINA, BADRU, CHEGE = "220000000001", "220000000002", "220000000003"


def noon(days_before: int) -> datetime:
    """Noon in Nairobi, so many days before the block."""
    return datetime(BLOCK.year, BLOCK.month, BLOCK.day, 9, tzinfo=UTC) - days_before * DAY


class Country:
    """A register that takes runs over."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, 0

    def take(
        self,
        *rows: tuple[str, str],
        block: date = BLOCK,
        reason: str = "Never allocated",
        blocked: tuple[str, ...] = (),
    ) -> None:
        """The next run: identities with the numbers seen with them; operator2 sees what begins with 222.

        Args:
            blocked: identities whose block date has come.
        """
        self.run += 1
        day = f"{block:%Y%m%d}"
        notifications: dict[str, list[tuple[str, ...]]] = {"operator1": [], "operator2": []}
        for imei, number in rows:
            row = told(imei, f"1110{number[-11:]}", number, day)
            notifications["operator2" if number.startswith("222") else "operator1"].append(row)
        folder = publish(
            self.folder / str(self.run),
            self.run,
            [decided(imei, "notified", day, reasons=reason) for imei in sorted({r[0] for r in rows})]
            + [decided(imei, "blocked", day, reasons=reason) for imei in blocked],
            base=self.run - 1 or None,
            notifications=notifications,
        )
        apply(folder, actor=SYSTEM, at=NOW)


class Shown:
    """The gateway for trials, and what it showed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        options = {"file": str(file), "delivered": False}
        self.gateway: Gateway = open_gateway("console", options, print, lambda: NOW)
        self.route = Route("trial", self.gateway)

    @property
    def messages(self) -> list[dict[str, Any]]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def numbers(self) -> list[str]:
        return sorted(message["to"] for message in self.messages)
