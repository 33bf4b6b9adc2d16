from typing import Any

from django.db import migrations


def seal(apps: Any, _schema_editor: Any) -> None:
    """Encrypt what stands in clear; what was restored before was so for everybody with the identity."""
    appeals, evidence = apps.get_model("appeals", "Appeal"), apps.get_model("appeals", "Evidence")
    for appeal in appeals.objects.select_related("line").iterator():
        appeal.why, appeal.asked_for = appeal.why_clear, appeal.asked_for_clear or None
        appeal.number_key = appeal.line.number_key
        appeal.whole_identity = appeal.restored_at is not None
        appeal.save()
    for one in evidence.objects.select_related("appeal").iterator():
        one.reference, one.remark = one.reference_clear, one.remark_clear or None
        one.number_key = one.appeal.number_key
        one.save()


class Migration(migrations.Migration):
    dependencies = [("appeals", "0003_sealed_beside")]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
