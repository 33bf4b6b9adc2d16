"""A register of a country, made up inside PostgreSQL: devices, registrations, decisions, cases."""

from typing import Any

from django.db import connection, models

STEP = 37
"""Between two IMEIs, so that they spread over TACs."""

FIRST = 35_000_000_000_000
IMEI = f"{FIRST} + n::bigint * {STEP}"
PEOPLE = 1000
ONE, TWO, STATION = 901, 902, 903
"""Organisations."""


def fill(devices: int, cases: int) -> None:
    """Fill every table that a status looks at.

    Of the devices each is registered and seen; one of 20 has a decision, of which half are blocked and out;
    one of 50 is paired; the cases are of every seventh device, in three states.
    """
    from django.apps import apps

    def of(label: str) -> type[models.Model]:
        return apps.get_model(label)

    with connection.cursor() as cursor:
        # No constraint is looked up for rows of our own making.
        cursor.execute("SET session_replication_role = replica")
        for key, kind in ((ONE, "operator"), (TWO, "operator"), (STATION, "police")):
            put(cursor, of("organisations.Organisation"), "", id=key, kind=f"'{kind}'", name=f"'o{key}'",
                code=f"'operator{key}'", active="true")  # fmt: skip
        people = f"generate_series(1, {PEOPLE})"
        put(cursor, of("subscribers.Person"), people, id="n")
        put(cursor, of("subscribers.Line"), people, id="n", person_id="n", ended_at="now()")
        put(cursor, of("subscribers.Sim"), people, line_id="n", operator_id=f"{ONE} + n % 2",
            imsi="''::bytea", imsi_key="decode(md5(n::text), 'hex')",
            ended_at="NULL::timestamptz")  # fmt: skip
        put(cursor, of("references.TacRecord"),
            f"(SELECT DISTINCT ({IMEI}) / 1000000 AS n FROM generate_series(0, {devices}, 1000) AS n)",
            tac="n", manufacturer="'Maker'", model_name="'Model ' || n % 500",
            device_type="CASE WHEN n % 9 = 0 THEN 'Module' ELSE 'Smartphone' END")  # fmt: skip
        every = f"generate_series(1, {devices})"
        put(cursor, of("registrations.Submission"), "", id=1, kind="'import'")
        put(cursor, of("devices.Device"), every, id="n", manufacturer="'Maker'", model="'Model'")
        put(cursor, of("devices.Identifier"), every, device_id="n", kind="'imei'", slot=1, imei=IMEI)
        put(cursor, of("registrations.Registration"), every, submission_id=1, device_id="n", kind="'import'",
            organisation_id=ONE, state="'in_force'", begins_at="now()")  # fmt: skip
        put(cursor, of("references.Observed"), every, imei=IMEI)
        put(cursor, of("runs.Run"), "", number=1, country="'Examplia'", whole="true")
        put(cursor, of("runs.Grounds"), "generate_series(1, 5)", id="n", digest="decode(md5(n::text), 'hex')",
            reasons="'Seen at two places at once|Never allocated'",
            conditions="'clone|unallocated'")  # fmt: skip
        put(cursor, of("runs.Decision"), f"generate_series(20, {devices}, 20)", imei=IMEI,
            outcome="CASE n % 40 WHEN 0 THEN 'blocked' ELSE 'notified' END", block_on="'2026-12-01'::date",
            grounds_id="1 + n % 5", run_id=1, outcome_run_id=1)  # fmt: skip
        put(cursor, of("releases.Release"), "", id=1, run_id=1, by_operator="false", state="'done'",
            stages="'[{\"buckets\": 1000000, \"days\": 1, \"operators\": []}]'::jsonb")  # fmt: skip
        put(cursor, of("releases.Member"), f"generate_series(40, {devices}, 40)", release_id=1, imei=IMEI,
            blocked_run=1, stage=0, everywhere="true", moved_at="now()")  # fmt: skip
        put(cursor, of("pairings.Pairing"), f"generate_series(50, {devices}, 50)", imei=IMEI,
            line_id=f"1 + n % {PEOPLE}", place=1, ground="'code'", state="'in_force'")  # fmt: skip
        lost = f"generate_series(1, {cases})"
        put(cursor, of("cases.Case"), lost, id="n", loss="'stolen'", mode="'block'",
            state="CASE n % 3 WHEN 0 THEN 'blocked' WHEN 1 THEN 'restored' ELSE 'reported' END",
            reporter="'police'", organisation_id=STATION, police_id=STATION,
            block_proposal="CASE n % 3 WHEN 0 THEN 1 END",
            unblocking_tried_at="CASE n % 3 WHEN 0 THEN now() END",
            ended_at="CASE n % 3 WHEN 1 THEN now() END")  # fmt: skip
        put(cursor, of("cases.CaseIdentity"), lost, case_id="n", imei=f"{FIRST} + n::bigint * {STEP * 7}")
        put(cursor, of("appeals.Appeal"), f"generate_series(40, {devices}, 4000)", imei=IMEI,
            condition="'clone'", run=1, line_id=1, state="'upheld'", restored_at="now()")  # fmt: skip
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def put(cursor: Any, model: type[models.Model], rows: str, /, **given: Any) -> None:
    """Insert rows: what is not given is null, or empty where it may not be."""
    columns = {name: str(value) for name, value in given.items()}
    for field in model._meta.local_concrete_fields:
        needed = not field.null and not (field.primary_key and isinstance(field, models.AutoField))
        if field.column not in columns and needed:
            columns[field.column] = _empty(field)
    source = f" FROM {rows} AS {'made' if rows.startswith('(') else 'n'}" if rows else ""
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())}{source}"
    )


def _empty(field: Any) -> str:
    if isinstance(field, models.DateTimeField):
        return "now()"
    for kind, sql in (
        (models.DateField, "'2026-10-01'::date"),
        (models.BooleanField, "false"),
        (models.BinaryField, "''::bytea"),
        (models.JSONField, "'[]'::jsonb"),
        (models.CharField, "''"),
        (models.TextField, "''"),
    ):
        if isinstance(field, kind):
            return sql
    return "0"
