"""How a rule is declared: a test over facts, with its reason in plain words, its source and its examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from ceir.declarations import declared
from ceir.errors import UsageError

Value = int | bool | str | Decimal | None


@dataclass(frozen=True)
class Parameter:
    """What a policy sets for a rule.

    Args:
        default: used when the policy is silent; None with `required` means that it must speak.
        minimum: least value allowed, with the reason in `doc`.
        choices: the only values allowed, for text.
    """

    name: str
    type: Literal["int", "decimal", "bool", "text"]
    doc: str
    default: Value = None
    required: bool = False
    minimum: Decimal | int | None = None
    above: Decimal | int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """Facts and whether the rule matches them, with the reason a person would give."""

    given: Mapping[str, Value]
    matches: bool
    because: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapted:
    """What of a rule depends on its parameters."""

    needs: tuple[str, ...]
    may_lack: tuple[str, ...]
    matches: str


@dataclass(frozen=True)
class Rule:
    """A test over facts.

    Args:
        reason: what a person is told; `{fact}` and `{parameter}` are replaced by their values.
        source: the clause or practice it comes from.
        needs: facts it looks at; their values are stored as evidence with every verdict.
        matches: predicate in portable SQL over `needs` and parameters, nothing else; null counts as no match.
        applies_to: `seen`: equipment the network saw; `listed`: also equipment never seen, from the `lists`.
        lists: sources whose identities belong to what the rule looks at, with `applies_to="listed"`.
        one_of: groups of parameters of which exactly one is given.
        drifts: SELECT of `imei` of `equipment` whose match may change between two days without new data,
            from (parameters, previous end, end); windows are known from the facts and need none.
        may_lack: facts of `needs` that may be unknown, because their source was never ingested, without the
            rule being unable to tell; its predicate must treat unknown as saying nothing.
        brings: further parameters that follow from those given, for those that are null; with
            `adapts` it lets one parameter name a whole file of them.
        adapts: `needs`, `may_lack` and `matches` under given parameters, where these depend on them; the
            declared ones are those of the defaults.
    """

    name: str
    title: str
    doc: str
    reason: str
    source: str
    needs: tuple[str, ...]
    matches: str
    examples: tuple[Example, ...]
    parameters: tuple[Parameter, ...] = ()
    applies_to: Literal["seen", "listed"] = "seen"
    lists: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    drifts: Callable[[Mapping[str, Value], int, int], str] | None = None
    peer_name: str = ""
    may_lack: tuple[str, ...] = ()
    brings: Callable[[Mapping[str, Value]], Mapping[str, Value]] | None = None
    adapts: Callable[[Mapping[str, Value]], "Adapted"] | None = None

    def under(self, parameters: Mapping[str, Value]) -> "Rule":
        """The rule as these parameters make it."""
        if self.adapts is None:
            return self
        adapted = self.adapts(parameters)
        return replace(self, needs=adapted.needs, may_lack=adapted.may_lack, matches=adapted.matches)


def all_rules() -> Mapping[str, Rule]:
    """Every declared rule by name."""
    import ceir.rules  # noqa: PLC0415 - the package imports this module

    return declared(ceir.rules, "RULE", Rule)


def rule_named(name: str) -> Rule:
    """The rule called `name`.

    Raises:
        UsageError: there is none; the hint lists them.
    """
    found = all_rules()
    if name not in found:
        raise UsageError(f"There is no rule {name!r}.", f"Rules: {', '.join(found)}.")
    return found[name]
