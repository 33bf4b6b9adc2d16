"""The database refuses to change or delete entries, whoever asks; and the chain has its beginning."""

from django.db import migrations

_POSTGRESQL = (
    """
    CREATE FUNCTION audit_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'entries of the record are never changed or deleted'; END $$
    """,
    """
    CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_kept()
    """,
    """
    CREATE TRIGGER audit_entry_is_not_emptied BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_kept()
    """,
)
_SQLITE = tuple(
    f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'entries of the record are never changed or deleted'); END"
    for verb in ("UPDATE", "DELETE")
)


def keep(apps, schema_editor):
    """Set the triggers, and the head of an empty chain."""
    statements = {"postgresql": _POSTGRESQL, "sqlite": _SQLITE}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement)
    apps.get_model("audit", "Head").objects.create(pk=1, sequence=0, digest=bytes(32))


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(keep)]
