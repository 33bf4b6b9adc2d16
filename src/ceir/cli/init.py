from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._policies import policy_path
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.workspace import Workspace


def init(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    policy: Annotated[
        str,
        typer.Option(
            "--policy", metavar="PATH|NAME", help="A policy file, its folder, or a shipped policy by name."
        ),
    ] = "examplia",
) -> None:
    """Make a workspace."""
    workspace = Workspace.create(folder, policy_path(policy))
    loaded, sha256 = workspace.policy()
    session.data({"workspace": workspace.root, "policy": loaded.name, "policy_sha256": sha256})
    session.say_whole(f"Made {folder} for {loaded.country.name}, with the policy {loaded.name}.")
    session.say_whole(f"\nIts policy is {folder / 'policy.toml'}: change it there. Next:")
    session.say_whole(f"  ceir --workspace {folder} ingest observations FILE...")


COMMAND = Command(
    name="init",
    panel=Panel.BEGIN,
    place=2,
    purpose="Make a country's folder.",
    explanation="Everything of a country lies in one folder, its workspace: policy, ingested files, runs and "
    "lists. The policy is copied into it and is changed there. A folder that is not empty is refused.",
    examples=(
        Example("ceir init /srv/ceir/examplia", "with the policy of the synthetic country"),
        Example("ceir init mycountry --policy mypolicy.toml", "with your own"),
    ),
    function=init,
    uses="nothing",
    exits={0: "made", 1: "the folder is not empty, or the policy cannot be obeyed"},
)
