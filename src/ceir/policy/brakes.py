"""What keeps an error of a policy from becoming cut phones: its budget, and blocks that come step by step."""

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

KEY = re.compile(r"[A-Za-z0-9_.-]{16,128}")

PerThousand = Annotated[Decimal, Field(ge=0, le=1000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Strict):
    """How much error a regulator bears before a policy is put in force."""

    wrongly_cut_lines_per_1000: PerThousand | None = Field(
        default=None,
        description="Of 1,000 lines that it cuts so many may be expected to be cut wrongly; a policy above "
        "it is not put in force. Not given: no budget, and policies are put in force by editing the file.",
    )


class ReleaseStep(_Strict):
    """How much of a condition's equipment is blocked from a day on."""

    day: Annotated[int, Field(ge=0, le=3650)] = Field(
        description="Days after the day on which the equipment's grace is over."
    )
    share: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        description="Share that is blocked from then on; always the same equipment comes first."
    )


class ConditionRelease(_Strict):
    """How the blocks of a condition come, and what stops them."""

    steps: tuple[ReleaseStep, ...] = Field(
        min_length=1,
        description="Each `{ day, share }`: days and shares rise from step to step, the last share is 1.",
    )
    stop_above_appeals_per_1000: PerThousand | None = Field(
        default=None, description="More restored by appeals, for 1,000 released, stops it; not given: never."
    )
    stop_above_sightings_per_1000: PerThousand | None = Field(
        default=None,
        description="More seen by a network after their release, with a subscriber that they are not paired "
        "with, for 1,000 released, stops it; not given: never.",
    )
    stop_above_complaints_per_1000: PerThousand | None = Field(
        default=None,
        description="More complained about since their release, for 1,000 released, stops it; not given: "
        "never.",
    )
    tolerated: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="So many of a kind never stop it, however few were released."
    )

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: tuple[ReleaseStep, ...]) -> tuple[ReleaseStep, ...]:
        for one, two in pairwise(steps):
            if two.day <= one.day or two.share <= one.share:
                raise ValueError("days and shares of the steps rise from one to the next")
        if steps[-1].share != 1:
            raise ValueError("the last step's share is 1: what is to stay open is stopped, not forgotten")
        return steps

    @property
    def limits(self) -> Mapping[str, Decimal]:
        """What stops it, by signal: `appeals`, `complaints`, `sightings`; those that never do are absent."""
        given = {
            "appeals": self.stop_above_appeals_per_1000,
            "complaints": self.stop_above_complaints_per_1000,
            "sightings": self.stop_above_sightings_per_1000,
        }
        return {name: limit for name, limit in given.items() if limit is not None}


class Release(_Strict):
    """Blocks that come step by step instead of all at once."""

    staged_by: Literal["pipeline", "register"] = Field(
        default="pipeline",
        description="Who stages: the pipeline by the steps below, or the register of people by releases of "
        "its own; then the steps below have no effect. Never both.",
    )
    key: str = Field(
        default="",
        description="16 to 128 letters, digits, `_`, `.` or `-`, drawn at random: with it the identity "
        "decides "
        "which equipment comes first. Who knows it knows that too.",
    )
    conditions: Mapping[str, ConditionRelease] = Field(
        default={}, description="Steps by the label of a blocking condition: `[release.conditions.LABEL]`."
    )

    @model_validator(mode="after")
    def _keyed(self) -> "Release":
        if self.conditions and not KEY.fullmatch(self.key):
            raise ValueError("`key` is 16 to 128 letters, digits, _ . or -; draw one at random")
        return self

    @property
    def staged(self) -> Mapping[str, ConditionRelease]:
        """The conditions whose blocks the pipeline releases step by step."""
        return self.conditions if self.staged_by == "pipeline" else {}
