from django.db import migrations

# Composite foreign keys keep the copies in ContactTag true: (tag, group) and (group, exclusive). Making a group exclusive
# cascades into ContactTag, where the partial unique index refuses while somebody holds two of its tags.
FORWARD = """
ALTER TABLE audience_contacttag
    ADD CONSTRAINT contacttag_contact FOREIGN KEY (contact_id) REFERENCES contacts_contact (id) ON DELETE CASCADE,
    ADD CONSTRAINT contacttag_tag FOREIGN KEY (tag_id, group_id)
        REFERENCES audience_tag (id, group_id) ON UPDATE CASCADE ON DELETE CASCADE,
    ADD CONSTRAINT contacttag_group FOREIGN KEY (group_id, exclusive)
        REFERENCES audience_taggroup (id, exclusive) ON UPDATE CASCADE;
ALTER TABLE audience_listmember
    ADD CONSTRAINT listmember_contact FOREIGN KEY (contact_id) REFERENCES contacts_contact (id) ON DELETE CASCADE;
ALTER TABLE audience_tagchangeitem
    ADD CONSTRAINT tagchangeitem_contact FOREIGN KEY (contact_id) REFERENCES contacts_contact (id) ON DELETE CASCADE;
"""
BACKWARD = """
ALTER TABLE audience_tagchangeitem DROP CONSTRAINT tagchangeitem_contact;
ALTER TABLE audience_listmember DROP CONSTRAINT listmember_contact;
ALTER TABLE audience_contacttag
    DROP CONSTRAINT contacttag_group, DROP CONSTRAINT contacttag_tag, DROP CONSTRAINT contacttag_contact;
"""


class Migration(migrations.Migration):
    dependencies = [("audience", "0001_tags_lists_and_saved_audiences")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
