from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from ceir.cli._register import open_register, places, read_decided
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.registry.country.written import CountryFile


def country(session: Session) -> None:
    """Show what the country decides for its register, and whether it can be obeyed."""
    decided = read_decided(session)
    _, secret, _ = places(session)
    if secret.exists():
        open_register(session, as_it_is=True)
    own, policy = decided.own, decided.policy
    usual = dict(_values(CountryFile(), ""))
    session.data({"file": decided.origin, "country": own, "policy": policy})
    session.say(
        table(
            f"What the country decides for its register: {decided.origin}",
            ("key", "value", ""),
            [
                (key, _shown(value), "" if value == usual.get(key) else f"usual: {_shown(usual.get(key))}")
                for key, value in _values(own, "")
            ],
        )
    )
    session.say()
    if policy is None:
        session.say_whole("No policy is known here: there are no appeals, and no lines told by operators.")
        return
    session.say(
        table(
            "What its policy says of it",
            ("", ""),
            [
                ("networks", ", ".join(f"{o} {' '.join(n)}" for o, n in policy.networks.items())),
                ("conditions of theft", ", ".join(policy.theft) or "none"),
                ("exempt device types", ", ".join(policy.exempt_device_types) or "none"),
            ],
        )
    )


def _values(held: BaseModel, place: str) -> Iterator[tuple[str, Any]]:
    for key in type(held).model_fields:
        value = getattr(held, key)
        name = f"{place}.{key}" if place else key
        if isinstance(value, BaseModel):
            yield from _values(value, name)
        else:
            yield name, value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        shown = ", ".join(_shown(one) for one in value)
    elif isinstance(value, BaseModel | dict):
        held = value.model_dump() if isinstance(value, BaseModel) else value
        shown = " ".join(f"{key} {_shown(one)}" for key, one in held.items() if one not in (None, ()))
    else:
        shown = "" if value is None else str(value)
    return shown or "none"


COMMAND = Command(
    name="country",
    panel=Panel.KEEP,
    place=59,
    purpose="Show what the country decides for its register.",
    explanation="What country.toml in the workspace says (or the file that CEIR_COUNTRY names), with what is "
    "usual where it says something else, and what the register takes from the policy. A fault is told with "
    "its key and what to type. `ceir serve` obeys both files as they are when it is started.",
    examples=(Example("ceir country", "after a change, before `ceir serve` is started again"),),
    function=country,
    exits={0: "it can be obeyed", 2: "it cannot: the key is named"},
)
