from collections.abc import Mapping
from pathlib import Path

from rich.text import Text

from ceir.cli._policies import policy_path
from ceir.cli._session import Session
from ceir.cli._shelf import Shelf
from ceir.cli._tables import pairs, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.policy import Condition, load_policy, shipped_policies
from ceir.policy.calibration import meaning_of


def _row(name: str, path: Path) -> tuple[object, ...]:
    policy, _ = load_policy(path)
    blocking = sum(c.blocking for c in policy.conditions.values())
    return name, policy.country.name, policy.mode, len(policy.conditions), blocking


def _show(session: Session, path: Path) -> None:
    policy, sha256 = load_policy(path)
    session.say(Text.assemble((policy.name, "bold"), f": {policy.country.name}, version {policy.version}"))
    session.say()
    session.say(
        pairs(
            [
                ("file", path),
                ("SHA-256", sha256),
                ("mode", policy.mode),
                ("operators", ", ".join(f"{o.id} ({' '.join(o.plmns)})" for o in policy.operators)),
                ("subscribers kept", f"{policy.retention.subscriber_months} months"),
            ]
        )
    )
    session.say()
    session.say(
        table(
            "Conditions",
            ("condition", "rules that must match", "consequence", "limit", "meaning"),
            [
                (label, _rules(c), _consequence(c), _limit(c), meaning_of(c) if c.blocking else "")
                for label, c in policy.conditions.items()
            ],
        )
    )


def _rules(condition: Condition) -> str:
    return "\n".join(("not " if use.negated else "") + use.rule for use in condition.all)


def _consequence(condition: Condition) -> str:
    if condition.blocking:
        grace = f"blocks after {condition.grace_days} d" if condition.grace_days else "blocks at once"
    else:
        grace = "tracked" if condition.tracked else "trial"
    return grace + (", sticky" if condition.sticky else "")


def _limit(condition: Condition) -> str:
    return f"{condition.max_match_ratio:.0%}" if condition.blocking else ""


def _data(path: Path) -> dict[str, object]:
    policy, sha256 = load_policy(path)
    meanings = {label: meaning_of(c) for label, c in policy.conditions.items()}
    return {"file": path, "sha256": sha256, **policy.model_dump(mode="json"), "meanings": meanings}


def _everything() -> Mapping[str, Path]:
    return shipped_policies()


COMMAND = Command(
    name="policies",
    panel=Panel.SHELVES,
    place=5,
    purpose="List the policies that come along, or show one.",
    explanation="A policy is what a regulator decides: conditions, days of grace, operators, retention. NAME "
    "is a shipped policy, or the path of any policy file, for instance that of a workspace. A file that "
    "cannot be obeyed is refused with every fault named.",
    examples=(
        Example("ceir policies show examplia", "its conditions and their consequences"),
        Example("ceir policies show mycountry/policy.toml", "check your own after changing it"),
    ),
    function=Shelf(
        "policies",
        _everything,
        ("policy", "country", "mode", "conditions", "blocking"),
        _row,
        _show,
        _data,
        named=policy_path,
    ).command(),
    uses="nothing",
    exits={1: "the policy cannot be obeyed"},
)
