from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Hit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.SmallIntegerField(choices=[(1, "Open"), (2, "Click")])),
                ("message_id", models.BigIntegerField()),
                ("month", models.DateField()),
                ("link", models.IntegerField(null=True)),
                ("user_agent", models.TextField(default="")),
                ("digested", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["message_id", "at"], name="edge_hit_message"),
                    models.Index(condition=models.Q(digested=False), fields=["id"], name="edge_hit_waiting"),
                ]
            },
        ),
    ]
