"""Tiny worlds for the oracle's own tests: written to real files, so that reading is tested as well."""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import Inputs, World, load, matches

D = date(2024, 3, 31)

TAC_HEADER = (
    "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code|"
    "Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|Device Type"
)

HEADERS = {
    "stolen": "imei,reporting_date,status",
    "stolen-foreign": "imei,reporting_date,status,country",
    "registrations": (
        "approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,device_id"
    ),
    "pairings": "imei,imsi,msisdn",
    "golden": "golden_imei",
    "appeals": "imei,condition",
    "barred": "imei",
    "barred-tacs": "tac",
    "barred-ranges": "first_imei,last_imei",
    "monitored": "imei",
    "subscribers": "uid,imsi",
    "associations": "uid,imei",
    "type-approvals": "tac,certificate,holder,model,status,valid_from,valid_until",
    "imports": "imei,consignment,importer,submitted_on,released_on",
    "software-versions": "imei,software_version,status",
}

POLICY = """
name = "sketch"
mode = "permissive"
exempt_device_types = ["Vehicle"]
[country]
name = "Examplia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "Operator One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Operator Two"
plmns = ["111-02"]
[reporting_body_delays]
"35" = 20
[lists]
look_back_days = 180
include_barred_in_exceptions = false
restrict_exceptions_to_blocked = false
"""


def policy(more: str = "", **changes: Any) -> dict[str, Any]:
    """The sketch country's policy with `more` TOML after it; `changes` replace whole top-level entries."""
    result = tomllib.loads(POLICY + more, parse_float=Decimal)
    result.setdefault("conditions", {})
    return result | changes


def model(
    tac: str,
    bands: str = "",
    name: str = "Maker/One",
    device_type: str = "Smartphone",
    day: str = "01-Jan-2020",
) -> str:
    """A TAC list line; `name` is manufacturer/model name."""
    manufacturer, model_name = name.split("/")
    return f"{tac}|m|i|{manufacturer}|{bands}|{day}|c|f|mc|r|b|{model_name}|os|n|b|w|{device_type}"


@dataclass(frozen=True)
class Sketch:
    """Writes a world's files into a folder and loads them.

    `rows`: observation lines "operator: date,imei,imsi,msisdn,rat"; `tac`: TAC lines; other names: list
    sources ('-' spelled '_'), each a list of lines below the header.
    """

    folder: Path

    def __call__(
        self, *rows: str, tac: list[str] | None = None, until: date | None = None, **sources: list[str]
    ) -> World:
        by_operator: dict[str, list[str]] = {}
        for row in rows:
            operator, line = row.split(": ")
            by_operator.setdefault(operator, ["date,imei,imsi,msisdn,rat"]).append(line)
        observations: list[tuple[str, str | Path]] = [
            (operator, self.write(operator, lines)) for operator, lines in by_operator.items()
        ]
        tac_path = None if tac is None else self.write("tac", [TAC_HEADER, *tac])
        lists: dict[str, str | Path | None] = {}
        for name, lines in sources.items():
            source = name.replace("_", "-")
            lists[source] = self.write(source, [HEADERS[source], *lines])
        return load(Inputs(observations, tac_path, lists), until)

    def write(self, name: str, lines: list[str]) -> Path:
        path = self.folder / f"{name}.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path


def hits(world: World, rule: str, *, day: date = D, since: date | None = None, **parameters: Any) -> set[str]:
    """The IMEIs one rule matches on a day under the sketch policy."""
    return _alone(world, {"rule": rule, **parameters}, day, since)


def misses(
    world: World, rule: str, *, day: date = D, since: date | None = None, **parameters: Any
) -> set[str]:
    """The IMEIs matched by the negation of one rule."""
    return _alone(world, {"rule": rule, "not": True, **parameters}, day, since)


def _alone(world: World, item: dict[str, Any], day: date, since: date | None) -> set[str]:
    return matches(world, policy(conditions={"only": {"all": [item]}}), day, since)["only"]


def imsi(plmn: str, number: int) -> str:
    """A 15-digit IMSI."""
    return plmn + str(number).zfill(15 - len(plmn))
