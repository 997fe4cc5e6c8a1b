from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0005_write_key_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="intakerequest",
            name="checked",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
