from django.db import migrations

from hongyan.contacts.touched import Kind, triggers


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0002_enforce_exclusive_groups_and_forget_erased_people"),
        ("contacts", "0008_change_log"),
    ]
    operations = [
        migrations.RunSQL(*triggers("audience_contacttag", Kind.TAG)),
        migrations.RunSQL(*triggers("audience_listmember", Kind.LIST)),
    ]
