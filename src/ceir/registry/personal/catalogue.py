"""The page that says which personal data is kept, why, and for how long."""

import ast
import inspect
from dataclasses import dataclass

from ceir.registry.personal.fields import Purpose
from ceir.registry.personal.finding import encrypted_fields, models_with_personal_data
from ceir.registry.personal.retention import retention_of


@dataclass(frozen=True)
class Holding:
    """One field that holds personal data.

    Args:
        kept_days: after the end of what it belongs to.
        ends: what that end is, like `ended_at` of the model.
    """

    model: str
    field: str
    purpose: Purpose | None
    kept_days: int
    ends: str


def holdings() -> tuple[Holding, ...]:
    """Every field of every model, by name."""
    found: list[Holding] = []
    for model in models_with_personal_data():
        retention = retention_of(model)
        ends = retention.ended if retention else ""
        found += [
            Holding(model._meta.label, field.name, field.purpose, field.kept_days, ends)
            for field in encrypted_fields(model)
        ]
    return tuple(found)


def page() -> str:
    """The page, as Markdown."""
    rows = [
        f"| `{kept.model}` | `{kept.field}` | {kept.purpose.value if kept.purpose else ''} "
        f"| {kept.kept_days} | `{kept.ends}` |"
        for kept in holdings()
    ]
    purposes = [f"- **{purpose.value}**: {meaning}" for purpose, meaning in _meanings().items()]
    return "\n".join(
        (
            "# Personal data",
            "",
            "Everything about people that the register keeps lies in these fields, encrypted with keys "
            "outside the database, and is read only on a legal basis that is recorded. So many days after "
            "the end of what it belongs to it is overwritten (shredded), unless a legal hold stands against "
            "it.",
            "",
            "| model | field | purpose | days kept | counted from |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Purposes:",
            "",
            *purposes,
            "",
        )
    )


def _meanings() -> dict[Purpose, str]:
    """Each purpose with the sentence that stands below it where it is declared."""
    body = ast.parse(inspect.getsource(Purpose)).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError("Purpose is a class")
    found: dict[Purpose, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.Assign) and isinstance(before.targets[0], ast.Name):
            said = after.value if isinstance(after, ast.Expr) else None
            if isinstance(said, ast.Constant):
                found[Purpose[before.targets[0].id]] = str(said.value)
    return found
