from django.db import migrations

from hongyan.contacts.touched import Kind, triggers


class Migration(migrations.Migration):
    dependencies = [("audience", "0003_standing_and_rule_tags"), ("contacts", "0008_change_log")]
    operations = [
        migrations.RunSQL(*triggers("audience_lifecycle", Kind.STANDING)),
        migrations.RunSQL(*triggers("audience_rfm", Kind.STANDING)),
    ]
