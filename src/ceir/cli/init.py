import json
from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._policies import policy_path
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.workspace import Workspace
from ceir.registry.country.example import example
from ceir.registry.country.reading import FILE, parse_country, read_country


def init(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    policy: Annotated[
        str,
        typer.Option(
            "--policy", metavar="PATH|NAME", help="A policy file, its folder, or a shipped policy by name."
        ),
    ] = "examplia",
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone", metavar="ZONE", help="Whose clock counts in the register, like Africa/Nairobi."
        ),
    ] = "UTC",
) -> None:
    """Make a workspace."""
    chosen = policy_path(policy)
    decided = _country(chosen, time_zone)
    workspace = Workspace.create(folder, chosen)
    (folder / FILE).write_text(decided, encoding="utf-8")
    loaded, sha256 = workspace.policy()
    session.data({"workspace": workspace.root, "policy": loaded.name, "policy_sha256": sha256})
    session.say_whole(f"Made {folder} for {loaded.country.name}, with the policy {loaded.name}.")
    session.say_whole(f"\nIts policy is {folder / 'policy.toml'}: change it there.")
    session.say_whole(f"What it decides for its register is {folder / FILE}: change it there. Next:")
    session.say_whole(f"  ceir --workspace {folder} ingest observations FILE...")


def _country(policy: Path, time_zone: str) -> str:
    """The text of its `country.toml`: the one beside the policy, else an example that tells every key.

    Raises:
        CountryFileError: it cannot be obeyed.
    """
    beside = policy / FILE
    if policy.is_dir() and beside.is_file():
        read_country(beside)
        return beside.read_text(encoding="utf-8")
    parse_country(f"time_zone = {json.dumps(time_zone)}", "--time-zone")
    return example(time_zone=time_zone)


COMMAND = Command(
    name="init",
    panel=Panel.BEGIN,
    place=2,
    purpose="Make a country's folder.",
    explanation="Everything of a country lies in one folder, its workspace: policy, ingested files, runs and "
    "lists. The policy is copied into it and is changed there; beside it country.toml tells, with comments, "
    "what the country decides for its register. A folder that is not empty is refused.",
    examples=(
        Example("ceir init /srv/ceir/examplia", "with the policy of the synthetic country"),
        Example("ceir init mycountry --policy mypolicy.toml", "with your own"),
        Example("ceir init mycountry --time-zone Africa/Nairobi", "with the clock of the country"),
    ),
    function=init,
    uses="nothing",
    exits={0: "made", 1: "the folder is not empty, or the policy cannot be obeyed"},
)
