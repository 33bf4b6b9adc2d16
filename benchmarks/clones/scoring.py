"""Precision, recall and the rest, each a ratio of two sums over identities, with bootstrap intervals.

Resampling draws worlds and then identities within each, for identities of one world share its accidents.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clones.truths import CLASSES, Identity

Array = NDArray[np.float64]

ROUNDS = 1000
SIZES = ((1, 1), (2, 4), (5, 9), (10, 10**9))
"""Bins of copies an identity has."""


@dataclass(frozen=True)
class Claim:
    """What was answered about a subscriber of an identity: genuine, clone or undecided."""

    answer: str


Claims = Mapping[tuple[str, str], Claim]
"""By (imei, imsi)."""


@dataclass(frozen=True)
class Ratio:
    """A quotient of counts with a 95 % interval; value None: nothing to count."""

    hits: int
    of: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        """The quotient."""
        return self.hits / self.of if self.of else None

    def as_json(self, scale: float = 1.0) -> dict[str, Any]:
        """Figures for a file, rounded to five digits."""

        def shown(number: float | None) -> float | None:
            return None if number is None else round(number * scale, 5)

        return {
            "value": shown(self.value), "low": shown(self.low), "high": shown(self.high),
            "hits": self.hits, "of": self.of,
        }  # fmt: skip


def ratio(
    hits: Sequence[float], of: Sequence[float], worlds: Sequence[str], seed: int, rounds: int = ROUNDS
) -> Ratio:
    """Sum of `hits` over sum of `of`, an entry an identity, with its bootstrap interval.

    Where nothing varies (no hit at all, or a hit each time) the interval would have no width: then it is the
    one-sided exact 95 % bound for so many trials ("rule of three"), over identities as if independent.
    """
    top, bottom = np.asarray(hits, dtype=np.float64), np.asarray(of, dtype=np.float64)
    total_top, total = int(top.sum()), int(bottom.sum())
    if not total:
        return Ratio(total_top, total, None, None)
    if total_top in {0, total}:
        bound = 1 - 0.05 ** (1 / total)
        return Ratio(total_top, total, *((0.0, bound) if total_top == 0 else (1 - bound, 1.0)))
    rng = np.random.default_rng(seed)
    of_world = np.asarray(worlds)
    names = np.unique(of_world)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
    draws = np.zeros((rounds, 2))
    for column, name in enumerate(names):
        # Identities with equal counts are one kind: drawing kinds by their number is the same, and quick.
        kinds, number = np.unique(
            np.stack([top, bottom], axis=1)[of_world == name], axis=0, return_counts=True
        )
        chosen = rng.multinomial(times[:, column] * number.sum(), number / number.sum())
        draws += chosen @ kinds
    usable = draws[draws[:, 1] > 0]
    low, high = np.quantile(usable[:, 0] / usable[:, 1], (0.025, 0.975))
    return Ratio(total_top, total, float(low), float(high))


@dataclass(frozen=True)
class Scored:
    """The identities that are copied or called, and what was called a clone; no figure looks at others."""

    identities: tuple[Identity, ...]
    called: frozenset[tuple[str, str]]
    """(world, imei)."""
    in_use: int
    """Lines in use of all identities that count."""
    seed: int = 1

    @classmethod
    def of(cls, truth: Collection[Identity], called: Collection[tuple[str, str]], seed: int = 1) -> "Scored":
        """Only identities that are not set aside."""
        chosen = frozenset(called)
        counted = [i for i in truth if not i.set_aside]
        kept = (i for i in counted if i.klass or (i.world, i.imei) in chosen)
        in_use = sum(line.in_use for i in counted for line in i.lines)
        return cls(tuple(sorted(kept, key=lambda i: (i.world, i.imei))), chosen, in_use, seed)

    def is_called(self, identity: Identity) -> bool:
        """Whether an identity was called a clone."""
        return (identity.world, identity.imei) in self.called

    def rate(self, hit: Callable[[Identity], float], of: Callable[[Identity], float]) -> Ratio:
        """Sum of `hit` over sum of `of`."""
        counted = [(hit(i), of(i), i.world) for i in self.identities]
        kept = [row for row in counted if row[1]]
        return ratio([row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept], self.seed)

    def precision(self) -> Ratio:
        """Of the identities called clones: those that are."""
        return self.rate(lambda i: self.is_called(i) and bool(i.klass), self.is_called)

    def recall(self, wanted: Callable[[Identity], bool] = lambda _: True) -> Ratio:
        """Of the copied identities that are `wanted`: those called clones."""
        return self.rate(
            lambda i: self.is_called(i) and bool(i.klass) and wanted(i), lambda i: bool(i.klass) and wanted(i)
        )

    def recalls(self) -> dict[str, Ratio]:
        """Recall of each clone class there is."""
        there = {i.klass for i in self.identities if i.klass}
        ordered = [name for name in CLASSES if name in there] + sorted(there - set(CLASSES))
        return {name: self.recall(lambda i, name=name: i.klass == name) for name in ordered}  # type: ignore[misc]

    def by_size(self) -> dict[str, Ratio]:
        """Recall by how many copies an identity has."""
        named = {
            f"{low}" if low == high else f"{low}+" if high > 10**6 else f"{low}-{high}": (low, high)
            for low, high in SIZES
        }
        return {
            name: self.recall(lambda i, low=low, high=high: low <= i.copies <= high)  # type: ignore[misc]
            for name, (low, high) in named.items()
        }

    def by_operator(self) -> dict[str, dict[str, Ratio]]:
        """Precision and recall over the identities that an operator has lines of."""
        names = sorted(
            {name for i in self.identities if i.klass or self.is_called(i) for name in i.operators}
        )
        return {
            name: {
                "precision": self.rate(
                    lambda i, name=name: self.is_called(i) and bool(i.klass) and name in i.operators,  # type: ignore[misc]
                    lambda i, name=name: self.is_called(i) and name in i.operators,  # type: ignore[misc]
                ),
                "recall": self.recall(lambda i, name=name: name in i.operators),  # type: ignore[misc]
            }
            for name in names
        }

    def false_calls(self) -> dict[str, int]:
        """Innocent identities called clones, by the circumstance behind."""
        found: dict[str, int] = {}
        for identity in self.identities:
            if self.is_called(identity) and not identity.klass:
                found[identity.story] = found.get(identity.story, 0) + 1
        return dict(sorted(found.items()))

    def cut_lines(self, claims: Claims | None) -> Ratio:
        """Of the lines in use that stop: those of a rightful device.

        Args:
            claims: answers about subscribers: only those called clones stop, and none where nobody was
                called genuine. None: everybody on an identity called a clone stops, as with a plain block.
        """
        cut = {
            i.imei: [line for line in i.lines if line.in_use and self._stops(i, line.imsi, claims)]
            for i in self.identities
            if self.is_called(i)
        }
        return self.rate(
            lambda i: sum(line.genuine for line in cut.get(i.imei, ())) if self.is_called(i) else 0,
            lambda i: len(cut.get(i.imei, ())) if self.is_called(i) else 0,
        )

    def lines_in_use(self) -> int:
        """Lines in use of all identities."""
        return self.in_use

    def _stops(self, identity: Identity, imsi: str, claims: Claims | None) -> bool:
        if claims is None:
            return True
        claim = claims.get((identity.imei, imsi))
        return claim is not None and claim.answer == "clone"

    def picks(self, claims: Claims) -> dict[str, Ratio]:
        """How well subscribers of copied identities are told apart.

        right: decided answers that are right; decided: subscribers that got an answer;
        genuine_right: of those called genuine; resolved: copied identities called clones with a genuine one.
        """

        def answers(identity: Identity) -> list[tuple[str, bool]]:
            if not identity.klass:
                return []
            told = [(claims.get((identity.imei, line.imsi)), line.genuine) for line in identity.lines]
            return [(claim.answer, genuine) for claim, genuine in told if claim is not None]

        def count(identity: Identity, test: Callable[[str, bool], bool]) -> int:
            return sum(test(answer, genuine) for answer, genuine in answers(identity))

        return {
            "right": self.rate(
                lambda i: count(i, lambda a, g: a == ("genuine" if g else "clone")),
                lambda i: count(i, lambda a, _: a != "undecided"),
            ),
            "genuine_right": self.rate(
                lambda i: count(i, lambda a, g: a == "genuine" and g),
                lambda i: count(i, lambda a, _: a == "genuine"),
            ),
            "decided": self.rate(
                lambda i: count(i, lambda a, _: a != "undecided"), lambda i: len(answers(i))
            ),
            "resolved": self.rate(
                lambda i: any(a == "genuine" for a, _ in answers(i)), lambda i: bool(answers(i))
            ),
        }


def days_to_detect(
    truth: Mapping[str, Identity], called_on: Mapping[str, date], last: date
) -> dict[str, dict[str, Any]]:
    """Days from a copy's first use to the first run that called the identity a clone, by class.

    Those never called count as longer than any: a median among them is None.
    """
    found: dict[str, list[float]] = {}
    for identity in truth.values():
        if (
            identity.klass
            and identity.copied_on is not None
            and not identity.set_aside
            and identity.copied_on <= last
        ):
            day = called_on.get(identity.imei)
            waited = float("inf") if day is None else max(0.0, float((day - identity.copied_on).days))
            found.setdefault(identity.klass, []).append(waited)
    return {
        name: {
            "identities": len(waits),
            "called": sum(w != float("inf") for w in waits),
            "median_days": _finite(np.quantile(waits, 0.5, method="higher")),
            "days_90": _finite(np.quantile(waits, 0.9, method="higher")),
        }
        for name, waits in sorted(found.items())
    }


def _finite(value: Any) -> float | None:
    return None if not np.isfinite(value) else float(value)


def curve(truth: Collection[Identity], scores: Mapping[tuple[str, str], float]) -> list[dict[str, float]]:
    """Precision and recall at each threshold on the score, the highest first.

    Identities without a score are never called; equal scores are called together.
    """
    kept = [i for i in truth if not i.set_aside]
    wanted = sum(bool(i.klass) for i in kept)
    rows = sorted(
        ((scores[i.world, i.imei], bool(i.klass)) for i in kept if (i.world, i.imei) in scores), reverse=True
    )
    points, right = [], 0
    for called, (score, copied) in enumerate(rows, start=1):
        right += copied
        if called == len(rows) or rows[called][0] != score:
            points.append(
                {
                    "at": round(score, 3),
                    "precision": round(right / called, 5),
                    "recall": round(right / wanted, 5) if wanted else 0.0,
                }
            )
    return points


def least_recall_at(points: Sequence[Mapping[str, float]], precision: float) -> float:
    """The best recall of a curve at this precision or more."""
    return max((p["recall"] for p in points if p["precision"] >= precision), default=0.0)
