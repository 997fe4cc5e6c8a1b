import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audience", "0007_suggestions_of_audiences")]
    operations = [
        migrations.AlterField(
            model_name="member",
            name="contact",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="contacts.contact",
            ),
        ),
        migrations.AddIndex(
            model_name="member", index=models.Index(fields=["contact", "audience"], name="member_of_contact")
        ),
    ]
