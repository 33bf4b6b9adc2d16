"""A file of weights: what each signal adds to the score of an identity, each rung to that of a subscriber.

Every weight of a signal is 0 or more and counts from the most innocent answer, so that what is unknown adds
nothing and can never raise a score. Numbers have three decimals at most: scores are whole thousandths, the
same on every engine.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ceir.errors import CeirError
from ceir.facts import Fact, all_facts
from ceir.rungs import all_rungs
from ceir.workings import all_workings

THOUSANDTHS = 1000
"""A score is kept in thousandths of a natural log-odds."""

LEAST_SUBSCRIBERS = 2
"""An identity that one subscriber uses is shared by nobody."""


class WeightsError(CeirError):
    """A file of weights cannot be used as it is written."""

    code = "weights_invalid"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@cache
def known_facts() -> Mapping[str, Fact]:
    """Every declared fact: listed once, for weighing looks them up all the time."""
    return all_facts()


def thousandths(number: Decimal) -> int:
    """A number of three decimals as whole thousandths."""
    return int(number * THOUSANDTHS)


Number = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=3)]
Weight = Annotated[Decimal, Field(ge=0, le=20, decimal_places=3)]
LogOdds = Annotated[Decimal, Field(ge=-20, le=40, decimal_places=3)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Bin(_Strict):
    """From this value of the fact on, and up to the next bin, a signal weighs so much."""

    start: Number = Field(alias="from")
    weight: Weight


class Signal(_Strict):
    """A fact as evidence that several devices carry an identity.

    Args:
        per: another fact that it is divided by; with 0 or unknown of it the signal is unknown.
        kind: what sort of evidence it is; signals of one kind are not independent of each other.
        counts: whether it may be one of the independent signals that a verdict asks for; false for
            circumstances that prove nothing by themselves.
        says: what it says in plain words; `{value}` and the file's parameters are replaced.
        bins: ascending; below the first the signal weighs nothing. A truth counts as 1.
    """

    fact: Name
    kind: Name
    says: Annotated[str, Field(min_length=1, max_length=200)]
    bins: Annotated[tuple[Bin, ...], Field(min_length=1, max_length=12)]
    per: Name | None = None
    counts: bool = True

    @model_validator(mode="after")
    def _fits(self) -> "Signal":
        facts = known_facts()
        for name in self.facts:
            if name not in facts:
                raise ValueError(f"there is no fact {name!r}")
            if facts[name].type == "VARCHAR":
                raise ValueError(f"the fact {name!r} is a text and cannot be weighed")
        if any(two.start <= one.start for one, two in pairwise(self.bins)):
            raise ValueError(f"the bins of {self.fact} do not ascend")
        if self.per is None and any(b.start % 1 for b in self.bins):
            raise ValueError(f"{self.fact} is a whole number, its bins must begin at whole numbers")
        if not any(b.weight for b in self.bins):
            raise ValueError(f"{self.fact} weighs nothing: leave it out")
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts it looks at."""
        return (self.fact,) if self.per is None else (self.fact, self.per)

    @property
    def strongest(self) -> Decimal:
        """Its greatest weight."""
        return max(b.weight for b in self.bins)


class Provenance(_Strict):
    """How the numbers were obtained: enough to obtain them again.

    Args:
        how: in words.
        command: what was typed.
        seeds: which worlds they were tuned on.
        worlds_sha256: fingerprint of those worlds' configuration.
    """

    how: Annotated[str, Field(min_length=1, max_length=1000)]
    made_on: date
    command: str = ""
    seeds: tuple[int, ...] = ()
    worlds_sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""


class Score(_Strict):
    """From the sum of all terms to an answer.

    Args:
        prior: log-odds of an identity of several subscribers whose every signal is at its most innocent.
        clone_at: score from which it is called a clone, if enough independent signals speak.
        clear_at: score from which it is undecided; below, it is not a clone.
        speaks_from: weight from which a signal counts as speaking.
    """

    prior: LogOdds
    clone_at: LogOdds
    clear_at: LogOdds
    speaks_from: Weight = Decimal("0.5")

    @model_validator(mode="after")
    def _in_order(self) -> "Score":
        if not self.prior < self.clear_at <= self.clone_at:
            raise ValueError("prior < clear_at <= clone_at must hold")
        if not self.speaks_from:
            raise ValueError("speaks_from must be above 0: what weighs nothing says nothing")
        return self


class Ladder(_Strict):
    """Which of the subscribers of a copied identity has the genuine device.

    Args:
        genuine_at: score from which a person may be called genuine.
        margin: by how much the person must lead everybody else.
        clone_below: a person is called a clone only below this score.
        side_by_side_days: and only if seen on the same days as the genuine one, on at least so many.
        rungs: weight of each rung, above 0 for the genuine device, below 0 against it.
    """

    genuine_at: LogOdds
    margin: Annotated[Decimal, Field(gt=0, le=20, decimal_places=3)]
    clone_below: LogOdds
    side_by_side_days: Annotated[int, Field(ge=1, le=366)]
    rungs: Mapping[Name, Annotated[Decimal, Field(ge=-20, le=20, decimal_places=3)]]

    @model_validator(mode="after")
    def _fits(self) -> "Ladder":
        known = all_rungs()
        for name, weight in self.rungs.items():
            if name not in known:
                raise ValueError(f"there is no rung {name!r}; rungs: {', '.join(known)}")
            if not weight or (weight > 0) is not known[name].speaks_for:
                side = "above" if known[name].speaks_for else "below"
                raise ValueError(f"the weight of {name!r} must be {side} 0")
        if self.clone_below >= self.genuine_at:
            raise ValueError("clone_below < genuine_at must hold")
        return self


