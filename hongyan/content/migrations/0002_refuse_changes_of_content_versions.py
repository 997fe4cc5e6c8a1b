"""What was approved and sent must stay what it was: PostgreSQL itself refuses to change a content version."""

from django.db import migrations

COLUMNS = (
    "sha256, kind, language, mail_type, subject, preheader, source, text_source, fallbacks, utm_campaign, "
    "compiled_subject, compiled_html, compiled_text, variables, required, replaced, links"
)

FORWARD = f"""
CREATE FUNCTION content_version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a content version cannot be changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER content_version_is_final BEFORE UPDATE OF {COLUMNS} ON content_contentversion
    FOR EACH ROW EXECUTE FUNCTION content_version_is_final();
"""
BACKWARD = """
DROP TRIGGER content_version_is_final ON content_contentversion;
DROP FUNCTION content_version_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0001_template_history_and_content_versions")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
