"""Pairings of equipment with lines, and the codes by which they are made."""

from collections.abc import Mapping
from enum import Enum

from django.db import models

from ceir.registry.personal.fields import KeyedField
from ceir.registry.subscribers.models import Line


class State(Enum):
    """Where a pairing stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    RELEASED = "released"
    REFUSED = "refused"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.IN_FORCE, State.REFUSED, State.RELEASED}),
    State.IN_FORCE: frozenset({State.RELEASED}),
    State.RELEASED: frozenset(),
    State.REFUSED: frozenset(),
}

LIVING = (State.PROPOSED.value, State.IN_FORCE.value)


class Ground(Enum):
    """Why equipment is paired."""

    CODE = "code"
    APPEAL = "appeal"


class Pairing(models.Model):
    """Equipment works with a line although it is blocked.

    It hangs on the line, not on the SIM: a new SIM or operator of the same line changes nothing.
    """

    imei = models.BigIntegerField(help_text="14 digits as a number.")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="pairings")
    place = models.PositiveSmallIntegerField(
        null=True, help_text="Which of the places of the equipment it takes; none: it takes none."
    )
    ground = models.CharField(max_length=8, choices=[(g.value, g.value) for g in Ground])
    because = models.CharField(max_length=64, help_text="`pair_code:3`, `appeal:12`.")
    despite_report = models.BooleanField(
        default=False, help_text="It holds although the device is reported stolen or lost."
    )
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in State])
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    in_force_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei", "line"),
                condition=models.Q(state__in=LIVING, ground=Ground.CODE.value),
                name="paired_once",
            ),
            # Of two appeals each lets by itself: what the one no longer lets, the other still does.
            models.UniqueConstraint(
                fields=("imei", "line", "because"),
                condition=models.Q(state__in=LIVING, ground=Ground.APPEAL.value),
                name="let_once_by_an_appeal",
            ),
            models.UniqueConstraint(
                fields=("imei", "place"), condition=models.Q(state__in=LIVING), name="one_pairing_a_place"
            ),
            models.CheckConstraint(
                condition=models.Q(ground=Ground.APPEAL.value, place=None)
                | models.Q(ground=Ground.CODE.value, place__gte=1),
                name="place_fits_ground",
            ),
        )
        indexes = (models.Index(fields=("because",), name="pairing_because"),)

    def __str__(self) -> str:
        return f"pairing:{self.pk}"


class PairCode(models.Model):
    """A code by which lines are paired with one piece of equipment; handed from person to person."""

    imei = models.BigIntegerField(help_text="14 digits as a number.")
    code = KeyedField(label="pair code")
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei",), condition=models.Q(withdrawn_at=None), name="one_pair_code"
            ),
        )

    def __str__(self) -> str:
        return f"pair_code:{self.pk}"
