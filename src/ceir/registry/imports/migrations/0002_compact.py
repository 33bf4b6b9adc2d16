"""On SQLite the sealed lists lie in the tree of their key: a third of the room of a table with an index."""

from django.db import migrations


def compact(apps, schema_editor):  # noqa: ARG001 - Django's signature
    """Make the table, which is empty, anew."""
    if schema_editor.connection.vendor != "sqlite":
        return
    schema_editor.execute("DROP TABLE imports_sealedimei")
    schema_editor.execute(
        "CREATE TABLE imports_sealedimei (imei bigint NOT NULL, line integer NOT NULL,"
        " consignment_id integer NOT NULL, PRIMARY KEY (imei, consignment_id)) WITHOUT ROWID"
    )


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial")]
    operations = [migrations.RunPython(compact, migrations.RunPython.noop)]
