import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audience", "0005_population_files")]
    operations = [
        migrations.CreateModel(
            name="ReadyAudience",
            fields=[
                (
                    "audience",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ready",
                        serialize=False,
                        to="audience.savedaudience",
                    ),
                ),
                ("key", models.CharField(max_length=40)),
            ],
        ),
    ]
