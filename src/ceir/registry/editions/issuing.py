"""Issuing editions, and reading them: whole, or what changed since an earlier one."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from ceir.identifiers import normalise_imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.editions.excepting import issue_exceptions
from ceir.registry.editions.models import Edition, ExceptionEdition, ListEntry
from ceir.registry.editions.numbering import KEPT, EditionGoneError, NoEditionError
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.organisations.models import Organisation
from ceir.registry.pairings.standing import cannot_hold_exceptions, excepted_equipment
from ceir.registry.releases.models import Step
from ceir.registry.releases.outgoing import Listed, held_back, released
from ceir.registry.releases.overriding import in_force
from ceir.registry.runs import loading
from ceir.registry.runs.models import Decision, Head, Outcome

HEADER = "imei,status,since,block_date,reasons\n"
CHANGES_HEADER = f"change,{HEADER}"
_LINES = 2000
_SAME = (
    "s.imei = editions_listentry.imei AND s.status = editions_listentry.status "
    "AND s.since = editions_listentry.since AND s.reasons = editions_listentry.reasons "
    "AND COALESCE(CAST(s.block_on AS TEXT), '') = COALESCE(CAST(editions_listentry.block_on AS TEXT), '')"
)
_COLUMNS = "imei, text, status, since, block_on, reasons"
_AT = "{0}.first <= %s AND ({0}.ended IS NULL OR {0}.ended > %s)"


def issue(operator: str, *, actor: Actor, at: datetime) -> Edition | None:
    """Make an edition of an operator's lists if they changed since the last one; and first of its exceptions,
    in the same transaction: no block goes out before them.

    Args:
        operator: its code; empty: what holds at all operators.

    Returns: the new edition; None: nothing changed, or no run was taken over yet.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.RELEASE_READ)
    with transaction.atomic():
        head = Head.objects.select_for_update().filter(pk=1).first()
        if head is None or head.run is None:
            return None
        basis = _basis(operator, head.run.number, at)
        last = Edition.objects.filter(operator=operator).order_by("-sequence").first()
        if last is not None and last.basis == basis:
            return None
        sequence = last.sequence + 1 if last else 1
        if not _merge(operator, sequence, at) and last is not None:
            Edition.objects.filter(pk=last.pk).update(basis=basis)
            return None
        rows, blocked, sha256 = _counted(operator, sequence)
        issue_exceptions(operator, actor=actor, at=at)
        excepted = ExceptionEdition.objects.filter(operator=operator).aggregate(last=Max("sequence"))["last"]
        made = Edition.objects.create(
            operator=operator, sequence=sequence, run=head.run.number, as_of=head.run.as_of, made_at=at,
            rows=rows, blocked=blocked, sha256=sha256, exceptions=excepted or 0, basis=basis,
        )  # fmt: skip
        record(actor, "outgoing.issued", f"edition:{operator or 'all'}:{sequence}", at=at,
               detail={"rows": rows, "sha256": sha256})  # fmt: skip
    return made


def issue_all(*, actor: Actor, at: datetime) -> int:
    """Editions for every operator and for all together. Returns: how many are new."""
    codes = Organisation.objects.filter(kind=OrganisationKind.OPERATOR.value, active=True)
    return sum(
        issue(code, actor=actor, at=at) is not None
        for code in ("", *codes.order_by("code").values_list("code", flat=True))
        if len(code) <= 16
    )


def operator_for(actor: Actor, asked: str) -> str:
    """Whose lists an actor is given: an operator its own, the regulator those it names.

    Raises:
        PermissionDeniedError: the actor may not see runs.
    """
    require(actor, Permission.RUN_READ)
    if actor.acts_as is not Role.OPERATOR:
        return asked
    return Organisation.objects.values_list("code", flat=True).get(pk=actor.organisation or 0)


def current(operator: str) -> Edition:
    """The newest edition.

    Raises:
        NoEditionError: there is none.
    """
    found = Edition.objects.filter(operator=operator).order_by("-sequence").first()
    if found is None:
        raise NoEditionError("No lists were issued yet.", "They are issued once a run was taken over.")
    return found


def whole(edition: Edition) -> Iterator[bytes]:
    """The list, as CSV, sorted by identity; malformed ones first."""
    yield HEADER.encode()
    yield from _text(_stream_whole(edition.operator, edition.sequence), changes=False)


def changes(edition: Edition, since: int) -> Iterator[bytes]:
    """What is to be done with the list of an earlier edition to have this one, as CSV.

    Raises:
        EditionGoneError: the earlier one is not known (any more).
    """
    if since not in (edition.sequence, 0):
        if not Edition.objects.filter(operator=edition.operator, sequence=since).exists():
            raise EditionGoneError(f"What changed since edition {since} is not kept.", "Get the whole list.")
        if since > edition.sequence:
            raise EditionGoneError(f"There is no edition {since} yet.", "Get the whole list.")
    return _changes(edition, since)


def forget(at: datetime) -> int:
    """Remove old editions and what only they had. Returns: editions removed."""
    removed = 0
    for operator, newest in Edition.objects.values_list("operator").annotate(Max("sequence")).order_by():
        with transaction.atomic():
            old = Edition.objects.filter(operator=operator, made_at__lte=at - KEPT, sequence__lt=newest)
            last = old.aggregate(last=Max("sequence"))["last"]
            if last is not None:
                ListEntry.objects.filter(operator=operator, ended__lte=last + 1).delete()
                removed += old.delete()[0]
    return removed


