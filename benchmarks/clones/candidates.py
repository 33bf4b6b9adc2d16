"""Facts that may become signals of a score: their bins, and what each says in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A fact with its bins.

    Args:
        edges: where a bin begins; below the first the signal weighs nothing.
        falling: the fact speaks for innocence where it is high, so that its weights fall.
    """

    fact: str
    kind: str
    says: str
    edges: tuple[float, ...]
    per: str | None = None
    counts: bool = True
    falling: bool = False

    @property
    def name(self) -> str:
        """How results name it."""
        return self.fact if self.per is None else f"{self.fact} per {self.per}"

    def value(self, facts: Mapping[str, Any]) -> float | None:
        """The value of an identity; None: unknown."""
        value = facts.get(self.fact)
        if value is None:
            return None
        if self.per is None:
            return float(value)
        divisor = facts.get(self.per)
        return float(value) / float(divisor) if divisor else None

    def steps(self, facts: Mapping[str, Any]) -> list[float]:
        """For each bin 1 where the value reaches it (falls short of it, if `falling`), else 0; unknown: 0."""
        value = self.value(facts)
        if value is None:
            return [0.0] * len(self.edges)
        return [float((value < edge) if self.falling else (value >= edge)) for edge in self.edges]


CANDIDATES = (
    Candidate(
        "subscriber_count",
        "count",
        "{value} different subscribers used it within {window_days} days",
        (3, 5, 8, 15),
        counts=False,
    ),
    Candidate(
        "subscriber_days",
        "parallel",
        "on a day it was seen, {value} subscribers used it on average",
        (1.1, 1.3, 1.6, 2, 3),
        per="active_days",
    ),
    Candidate(
        "person_days",
        "persons",
        "on a day it was seen, {value} registered persons used it on average",
        (1.1, 1.3, 1.6, 2, 3),
        per="person_active_days",
    ),
    Candidate("parallel_days", "parallel", "two or more subscribers used it on {value} days", (3, 8, 15, 30)),
    Candidate(
        "parallel_person_days",
        "persons",
        "two or more registered persons used it on {value} days",
        (3, 8, 15, 30),
    ),
    Candidate(
        "steady_subscribers", "parallel", "{value} subscribers used it side by side for weeks", (2, 3, 5)
    ),
    Candidate(
        "alternations",
        "alternation",
        "its subscribers came back after each other {value} times",
        (2, 5, 10, 20),
    ),
    Candidate("person_count", "persons", "{value} registered persons used it", (2, 3, 5, 10)),
    Candidate(
        "stranger_count",
        "strangers",
        "{value} registered persons used it although others declared it",
        (1, 2, 4),
    ),
    Candidate(
        "split_generations",
        "technology",
        "its subscribers' best radio technologies lie {value} generations apart",
        (1, 2),
    ),
    Candidate(
        "generations_beyond_model",
        "technology",
        "it was seen on a radio technology that its model cannot use",
        (1,),
    ),
    Candidate(
        "overlap_days",
        "overlap",
        "two subscribers were on air with it at one moment on {value} days",
        (1, 3, 7),
    ),
    Candidate(
        # Journeys and homes rest on the same list of cells: a wrong one may make both, so they are one kind.
        "journey_days",
        "places",
        "on {value} days it would have had to travel faster than anybody can",
        (1, 2, 4, 8),
    ),
    Candidate(
        "contradiction_pairs",
        "pairs",
        "{value} pairs of its subscribers contradict each other in time and place",
        (1, 3, 10),
        counts=False,
    ),
    Candidate(
        "home_areas", "places", "its subscribers live in {value} separate areas at the same hours", (2, 3, 5)
    ),
    Candidate("home_distance_km", "places", "its subscribers' homes lie {value} km apart", (20, 60, 150)),
    Candidate(
        "version_flips", "software", "its software version went back and forth {value} times", (1, 2, 3, 4, 6)
    ),
    Candidate(
        "version_disagreement",
        "software",
        "on {value} days a subscriber's device told another version than that of the one before him",
        (1, 2, 3, 5),
    ),
    Candidate(
        "capability_disagreement",
        "fingerprint",
        "on {value} days a subscriber's device told other capabilities than that of the one before him",
        (1, 2, 4, 8),
    ),
    Candidate(
        "agent_disagreement",
        "fingerprint",
        "on {value} days a subscriber's device told other software than that of the one before him",
        (1, 2, 4, 8),
    ),
    Candidate("came_back_new", "silence", "after a long silence it came back with nobody from before", (1,)),
    Candidate("longest_silence", "silence", "nobody used it for {value} days", (21, 45), counts=False),
    Candidate(
        "used_after_scrapping", "scrapped", "it was used on {value} days after it was scrapped", (1, 7)
    ),
    Candidate(
        "days_before_release", "release", "it was seen {value} days before customs released it", (1, 15)
    ),
    Candidate("parallel_operators", "operators", "{value} operators saw it on one day", (2, 3), counts=False),
    Candidate(
        "fleet_like", "passing", "its subscribers do not just pass through", (1,), counts=False, falling=True
    ),
)


def matrix(candidates: tuple[Candidate, ...], rows: list[Mapping[str, Any]]) -> Array:
    """A row an identity, a column a bin of each candidate in turn."""
    return np.asarray(
        [[step for c in candidates for step in c.steps(facts)] for facts in rows], dtype=np.float64
    )
