"""One statement that gathers everything a status rests on, for one identity or a thousand."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from django.db import connection

from ceir.registry.actors import Actor, Role
from ceir.registry.appeals.models import UNDECIDED
from ceir.registry.appeals.models import State as AppealState
from ceir.registry.registrations.models import LIVING
from ceir.registry.runs.models import Outcome


class Level(Enum):
    """How much a caller is told."""

    PUBLIC = "public"
    """What networks do, and why in plain words."""
    PARTNER = "partner"
    """What the register checks of any device as well, and what is the caller's own."""
    REGULATOR = "regulator"
    """The evidence too."""


LEVEL_OF: dict[Role, Level] = {
    Role.OFFICER: Level.REGULATOR,
    Role.REVIEWER: Level.REGULATOR,
    Role.AUDITOR: Level.REGULATOR,
    Role.ADMINISTRATOR: Level.REGULATOR,
    Role.SYSTEM: Level.REGULATOR,
    Role.CONSUMER: Level.PUBLIC,
}
"""Of roles that are no partner's."""


def level_of(actor: Actor) -> Level:
    """How much an actor is told."""
    return LEVEL_OF.get(actor.acts_as, Level.PARTNER)


class Row(NamedTuple):
    """A fact; what the texts mean is known by its kind, see `_PARTS`."""

    kind: str
    imei: int
    a: str | None
    b: str | None
    c: str | None
    d: str | None
    e: str | None
    f: str | None
    g: str | None


