"""One statement that gathers everything a status rests on, for one identity or a thousand."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from ceir.registry.actors import Actor, Role
from ceir.registry.appeals.models import UNDECIDED
from ceir.registry.registrations.models import LIVING


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
    parts = [_DECISION, _CASE, _RESTORED, _OVERRIDE, _LET, _RUN]
    if level is not Level.PUBLIC:
        parts += [_REGISTERED, _PAIRED, _OBSERVED, _TAC]
    values: dict[str, Any] = {
        "at": connection.ops.adapt_datetimefield_value(at),
        "organisation": actor.organisation if actor.acts_as is Role.OPERATOR else None,
    }
    tacs = {key // 10**6 for key in keys if key >= 0} or {-1}
    if len(keys) == 1:
        values |= {"keys": next(iter(keys)), "tacs": next(iter(tacs))}
    else:
        values |= {"keys": _list(keys), "tacs": _list(tacs)}
    yield from map(Row._make, _select(_statement(tuple(parts), one=len(keys) == 1), values))


def _select(statement: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement.decode(), values)
            return list(cursor.fetchall())
    # Prepared: thinking of a plan takes the database longer than carrying it out. Django's own cursors put
    # values into the text, so that each is another statement.
    from psycopg import Cursor  # noqa: PLC0415 - only where PostgreSQL is

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as own:
        own.execute(statement, values, prepare=True)
        return list(own.fetchall())


_DECISION = """
SELECT 'decision', d.imei, d.outcome, CAST(d.since AS TEXT), CAST(d.block_on AS TEXT), g.reasons,
  g.conditions, CAST(d.outcome_run_id AS TEXT),
  CASE WHEN d.outcome <> 'blocked' THEN '' ELSE (
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
  AND (p.state IN ({undecided}) OR p.state = 'upheld')
"""
"""Condition that does not count with whoever appealed, why not, the appeal."""

_OVERRIDE = """
SELECT 'override', 0, o.answer, CAST(o.until AS TEXT), NULL, NULL, NULL, NULL, NULL
FROM releases_override AS o WHERE o.begun_at <= {moment} AND o.until > {moment}
  AND (o.ended_at IS NULL OR o.ended_at > {moment}) AND (o.operator = '' OR {own_operator})
"""
"""What networks are told of all devices, and until when."""

_LET = """
SELECT 'let', x.imei, CAST(COUNT(*) AS TEXT),
  CAST(SUM(CASE WHEN x.operator = {code} THEN 1 ELSE 0 END) AS TEXT), NULL, NULL, NULL, NULL, NULL
FROM runs_excepted AS x WHERE x.imei {keys} AND x.ended_at IS NULL GROUP BY x.imei
"""
"""Lines that the run lets go on, and of them those of the caller's operator."""

_RUN = """
SELECT 'run', 0, CAST(r.keeps_lines AS TEXT), CASE WHEN {outright} THEN '1' ELSE '' END, NULL, NULL, NULL,
  NULL, NULL
FROM runs_head AS h JOIN runs_run AS r ON r.number = h.run_id
"""
"""Conditions that let lines go on, as JSON, and whether the caller's operator cannot hold exceptions."""

_REGISTERED = """
SELECT 'registered', i.imei, r.state, r.kind, CAST(r.begins_at AS TEXT), CAST(r.ends_at AS TEXT),
  CAST(r.id AS TEXT), NULL, NULL
FROM devices_identifier AS i JOIN registrations_registration AS r ON r.device_id = i.device_id
WHERE i.imei {keys} AND i.ended_at IS NULL AND r.state IN ({living})
  AND (r.ends_at IS NULL OR r.ends_at > {moment})
"""
"""State, kind, from, until, registration."""

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

_LISTED = {
    "undecided": ", ".join(f"'{state}'" for state in UNDECIDED),
    "living": ", ".join(f"'{state}'" for state in LIVING),
}
_POSTGRESQL = {
    "keys": "= ANY(CAST(%(keys)s AS BIGINT[]))",
    "tacs": "= ANY(CAST(%(tacs)s AS INTEGER[]))",
    "moment": "CAST(%(at)s AS TIMESTAMPTZ)",
    "organisation": "CAST(%(organisation)s AS BIGINT)",
    "at_operator": "(r.stages -> CAST(m.stage AS INTEGER) -> 'operators') @> to_jsonb({code})",
    "outright": "r.outright @> to_jsonb({code})",
}
_SQLITE = {
    "keys": "IN (SELECT value FROM json_each(%(keys)s))",
    "tacs": "IN (SELECT value FROM json_each(%(tacs)s))",
    "moment": "%(at)s",
    "organisation": "%(organisation)s",
    "at_operator": "EXISTS (SELECT 1 FROM json_each(r.stages, '$[' || m.stage || '].operators') AS j "
    "WHERE j.value = {code})",
    "outright": "EXISTS (SELECT 1 FROM json_each(r.outright) AS j WHERE j.value = {code})",
}
# For one identity the plan is always the same, so that the database soon stops thinking about it.
_ONE = {
    "postgresql": {"keys": "= CAST(%(keys)s AS BIGINT)", "tacs": "= CAST(%(tacs)s AS INTEGER)"},
    "sqlite": {"keys": "= %(keys)s", "tacs": "= %(tacs)s"},
}
_CODE = "(SELECT n.code FROM organisations_organisation AS n WHERE n.id = {organisation})"


@cache
def _text(vendor: str, parts: tuple[str, ...], one: bool) -> bytes:
    """The parts as one statement in a database's own words."""
    words = _POSTGRESQL if vendor == "postgresql" else _SQLITE
    code = _CODE.format(organisation=words["organisation"])
    if vendor == "postgresql":
        code = f"CAST({code} AS TEXT)"
    more = {
        **words,
        **(_ONE[vendor] if one else {}),
        **_LISTED,
        "code": code,
        "at_operator": words["at_operator"].format(code=code),
        "outright": words["outright"].format(code=code),
        "own_operator": f"o.operator = {code}",
    }
    return "UNION ALL".join(part.format(**more) for part in parts).encode()


def _statement(parts: tuple[str, ...], *, one: bool) -> bytes:
    return _text(connection.vendor, parts, one)


def _list(values: Collection[int]) -> Any:
    found = sorted(values)
    return found if connection.vendor == "postgresql" else json.dumps(found)
