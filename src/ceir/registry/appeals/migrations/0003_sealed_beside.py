from django.db import migrations, models

from ceir.registry.personal.fields import EncryptedField, KeyedField

CLEAR = (("appeal", "why"), ("appeal", "asked_for"), ("evidence", "reference"), ("evidence", "remark"))


class Migration(migrations.Migration):
    """What people wrote goes into encrypted columns, first beside those in clear."""

    dependencies = [("appeals", "0002_initial")]

    operations = [
        *(migrations.RenameField(model, name, f"{name}_clear") for model, name in CLEAR),
        *(
            migrations.AddField(model, name, EncryptedField(label=f"{model}.{name}", null=True))
            for model, name in CLEAR
        ),
        migrations.AddField("appeal", "number_key", KeyedField(label="msisdn", null=True)),
        migrations.AddField("evidence", "number_key", KeyedField(label="msisdn", null=True)),
        migrations.AddField(
            "appeal",
            "theft",
            models.CharField(
                choices=[("none", "none"), ("here", "here"), ("abroad", "abroad")],
                default="none",
                help_text="Whether the condition rests on a report of theft or loss.",
                max_length=6,
            ),
        ),
        migrations.AddField(
            "appeal",
            "overdue_at",
            models.DateTimeField(help_text="Since when it should have been decided.", null=True),
        ),
        migrations.AddField(
            "appeal",
            "whole_identity",
            models.BooleanField(
                default=False,
                help_text="The condition counts against nobody with this identity while restored.",
            ),
        ),
        migrations.AlterField(
            "appeal",
            "decide_by",
            models.DateTimeField(
                help_text="Undecided then, the device works again with who appeals, unless reported stolen here."
            ),
        ),
    ]
