"""Every rule asked of every piece of equipment."""

from collections.abc import Callable

from . import places, rules, sharing
from .rules import Moment, Parameters, Rule
from .world import UndefinedError, World

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {**rules.RULES, **sharing.RULES, **places.RULES}

# Rules that also reach equipment nobody has ever seen.
UNSEEN: dict[str, Callable[[World], set[str] | None]] = {
    "imei_barred": lambda world: world.barred,
    "stolen_local": lambda world: world.stolen,
    "stolen_foreign": lambda world: world.stolen_foreign,
}


def ask_all(moment: Moment, rule: str, parameters: Parameters) -> tuple[set[str], set[str]]:
    """The IMEIs a rule matches, and the seen ones it is known not to match."""
    if rule not in RULES:
        raise UndefinedError(f"no rule {rule!r}")
    build, names = RULES[rule]
    unknown = set(parameters) - set(names)
    if unknown:
        raise UndefinedError(f"rule {rule} has no parameter {sorted(unknown)}")
    question = build(moment, parameters)
    yes: set[str] = set()
    no: set[str] = set()
    for imei, equipment in moment.world.seen.items():
        answer = question(equipment)
        if answer:
            yes.add(imei)
        elif answer is not None:
            no.add(imei)
    if rule in UNSEEN:
        yes |= UNSEEN[rule](moment.world) or set()
    return yes, no
