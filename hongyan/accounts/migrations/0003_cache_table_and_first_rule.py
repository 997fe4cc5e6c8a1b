"""Sign-in throttling counts in the database cache; sends to 500 people or more need a second pair of eyes."""

from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    call_command("createcachetable", "core_cache", database=schema_editor.connection.alias, verbosity=0)


def first_rule(apps, schema_editor):
    apps.get_model("accounts", "ApprovalRule").objects.create(kind="audience_size", min_size=500, approvers=1)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_approvals_keys_links_and_views")]
    operations = [
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
        migrations.RunPython(first_rule, migrations.RunPython.noop),
    ]
