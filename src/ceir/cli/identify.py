from typing import Annotated

import typer
from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.identifiers import Identification, InvalidIdentifierError, Plmn
from ceir.identifiers import identify as identify_text
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.sources import source_named

NAMES = {
    "imei": "IMEI",
    "imeisv": "IMEISV",
    "malformed_imei": "malformed IMEI",
    "tac": "TAC",
    "imsi": "IMSI",
    "msisdn": "phone number (MSISDN)",
    "eid": "EID of an eUICC",
    "iccid": "ICCID of a SIM card",
    "mac": "MAC address",
    "eui": "EUI-64 address",
}


def identify(
    session: Session,
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="An identifier as typed, pasted or scanned.")
    ],
) -> None:
    """Tell what a text may be."""
    workspace = session.workspace_if_any()
    plmns: list[Plmn] = []
    if workspace is not None:
        policy, _ = workspace.policy()
        plmns = [Plmn.parse(plmn) for operator in policy.operators for plmn in operator.plmns]
    readings = identify_text(" ".join(text), plmns)
    if not readings:
        raise InvalidIdentifierError(
            "The text is no identifier that is known here.",
            f"Known are: {', '.join(NAMES.values())}.",
        )
    models = _models(session, workspace, readings)
    session.data(
        [
            {
                "kind": r.kind,
                "value": r.value,
                "facts": dict(r.facts),
                "model": dict(model),
                "warnings": r.warnings,
            }
            for r, model in zip(readings, models, strict=True)
        ]
    )
    for place, (reading, model) in enumerate(zip(readings, models, strict=True)):
        title = f"{NAMES[reading.kind]} {reading.value}"
        session.say(head(f"or: {title}" if place else title))
        session.say(pairs((*reading.facts, *model)))
        for warning in reading.warnings:
            session.say(Text(f"! {warning}", style="yellow"))


def _models(
    session: Session, workspace: Workspace | None, readings: tuple[Identification, ...]
) -> list[tuple[tuple[str, str], ...]]:
    """Brand and model of each reading that has a TAC, from the workspace's TAC list."""
    tacs = [_tac(reading) for reading in readings]
    state = workspace.catalogue().lists.get("tac") if workspace is not None else None
    if workspace is None or state is None or not any(tacs):
        return [() for _ in readings]
    with session.reader() as engine:
        engine.files("tac", [workspace.path(state.path)], source_named("tac").table.columns)
        return [_model(engine, tac) if tac else () for tac in tacs]


def _tac(reading: Identification) -> str | None:
    if reading.kind not in ("imei", "imeisv", "tac"):
        return None
    return reading.value[:8]


def _model(engine: Engine, tac: str) -> tuple[tuple[str, str], ...]:
    rows = engine.rows(
        "SELECT COALESCE(brand_name, manufacturer), COALESCE(marketing_name, model_name), device_type "
        f"FROM tac WHERE tac = {int(tac)}"
    )
    if not rows:
        return (("model", "the TAC is not on the country's TAC list"),)
    return tuple(
        (label, str(value))
        for label, value in zip(("brand", "model", "device type"), rows[0], strict=True)
        if value is not None
    )


COMMAND = Command(
    name="identify",
    panel=Panel.LOOK,
    place=2,
    purpose="Tell what a number or text may be: IMEI, TAC, IMSI, SIM, ...",
    explanation="Every way to read the text as an identifier, the likeliest first, with what its digits say "
    "and what is wrong with it. With a workspace its TAC list gives brand and model. Nothing is stored.",
    examples=(
        Example("ceir identify 356759040000011", "an IMEI with its check digit"),
        Example("ceir identify 'IMEI 1: 35-675904-000001-1'", "as copied from a phone's settings"),
    ),
    function=identify,
    exits={1: "it is no identifier"},
)