def facts(keys: Collection[int], *, actor: Actor, at: datetime) -> Iterator[Row]:
    """Everything known of some identities that an actor may be told something of."""
    level = level_of(actor)
    parts = [_DECISION, _CASE, _RESTORED, _OVERRIDE]
    if level is not Level.PUBLIC:
        parts += [_REGISTERED, _PAIRED, _OBSERVED, _TAC]
    values = {
        "keys": _list(keys),
        "tacs": _list({key // 10**6 for key in keys if key >= 0}),
        "at": connection.ops.adapt_datetimefield_value(at),
        "organisation": actor.organisation if actor.acts_as is Role.OPERATOR else None,
        "blocked": Outcome.BLOCKED.value,
        "undecided": _list_of_texts(UNDECIDED),
        "upheld": AppealState.UPHELD.value,
        "living": _list_of_texts(LIVING),
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(tuple(parts)), values)
        yield from map(Row._make, cursor.fetchall())


_DECISION = """
SELECT 'decision', d.imei, d.outcome, CAST(d.since AS TEXT), CAST(d.block_on AS TEXT), g.reasons,
  g.conditions, CAST(d.outcome_run_id AS TEXT),
  CASE WHEN d.outcome <> %(blocked)s THEN '' ELSE (
    SELECT CAST(MAX(CASE WHEN m.everywhere THEN 2 WHEN {at_operator} THEN 2 ELSE 1 END) AS TEXT)
    FROM releases_member AS m JOIN releases_release AS r ON r.id = m.release_id
    WHERE m.imei = d.imei AND m.blocked_run = d.outcome_run_id AND m.stage IS NOT NULL AND r.undone_at IS NULL
  ) END
FROM runs_decision AS d JOIN runs_grounds AS g ON g.id = d.grounds_id WHERE d.imei {keys}
"""
"""Outcome, since, block date, reasons, conditions, run; and of a blocked one whether it is out: 2 everywhere
or at the caller's operator, 1 elsewhere only."""

_CASE = """
SELECT 'case', i.imei, CAST(c.id AS TEXT), c.state, c.mode, CAST(c.reported_at AS TEXT),
  CASE WHEN c.provisional_until > {moment} THEN '1' ELSE '' END, CAST(c.police_id AS TEXT),
  CAST(c.organisation_id AS TEXT)
FROM cases_caseidentity AS i JOIN cases_case AS c ON c.id = i.case_id WHERE i.imei {keys}
"""
"""Case, state, mode, reported, whether blocked provisionally, its station and who reported."""

_RESTORED = """
SELECT 'restored', p.imei, p.condition, p.restored_because, CAST(p.id AS TEXT), NULL, NULL, NULL, NULL
FROM appeals_appeal AS p WHERE p.imei {keys} AND p.restored_at <= {moment}
  AND (p.state {undecided} OR p.state = %(upheld)s)
"""
"""Condition that does not count with whoever appealed, why not, the appeal."""

_OVERRIDE = """
SELECT 'override', 0, o.answer, CAST(o.until AS TEXT), NULL, NULL, NULL, NULL, NULL
FROM releases_override AS o WHERE o.begun_at <= {moment} AND o.until > {moment}
  AND (o.ended_at IS NULL OR o.ended_at > {moment}) AND (o.operator = '' OR {own_operator})
"""
"""What networks are told of all devices, and until when."""

_REGISTERED = """
SELECT 'registered', i.imei, r.state, r.kind, CAST(r.begins_at AS TEXT), CAST(r.ends_at AS TEXT),
  v.manufacturer, v.model, CAST(r.id AS TEXT)
FROM devices_identifier AS i JOIN registrations_registration AS r ON r.device_id = i.device_id
JOIN devices_device AS v ON v.id = i.device_id
WHERE i.imei {keys} AND i.ended_at IS NULL AND r.state {living}
  AND (r.ends_at IS NULL OR r.ends_at > {moment})
"""
"""State, kind, from, until, maker, model, registration."""

_PAIRED = """
SELECT 'paired', p.imei, CAST(COUNT(*) AS TEXT), CAST(SUM(CASE WHEN EXISTS (
    SELECT 1 FROM subscribers_sim AS s WHERE s.line_id = p.line_id AND s.ended_at IS NULL
    AND s.operator_id = {organisation}) THEN 1 ELSE 0 END) AS TEXT), NULL, NULL, NULL, NULL, NULL
FROM pairings_pairing AS p WHERE p.imei {keys} AND p.state = 'in_force' GROUP BY p.imei
"""
"""Pairings in force, and of them those with lines of the caller's operator."""

_OBSERVED = """
SELECT 'observed', o.imei, CAST(o.first_seen AS TEXT), CAST(o.last_seen AS TEXT), NULL, NULL, NULL, NULL, NULL
FROM references_observed AS o WHERE o.imei {keys}
"""

_TAC = """
SELECT 'tac', t.tac, t.manufacturer, t.model_name, t.device_type, NULL, NULL, NULL, NULL
FROM references_tacrecord AS t WHERE t.tac {tacs}
"""

_POSTGRESQL = {
    "keys": "= ANY(%(keys)s)",
    "tacs": "= ANY(%(tacs)s)",
    "undecided": "= ANY(%(undecided)s)",
    "living": "= ANY(%(living)s)",
    "moment": "CAST(%(at)s AS TIMESTAMPTZ)",
    "organisation": "CAST(%(organisation)s AS BIGINT)",
    "at_operator": "(r.stages -> CAST(m.stage AS INTEGER) -> 'operators') @> to_jsonb({code})",
}
_SQLITE = {
    "keys": "IN (SELECT value FROM json_each(%(keys)s))",
    "tacs": "IN (SELECT value FROM json_each(%(tacs)s))",
    "undecided": "IN (SELECT value FROM json_each(%(undecided)s))",
    "living": "IN (SELECT value FROM json_each(%(living)s))",
    "moment": "%(at)s",
    "organisation": "%(organisation)s",
    "at_operator": "EXISTS (SELECT 1 FROM json_each(r.stages, '$[' || m.stage || '].operators') AS j "
    "WHERE j.value = {code})",
}
_CODE = "(SELECT n.code FROM organisations_organisation AS n WHERE n.id = {organisation})"

_statements: dict[tuple[str, tuple[str, ...]], str] = {}


def _statement(parts: tuple[str, ...]) -> str:
    """The parts as one statement of the database's own words; put together once."""
    known = _statements.get((connection.vendor, parts))
    if known is None:
        words = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
        code = _CODE.format(organisation=words["organisation"])
        if connection.vendor == "postgresql":
            code = f"CAST({code} AS TEXT)"
        more = {
            **words,
            "at_operator": words["at_operator"].format(code=code),
            "own_operator": f"o.operator = {code}",
        }
        known = "UNION ALL".join(part.format(**more) for part in parts)
        _statements[connection.vendor, parts] = known
    return known


def _list(values: Collection[int]) -> Any:
    found = sorted(values)
    return found if connection.vendor == "postgresql" else json.dumps(found)


def _list_of_texts(values: Collection[str]) -> Any:
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))
