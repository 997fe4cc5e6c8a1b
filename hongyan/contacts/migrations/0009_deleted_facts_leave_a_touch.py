"""Facts that are deleted one by one or by age leave a touch: whose they were, their names, and when the newest was.

What was true only by them is true no longer, and nothing else would say so: readers of the fact log see what comes, not
what goes. One row a statement, as for every other table. A month that is dropped as a whole fires nothing, so only
months without facts may be dropped.
"""

from django.db import migrations

MAKE = """
ALTER TABLE contacts_touched ADD COLUMN event_names text[], ADD COLUMN events_until timestamptz;

CREATE FUNCTION contacts_touch_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contacts_touched (kind, contact_ids, event_names, events_until)
    SELECT TG_ARGV[0], array_agg(DISTINCT contact_id), array_agg(DISTINCT name), max(occurred_at)
      FROM gone WHERE contact_id IS NOT NULL
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER touched_on_delete AFTER DELETE ON events_event REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_touch_forgotten('forgotten');
"""
DROP = """
DROP TRIGGER touched_on_delete ON events_event;
DROP FUNCTION contacts_touch_forgotten();
DELETE FROM contacts_touched WHERE kind = 'forgotten';
ALTER TABLE contacts_touched DROP COLUMN event_names, DROP COLUMN events_until;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0008_change_log"), ("events", "0001_fact_log")]
    operations = [migrations.RunSQL(MAKE, DROP)]
