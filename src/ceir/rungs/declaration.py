"""How a rung of the ladder is declared: something that speaks for or against a subscriber's device being the
genuine one of a copied identity."""

from collections.abc import Mapping
from dataclasses import dataclass

from ceir.declarations import declared


@dataclass(frozen=True)
class Rung:
    """A question about a subscriber of an identity that several devices may carry.

    Args:
        says: what it means in plain words, of `the subscriber`.
        query: SELECT of (imei, imsi) for which the answer is yes, in portable SQL, over the `reads` and
            `users`: (imei, imsi, first_day, last_day, days, rats, line, device_first_day, tac), each
            subscriber seen with such an identity; `line` names the person where one is known
            (`owners`: imsi, uid) and else the subscription itself. What is unknown is not returned.
        reads: list sources it rests on; while one was never ingested it says nothing.
        speaks_for: true: for the genuine device; false: against it. A person's lines are looked at together:
            one line is enough for a rung, all must agree against.
    """

    name: str
    title: str
    doc: str
    says: str
    query: str
    speaks_for: bool = True
    reads: tuple[str, ...] = ()


def all_rungs() -> Mapping[str, Rung]:
    """Every declared rung by name."""
    import ceir.rungs  # noqa: PLC0415 - the package imports this module

    return declared(ceir.rungs, "RUNG", Rung)
