"""A file of weights, read and reckoned a second time: the product's SQL must come to the same."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Filed:
    """A score as its file says it."""

    name: str
    raw: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Filed":
        """The weights of a file."""
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(raw["name"], raw)

    @property
    def kinds(self) -> list[str]:
        """Kinds of signals, each once."""
        return list(dict.fromkeys(signal["kind"] for signal in self.raw["signals"]))

    def judge(self, facts: Mapping[str, Any], without: str | None = None) -> tuple[float, int]:
        """Score and how many independent kinds speak; `without`: as if a kind were not there."""
        score, speaks = float(self.raw["score"]["prior"]), set()
        for signal in self.raw["signals"]:
            if signal["kind"] == without:
                continue
            weight = self._weight(signal, facts)
            score += weight
            if signal.get("counts", True) and weight >= self.raw["score"].get("speaks_from", 0.5):
                speaks.add(signal["kind"])
        return round(score, 3), len(speaks)

    def answer(self, facts: Mapping[str, Any], without: str | None = None) -> str:
        """clone, undecided or not_a_clone, with two independent kinds of evidence asked for."""
        score, speaks = self.judge(facts, without)
        if score >= self.raw["score"]["clone_at"] and speaks >= 2:
            return "clone"
        return "undecided" if score >= self.raw["score"]["clear_at"] else "not_a_clone"

    @staticmethod
    def _weight(signal: Mapping[str, Any], facts: Mapping[str, Any]) -> float:
        value, divisor = facts.get(signal["fact"]), 1
        if "per" in signal:
            divisor = facts.get(signal["per"]) or 0
        if value is None or not divisor:
            return 0.0
        reached = [b["weight"] for b in signal["bins"] if float(value) >= float(b["from"]) * divisor]
        return float(reached[-1]) if reached else 0.0