def _changes(edition: Edition, since: int) -> Iterator[bytes]:
    yield CHANGES_HEADER.encode()
    to, operator = edition.sequence, edition.operator
    now, before = _AT.format("n"), _AT.format("b")
    sql = (
        "SELECT CASE WHEN b.imei IS NULL THEN 'added' ELSE 'changed' END AS change, n.imei, n.text, "
        "n.status, n.since, n.block_on, n.reasons FROM editions_listentry AS n "
        f"LEFT JOIN editions_listentry AS b ON b.operator = n.operator AND b.imei = n.imei AND {before} "
        f"WHERE n.operator = %s AND n.first > %s AND {now} AND (b.imei IS NULL OR b.status <> n.status "
        "OR b.since <> n.since OR b.reasons <> n.reasons "
        "OR COALESCE(CAST(b.block_on AS TEXT), '') <> COALESCE(CAST(n.block_on AS TEXT), '')) "
        "UNION ALL SELECT 'removed', b.imei, b.text, b.status, b.since, b.block_on, b.reasons "
        f"FROM editions_listentry AS b WHERE b.operator = %s AND b.ended > %s AND {before} "
        "AND NOT EXISTS (SELECT 1 FROM editions_listentry AS n WHERE n.operator = b.operator "
        f"AND n.imei = b.imei AND {now}) ORDER BY 2"
    )
    values = (since, since, operator, since, to, to, operator, since, since, since, to, to)
    yield from _text(loading.stream(sql, values), changes=True)


def _stream_whole(operator: str, sequence: int) -> Iterator[tuple[Any, ...]]:
    at = _AT.format("e")
    yield from loading.stream(
        f"SELECT '', e.imei, e.text, e.status, e.since, e.block_on, e.reasons FROM editions_listentry AS e "
        f"WHERE e.operator = %s AND {at} ORDER BY e.imei",
        (operator, sequence, sequence),
    )


def _text(rows: Iterator[tuple[Any, ...]], *, changes: bool) -> Iterator[bytes]:
    lines: list[str] = []
    for change, imei, text, status, since, block_on, reasons in rows:
        line = f"{text or f'{imei:014}'},{status},{since},{block_on or ''},{_field(reasons)}\n"
        lines.append(f"{change},{line}" if changes else line)
        if len(lines) >= _LINES:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _merge(operator: str, sequence: int, at: datetime) -> bool:
    """Make the entries those of now. Returns: whether anything changed."""
    loading.temporary(
        "staged_entry",
        "imei BIGINT, text VARCHAR(16), status VARCHAR(8), since DATE, block_on DATE, reasons TEXT",
    )
    # Read to the end before anything is loaded: one connection cannot do both at once.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        for row in _standing(operator, at):
            spool.write(json.dumps(row) + "\n")
        spool.seek(0)
        columns = ("imei", "text", "status", "since", "block_on", "reasons")
        loading.load("staged_entry", columns, (tuple(json.loads(line)) for line in spool))
    loading.analyse("staged_entry")
    ended = loading.execute(
        "UPDATE editions_listentry SET ended = %s WHERE operator = %s AND ended IS NULL "
        f"AND NOT EXISTS (SELECT 1 FROM staged_entry AS s WHERE {_SAME})",
        (sequence, operator),
    )
    begun = loading.execute(
        f"INSERT INTO editions_listentry (operator, {_COLUMNS}, first) "
        "SELECT %s, s.imei, s.text, s.status, s.since, s.block_on, s.reasons, %s FROM staged_entry AS s "
        "WHERE NOT EXISTS (SELECT 1 FROM editions_listentry AS e "
        "WHERE e.operator = %s AND e.imei = s.imei AND e.ended IS NULL)",
        (operator, sequence, operator),
    )
    loading.drop("TABLE staged_entry")
    if ended or begun:
        loading.analyse("editions_listentry")
    return bool(ended or begun)


def _standing(operator: str, at: datetime) -> Iterator[tuple[Any, ...]]:
    """What stands on the lists now; while an override is in force, nothing."""
    if in_force(at, operator) is not None:
        return
    for listed in released(at, operator):
        yield _row(listed, "blocked")
    for listed in held_back(at, operator):
        yield _row(listed, "tracked")
    watched = Decision.objects.filter(outcome__in=(Outcome.TRACKED.value, Outcome.NOTIFIED.value))
    rows = watched.values_list("imei", "text", "since", "block_on", "grounds__reasons").order_by("imei")
    for imei, text, since, block_on, reasons in rows.iterator(chunk_size=10_000):
        day = block_on.isoformat() if block_on else None
        yield imei, text, "tracked", since.isoformat(), day, reasons


def _row(listed: Listed, status: str) -> tuple[Any, ...]:
    identity = normalise_imei(listed.identity)
    assert identity is not None, "a decision is of an identity"
    stored = StoredIdentity.of(identity)
    return stored.key, stored.malformed, status, listed.since, listed.block_on or None, listed.reasons


def _counted(operator: str, sequence: int) -> tuple[int, int, str]:
    digest = hashlib.sha256(HEADER.encode())
    for some in _text(_stream_whole(operator, sequence), changes=False):
        digest.update(some)
    standing = ListEntry.objects.filter(operator=operator, ended=None)
    return standing.count(), standing.filter(status="blocked").count(), digest.hexdigest()


def _basis(operator: str, run: int, at: datetime) -> str:
    """What lists are made from: the run, what releases did, whether an override is in force, and where no
    exceptions can be held what is excepted."""
    override = in_force(at, operator)
    step = Step.objects.aggregate(last=Max("pk"))["last"] or 0
    basis = f"run {run}, step {step}, override {override.pk if override else 0}"
    if cannot_hold_exceptions(operator):
        excepted = ",".join(map(str, sorted(excepted_equipment(at))))
        basis += f", excepted {hashlib.sha256(excepted.encode()).hexdigest()}"
    return basis
