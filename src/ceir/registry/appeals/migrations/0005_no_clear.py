from django.db import migrations


class Migration(migrations.Migration):
    """The columns in clear go."""

    dependencies = [("appeals", "0004_seal")]

    operations = [
        migrations.RemoveField("appeal", "why_clear"),
        migrations.RemoveField("appeal", "asked_for_clear"),
        migrations.RemoveField("evidence", "reference_clear"),
        migrations.RemoveField("evidence", "remark_clear"),
    ]
