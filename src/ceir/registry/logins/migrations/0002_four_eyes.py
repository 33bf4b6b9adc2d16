from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("logins", "0001_initial"),
    ]

    operations = [
        # What was linked before goes on letting in; what is linked from now on waits for a second person.
        migrations.AddField(
            model_name="identity",
            name="agreed",
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name="identity",
            name="agreed",
            field=models.BooleanField(
                default=False, help_text="A second person agreed; before that it lets nobody in."
            ),
        ),
    ]
