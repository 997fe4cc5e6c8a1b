"""References from identifiers and consents to contacts and topics, checked once a statement.

PostgreSQL's own foreign keys run a query for every row: 19 of the 88 µs of CPU that its server took for an imported
person. These triggers ask the same of all rows of a statement at once, with the same locks (FOR KEY SHARE on what is
referred to; a fresh look at what refers after a deletion), so two transactions cannot part a row from what it refers to.
docs/decisions/0006.
"""

import django.db.models.deletion
from django.db import migrations, models

# hashjoin, mergejoin and seqscan are off because the plan is kept for the session: made when the table was empty it
# would read all of it for every statement later.
_FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    wanted bigint;
    present bigint;
BEGIN
{body}
    RETURN NULL;
END $$;
"""
_REFERENCE = """
    SELECT count(DISTINCT fresh.{column}) INTO wanted FROM fresh;
    SELECT count(*) INTO present FROM (
        SELECT 1 FROM (SELECT DISTINCT fresh.{column} AS id FROM fresh WHERE fresh.{column} IS NOT NULL) AS named
          JOIN {table} AS target ON target.id = named.id
           FOR KEY SHARE OF target
    ) AS locked;
    IF present < wanted THEN
        RAISE EXCEPTION '% refers to rows of {table} that are not there', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', TABLE = TG_TABLE_NAME;
    END IF;
"""
_REFERRED = """
    IF EXISTS (SELECT 1 FROM gone JOIN {table} AS child ON child.{column} = gone.id) THEN
        RAISE EXCEPTION 'rows of {table} still refer to what is deleted from %', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', TABLE = '{table}';
    END IF;
"""


def _contact_of(table: str) -> str:
    return "".join(
        f"CREATE TRIGGER contact_exists_on_{event.lower()} AFTER {event} ON {table} REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION contacts_contact_exists();\n"
        for event in ("INSERT", "UPDATE")
    )


def _topic_of(table: str) -> str:
    return "".join(
        f"CREATE TRIGGER topic_exists_on_{event.lower()} AFTER {event} ON {table} REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION contacts_topic_exists();\n"
        for event in ("INSERT", "UPDATE")
    )


CHECKS = (
    _FUNCTION.format(
        name="contacts_contact_exists", body=_REFERENCE.format(column="contact_id", table="contacts_contact")
    )
    + _FUNCTION.format(name="contacts_topic_exists", body=_REFERENCE.format(column="topic_id", table="contacts_topic"))
    + _FUNCTION.format(
        name="contacts_contact_unreferred",
        body=_REFERRED.format(table="contacts_identifier", column="contact_id")
        + _REFERRED.format(table="contacts_consentstate", column="contact_id"),
    )
    + _FUNCTION.format(
        name="contacts_topic_unreferred",
        body=_REFERRED.format(table="contacts_consentrecord", column="topic_id")
        + _REFERRED.format(table="contacts_consentstate", column="topic_id"),
    )
    + _contact_of("contacts_identifier")
    + _contact_of("contacts_consentstate")
    + _topic_of("contacts_consentrecord")
    + _topic_of("contacts_consentstate")
    + """
CREATE TRIGGER contact_unreferred AFTER DELETE ON contacts_contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_contact_unreferred();
CREATE TRIGGER topic_unreferred AFTER DELETE ON contacts_topic REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_topic_unreferred();
"""
)
UNCHECKED = "".join(
    f"DROP FUNCTION {name}() CASCADE;\n"
    for name in (
        "contacts_contact_exists",
        "contacts_topic_exists",
        "contacts_contact_unreferred",
        "contacts_topic_unreferred",
    )
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0006_companies_objects_and_notes")]
    operations = [
        migrations.AlterField(
            "identifier",
            "contact",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="identifiers",
                to="contacts.contact",
            ),
        ),
        migrations.AlterField(
            "consentrecord",
            "topic",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="contacts.topic",
            ),
        ),
        migrations.AlterField(
            "consentstate",
            "contact",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="consents",
                to="contacts.contact",
            ),
        ),
        migrations.AlterField(
            "consentstate",
            "topic",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="contacts.topic",
            ),
        ),
        migrations.RunSQL(CHECKS, UNCHECKED),
    ]