class Weights(_Strict):
    """All of a file.

    Args:
        name: also the file's; a version is never changed, a new one gets a new name.
        calibrated: whether the numbers were tuned on labelled data.
        parameters: of the facts, for the facts were binned as these parameters make them.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,40}-[1-9][0-9]{0,3}$")]
    calibrated: bool
    provenance: Provenance
    parameters: Mapping[Name, int | bool | Decimal | str]
    score: Score
    signals: Annotated[tuple[Signal, ...], Field(min_length=2, max_length=40)]
    ladder: Ladder

    @model_validator(mode="after")
    def _can_decide(self) -> "Weights":
        names = [signal.fact for signal in self.signals]
        if len(set(names)) != len(names):
            raise ValueError("a fact stands in two signals")
        parameters = {p for name in self.facts for p in _parameters(name)}
        for name in self.parameters:
            if name not in parameters:
                raise ValueError(f"no fact of the file takes the parameter {name!r}")
        if not isinstance(self.parameters.get("window_days"), int):
            raise ValueError("parameters.window_days must be a number of days")
        strongest = self.score.prior + sum(signal.strongest for signal in self.signals)
        if strongest < self.score.clone_at:
            raise ValueError("no evidence could ever reach clone_at")
        speaking = {s.kind for s in self.signals if s.counts and s.strongest >= self.score.speaks_from}
        if len(speaking) < 2:
            raise ValueError("signals of at least two kinds must be able to speak")
        for signal in self.signals:
            try:
                signal.says.format_map({**self.parameters, "value": ""})
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(f"what {signal.fact} says names something else: {error}") from error
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts that its signals look at, each once."""
        return tuple(dict.fromkeys(name for signal in self.signals for name in signal.facts))

    def to_toml(self) -> str:
        """The file: what `parse_weights` reads back as the same value."""
        return _written(self)


def parse_weights(text: str, where: str) -> Weights:
    """The weights in a TOML text.

    Args:
        where: names the text in errors.

    Raises:
        WeightsError: not TOML, unknown keys, facts or rungs, or numbers that can decide nothing.
    """
    try:
        return Weights.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise WeightsError(f"{where} is not TOML: {error}.", "Mend the line it names.") from error
    except ValidationError as error:
        faults = "; ".join(
            f"`{'.'.join(str(part) for part in item['loc'])}`: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise WeightsError(f"{where}: {faults}.", "See docs/clones.md for every key.") from error


@cache
def load_weights(name: str) -> Weights:
    """The weights of this name that come with the product.

    Raises:
        WeightsError: there are none, or their file is at fault.
    """
    if name not in all_weights():
        raise WeightsError(f"There are no weights {name!r}.", f"Weights: {', '.join(all_weights())}.")
    file = resources.files("ceir.weights") / f"{name}.toml"
    found = parse_weights(file.read_text(encoding="utf-8"), file.name)
    if found.name != name:
        raise WeightsError(f"{file.name} calls itself {found.name!r}.", "File and name must agree.")
    return found


@cache
def all_weights() -> tuple[str, ...]:
    """Names of the weights that come with the product, sorted."""
    folder = resources.files("ceir.weights")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def _parameters(fact: str) -> set[str]:
    """Parameters of a fact and of the workings that it reads."""
    found, waiting = set(known_facts()[fact].parameters), list(known_facts()[fact].workings)
    while waiting:
        working = all_workings()[waiting.pop()]
        found |= set(working.parameters)
        waiting += working.workings
    return found


def _written(weights: Weights) -> str:
    raw: dict[str, Any] = weights.model_dump(by_alias=True, mode="python")
    lines = [f"name = {_value(raw['name'])}", f"calibrated = {_value(raw['calibrated'])}"]
    sections: tuple[tuple[str, Literal["table", "rows"]], ...] = (
        ("provenance", "table"),
        ("parameters", "table"),
        ("score", "table"),
        ("signals", "rows"),
        ("ladder", "table"),
    )
    for name, form in sections:
        if form == "rows":
            for row in raw[name]:
                lines += ["", f"[[{name}]]", *(f"{k} = {_value(v)}" for k, v in row.items() if v is not None)]
        else:
            inner = raw[name].get("rungs") if name == "ladder" else None
            plain = {k: v for k, v in raw[name].items() if k != "rungs"}
            lines += ["", f"[{name}]", *(f"{k} = {_value(v)}" for k, v in plain.items())]
            if inner is not None:
                lines += ["", "[ladder.rungs]", *(f"{k} = {_value(v)}" for k, v in inner.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text if "." in text else f"{text}.0"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    return "[" + ", ".join(_value(v) for v in value) + "]"
