"""How often conditions were wrong, as appeals showed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Count, Q

from ceir.registry.appeals.models import Appeal, Lesson
from ceir.registry.equipment_keys import StoredIdentity


@dataclass(frozen=True)
class Reversals:
    """What became of appeals against a condition.

    Args:
        decided: appeals that were decided.
        upheld: of them those in which the condition was wrong.
        undecided: devices that work again because nobody decided in time, counted apart: nobody knows yet.
    """

    condition: str
    decided: int
    upheld: int
    undecided: int

    @property
    def rate(self) -> Fraction | None:
        """Share of the decided ones that were upheld; None: none was decided."""
        return Fraction(self.upheld, self.decided) if self.decided else None


@dataclass(frozen=True)
class Labelled:
    """A case whose truth is known, to measure and to tune a condition with."""

    identity: str
    condition: str
    run: int
    false_positive: bool


def reversal_rate(since: datetime) -> tuple[Reversals, ...]:
    """What became of appeals since a moment, by condition, sorted by its label."""
    decided = {
        row["condition"]: (row["decided"], row["upheld"])
        for row in Lesson.objects.filter(learnt_at__gte=since)
        .values("condition")
        .annotate(decided=Count("pk"), upheld=Count("pk", filter=Q(false_positive=True)))
    }
    undecided = dict(
        Appeal.objects.filter(restored_at__gte=since, restored_because="undecided", decided_at=None)
        .values_list("condition")
        .annotate(Count("pk"))
    )
    return tuple(
        Reversals(condition, *decided.get(condition, (0, 0)), undecided.get(condition, 0))
        for condition in sorted(decided.keys() | undecided.keys())
    )


def labelled(since: datetime) -> Iterator[Labelled]:
    """Every case learnt since a moment, in the order in which it was."""
    for lesson in Lesson.objects.filter(learnt_at__gte=since).order_by("learnt_at", "pk").iterator():
        yield Labelled(
            StoredIdentity(lesson.imei, lesson.malformed).text,
            lesson.condition,
            lesson.run,
            lesson.false_positive,
        )
