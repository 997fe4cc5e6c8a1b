from django.db import migrations, models

# Servers send what they kept for days, in batches: see write_keys.DEFAULT_RATES.
SERVERS = "UPDATE ingest_writekey SET rate_limit = 10000 WHERE kind = 'server'"


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0004_event_intake"),
    ]

    operations = [
        migrations.AddField(
            model_name="writekey",
            name="rate_limit",
            field=models.IntegerField(db_default=1000, default=1000),
        ),
        migrations.AddField(
            model_name="writekey",
            name="refused",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="writekey",
            name="refused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(SERVERS, migrations.RunSQL.noop),
    ]
