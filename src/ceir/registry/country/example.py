"""The commented `country.toml` that a new workspace begins with: every key with its meaning and its value."""

import textwrap
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ceir.registry.country.written import CountryFile

_WIDTH = 100
_HEAD = (
    "What this country decides for its register, beside policy.toml. Every value here is the one that "
    "counts without the line. After a change: ceir country, then start `ceir serve` again. "
    "More: docs/admin/country.md"
)
_EXAMPLES = {
    "region": '"KE"',
    "daily_cap": "10000",
    "quotas": "{ person = { devices = 5, days = 365 }, fleet = {} }",
}
"""Values that show how a key is written which has none of its own."""


def example(*, time_zone: str = "UTC") -> str:
    """The text of the file.

    Args:
        time_zone: whose clock it begins with.
    """
    made = CountryFile(time_zone=time_zone)
    return "\n".join([*_comment(_HEAD), *_table(made, ""), ""])


def _table(held: BaseModel, place: str) -> Iterator[str]:
    """A table: its values first, then the tables inside it."""
    inner: list[tuple[str, Any, FieldInfo]] = []
    for key, field in type(held).model_fields.items():
        value = getattr(held, key)
        name = f"{place}.{key}" if place else key
        if isinstance(value, BaseModel) or _is_tables(value):
            inner.append((name, value, field))
            continue
        yield ""
        yield from _comment(field.description or "")
        missing = value is None or value == {}
        yield f"# {key} = {_EXAMPLES[key]}" if missing else f"{key} = {_written(value)}"
    for name, value, field in inner:
        yield ""
        if isinstance(value, BaseModel):
            yield from _comment(type(value).__doc__ if not field.description else field.description)
            yield f"[{name}]"
            yield from _table(value, name)
        else:
            yield from _comment(field.description or "")
            for number, one in enumerate(value):
                yield from ("",) if number else ()
                yield f"[[{name}]]"
                yield from _stage(one, commented=not number)


def _stage(held: BaseModel, *, commented: bool) -> Iterator[str]:
    """One of several tables of a kind; only the first tells what its keys mean."""
    for key, field in type(held).model_fields.items():
        value = getattr(held, key)
        if commented:
            yield from _comment(field.description or "")
        if value not in ((), None):
            yield f"{key} = {_written(value)}"
        elif commented:
            yield f'# {key} = ["operator1"]'


def _is_tables(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)


def _comment(text: str | None) -> list[str]:
    return textwrap.wrap(text or "", _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _written(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(_written(one) for one in value)}]"
        case Mapping():
            return f"{{ {', '.join(f'{key} = {_written(one)}' for key, one in value.items())} }}"
    raise TypeError(f"nobody said how {type(value).__name__} is written")
