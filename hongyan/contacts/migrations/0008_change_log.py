"""The change log: which contacts each writing statement touched. docs/decisions/0010.

The arrays are never compressed: they live for minutes, and compressing them would cost the writer more than writing them.
"""

from django.db import migrations, models
from django.db.models.functions import Now

from hongyan.contacts.touched import Kind, triggers

LOG = """
CREATE TABLE contacts_touched (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    contact_ids bigint[] NOT NULL,
    company_ids bigint[],
    PRIMARY KEY (tx, id)
);
ALTER TABLE contacts_touched ALTER COLUMN contact_ids SET STORAGE EXTERNAL;

-- Foreign keys that cascade run a statement for each row above, mostly without rows of their own: those leave nothing.
CREATE FUNCTION contacts_touch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT contact_id) INTO ids FROM fresh WHERE contact_id IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT contact_id) INTO ids FROM gone WHERE contact_id IS NOT NULL;
    ELSE
        SELECT array_agg(DISTINCT contact_id) INTO ids
          FROM (SELECT contact_id FROM gone UNION ALL SELECT contact_id FROM fresh) AS both_of_them
         WHERE contact_id IS NOT NULL;
    END IF;
    IF ids IS NOT NULL THEN
        INSERT INTO contacts_touched (kind, contact_ids) VALUES (TG_ARGV[0], ids);
    END IF;
    RETURN NULL;
END $$;

-- A writer that changes nothing but when people were last active says so in this setting (ingest's intake): it is by far
-- the most frequent change, and few questions ask for it.
CREATE FUNCTION contacts_touch_contact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT array_agg(id) INTO ids FROM gone;
    ELSE
        SELECT array_agg(id) INTO ids FROM fresh;
    END IF;
    IF ids IS NOT NULL THEN
        INSERT INTO contacts_touched (kind, contact_ids) VALUES (
            CASE WHEN TG_OP = 'UPDATE' AND current_setting('hongyan.touching', true) = 'activity'
                 THEN 'activity' ELSE TG_ARGV[0] END,
            ids
        );
    END IF;
    RETURN NULL;
END $$;

-- The company and not its people: somebody who joins it in a transaction that is not committed yet could not be listed
-- here, so whoever reads the log looks up whose company it is.
CREATE FUNCTION contacts_touch_company() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(id) INTO ids FROM fresh;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(id) INTO ids FROM gone;
    END IF;
    IF ids IS NOT NULL THEN
        INSERT INTO contacts_touched (kind, contact_ids, company_ids) VALUES (TG_ARGV[0], '{}', ids);
    END IF;
    RETURN NULL;
END $$;
"""
NO_LOG = """
DROP FUNCTION contacts_touch_company();
DROP FUNCTION contacts_touch_contact();
DROP FUNCTION contacts_touch();
DROP TABLE contacts_touched;
"""
HANGING = (
    triggers("contacts_contact", Kind.CONTACT, column="id"),
    triggers("contacts_consentstate", Kind.CONSENT),
    triggers("contacts_company", Kind.COMPANY, column="company"),
    triggers("contacts_objectrecord", Kind.OBJECT),
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_references_checked_a_statement_at_a_time")]
    operations = [
        migrations.RunSQL(LOG, NO_LOG),
        *(migrations.RunSQL(make, drop) for make, drop in HANGING),
        migrations.CreateModel(
            name="TouchedReader",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tx", models.BigIntegerField(default=0)),
                ("touched_id", models.BigIntegerField(default=0)),
                ("moved_at", models.DateTimeField(db_default=Now())),
            ],
        ),
    ]
