"""What is wrong with a file that a model reads, in words that name the key and what to type."""

import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def faults_of(error: ValidationError, model: type[BaseModel], *, meanings: bool = False) -> str:
    """Every fault, each with its key; of an unknown key those that are valid there.

    Args:
        meanings: tell what the model says of the key besides.
    """
    told = []
    for item in error.errors(include_url=False, include_input=False):
        place = item["loc"]
        said = _fault(place, item, model)
        meaning = _meaning(place, model) if meanings else ""
        told.append(f"{said} ({meaning})" if meaning else said)
    return "; ".join(told)


def _fault(location: tuple[int | str, ...], item: Mapping[str, Any], model: type[BaseModel]) -> str:
    place = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        valid = _valid_keys(location[:-1], model)
        return f"unknown key `{place}`" + (f"; valid here: {', '.join(valid)}" if valid else "")
    said = str(item["msg"]).removeprefix("Value error, ")
    return f"`{place}`: {said}" if place else said


def _valid_keys(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Keys of the model that a location leads to."""
    found = _at(location, model)
    return sorted(found.model_fields) if found is not None else []


def _meaning(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """What the model says of the innermost key of a location that it knows."""
    for end in range(len(location), 0, -1):
        holder = _at(location[: end - 1], model)
        field = holder.model_fields.get(str(location[end - 1])) if holder is not None else None
        if field is not None and field.description:
            return field.description.removesuffix(".")
    return ""


def _at(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    found: Any = model
    for part in location:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(str(part))
            found = _inner(field.annotation) if field else None
        # a position in a tuple or a key of a mapping: its items are the model already
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """The model inside `X`, `tuple[X, ...]`, `Mapping[str, X]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = [a for a in typing.get_args(annotation) if a not in (types.NoneType, Ellipsis, str)]
    return next((found for a in arguments if (found := _inner(a)) is not None), None)
