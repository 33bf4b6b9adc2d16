"""How a rung of the ladder is declared: something that speaks for or against a subscriber's device being the
genuine one of a copied identity."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ceir.declarations import declared
from ceir.facts.declaration import Context, Sql


@dataclass(frozen=True)
class Rung:
    """A question about a subscriber of an identity that several devices may carry.

    Args:
        says: what it means in plain words, of `the subscriber`.
        query: SELECT of (imei, imsi) for which the answer is yes, in portable SQL, over the `reads`, each
            working as `{NAME}`, and `users`: (imei, imsi, rats, present, device_first_day, tac, first_day,
            person), each subscriber ever seen with such an identity; `person` names the person where one is
            known (`owners`: imsi, uid) and else the subscription itself. What is unknown is not returned.
            Sightings and fingerprints are those of all equipment and of whole months: the window of the
            weights, from `start` to `end` of the context, has to be cut out.
        reads: sources it rests on; while one was never ingested it says nothing.
        tables: relations that the query reads and rungs share, by name, each a query like it, in order.
        workings: what it reads of the relations that facts are computed from, with the parameters of the
            weights.
        speaks_for: true: for the genuine device; false: against it. A person's lines are looked at together:
            one line is enough for a rung, all must agree against.
    """

    name: str
    title: str
    doc: str
    says: str
    query: Sql
    speaks_for: bool = True
    reads: tuple[str, ...] = ()
    tables: Mapping[str, Sql] = field(default_factory=dict)
    workings: tuple[str, ...] = ()

    def sql(self, context: Context) -> str:
        """Its query on this day."""
        return self.query(context) if callable(self.query) else self.query

    def tables_sql(self, context: Context) -> Mapping[str, str]:
        """The queries of its tables on this day."""
        return {name: sql(context) if callable(sql) else sql for name, sql in self.tables.items()}


def all_rungs() -> Mapping[str, Rung]:
    """Every declared rung by name."""
    import ceir.rungs  # noqa: PLC0415 - the package imports this module

    return declared(ceir.rungs, "RUNG", Rung)
