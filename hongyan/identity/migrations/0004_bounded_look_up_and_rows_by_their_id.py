"""Looking up one new record must not depend on how many share its commonest key, nor on how many came just before."""

import django.contrib.postgres.indexes
from django.db import migrations, models

# For each key at most so many contacts are fetched, then ranked by how rare the keys are that they share. A sequential
# scan would seem cheap to the planner, since it believes that every key has a two-hundredth of the table.
# Without fastupdate every look-up would first read the list of what was written lately, once for each key.
FORWARD = """
CREATE FUNCTION identity_sharing(wanted bigint[], me bigint, block integer, most integer)
RETURNS TABLE (contact_id bigint) LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    WITH hits AS MATERIALIZED (
        SELECT t.token, found.contact_id
          FROM unnest(wanted) AS t (token)
         CROSS JOIN LATERAL (
            SELECT p.contact_id FROM identity_profile p
             WHERE p.tokens @> ARRAY[t.token] AND p.contact_id <> me LIMIT block) found
    ), sizes AS (
        SELECT token, count(*) AS contacts FROM hits GROUP BY token
    )
    SELECT hits.contact_id FROM hits JOIN sizes USING (token)
     GROUP BY hits.contact_id
     ORDER BY sum(1000000 / sizes.contacts) DESC, hits.contact_id
     LIMIT most
$$;
ALTER INDEX identity_profile_tokens SET (fastupdate = off);
SELECT gin_clean_pending_list('identity_profile_tokens');
"""
BACKWARD = """
ALTER INDEX identity_profile_tokens RESET (fastupdate);
DROP FUNCTION identity_sharing(bigint[], bigint, integer, integer);
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_how_common_values_are")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.RemoveIndex("profile", "identity_profile_tokens"),
                migrations.AddIndex(
                    "profile",
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["tokens"], name="identity_profile_tokens"
                    ),
                ),
            ],
        ),
        migrations.AddField("sourcerecord", "named", models.BinaryField(max_length=16, null=True)),
        migrations.AddIndex(
            "sourcerecord",
            models.Index(condition=models.Q(("named__isnull", False)), fields=["named"], name="source_record_named"),
        ),
        migrations.AddIndex(
            "sourcerecord",
            models.Index(condition=models.Q(("named__isnull", True)), fields=["id"], name="source_record_unnamed"),
        ),
    ]
