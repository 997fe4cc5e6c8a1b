import django.db.models.deletion
import hongyan.core.ids
from django.db import migrations, models


# Rows about people go with the contact, whoever deletes it. TagFlow counts what each statement did to the holders of a
# tag: at the time the tag was given, or now where it was taken. Moves of a merge (same tag, other contact) count nothing.
FORWARD = """
ALTER TABLE audience_lifecycle
    ADD CONSTRAINT lifecycle_contact FOREIGN KEY (contact_id) REFERENCES contacts_contact (id) ON DELETE CASCADE;
ALTER TABLE audience_rfm
    ADD CONSTRAINT rfm_contact FOREIGN KEY (contact_id) REFERENCES contacts_contact (id) ON DELETE CASCADE;
CREATE FUNCTION audience_tag_flow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audience_tagflow (tag_id, at, added, removed)
        SELECT tag_id, max(at), count(*), 0 FROM fresh GROUP BY tag_id, date_trunc('hour', at);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audience_tagflow (tag_id, at, added, removed)
        SELECT tag_id, now(), 0, count(*) FROM gone GROUP BY tag_id;
    ELSE
        WITH came AS (SELECT tag_id, count(*) AS n, max(at) AS at FROM fresh GROUP BY tag_id),
             went AS (SELECT tag_id, count(*) AS n FROM gone GROUP BY tag_id),
             latest AS (SELECT max(at) AS at FROM fresh)
        INSERT INTO audience_tagflow (tag_id, at, added, removed)
        SELECT tag_id, coalesce(came.at, latest.at), greatest(coalesce(came.n, 0) - coalesce(went.n, 0), 0),
               greatest(coalesce(went.n, 0) - coalesce(came.n, 0), 0)
          FROM came FULL JOIN went USING (tag_id) CROSS JOIN latest
         WHERE came.n IS DISTINCT FROM went.n;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tag_flow_in AFTER INSERT ON audience_contacttag REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION audience_tag_flow();
CREATE TRIGGER tag_flow_out AFTER DELETE ON audience_contacttag REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audience_tag_flow();
CREATE TRIGGER tag_flow_change AFTER UPDATE ON audience_contacttag REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION audience_tag_flow();
"""
BACKWARD = """
DROP FUNCTION audience_tag_flow() CASCADE;
ALTER TABLE audience_rfm DROP CONSTRAINT rfm_contact;
ALTER TABLE audience_lifecycle DROP CONSTRAINT lifecycle_contact;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0003_tags_and_lists_leave_a_touch"),
        ("contacts", "0007_references_checked_a_statement_at_a_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="StandingFlow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind", "day", "before", "after", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("stages", "Stages"), ("rfm", "Rfm")], max_length=8)),
                ("day", models.DateField()),
                ("before", models.CharField(max_length=32)),
                ("after", models.CharField(max_length=32)),
                ("contacts", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="StandingState",
            fields=[
                (
                    "kind",
                    models.CharField(
                        choices=[("stages", "Stages"), ("rfm", "Rfm")], max_length=8, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField(default=0)),
                ("computed_at", models.DateTimeField(null=True)),
                ("contacts", models.IntegerField(default=0)),
                ("seconds", models.FloatField(default=0)),
                ("problem", models.CharField(db_default="", default="", max_length=40)),
                ("data", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="TagFlow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tag_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("added", models.IntegerField(db_default=0, default=0)),
                ("removed", models.IntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.CreateModel(
            name="TagRule",
            fields=[
                (
                    "tag",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rule",
                        serialize=False,
                        to="audience.tag",
                    ),
                ),
                ("live", models.JSONField(null=True)),
                ("draft", models.JSONField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("applied_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(db_default="", default="", max_length=40)),
                ("actor_label", models.CharField(max_length=120)),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Lifecycle",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="contacts.contact",
                    ),
                ),
                ("stage", models.CharField(max_length=16)),
                ("since", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["stage", "contact"], name="lifecycle_of_stage")],
            },
        ),
        migrations.CreateModel(
            name="RFM",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="contacts.contact",
                    ),
                ),
                ("recency", models.SmallIntegerField()),
                ("frequency", models.SmallIntegerField()),
                ("monetary", models.SmallIntegerField()),
                ("tier", models.CharField(max_length=32)),
                ("scored_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["tier", "contact"], name="rfm_of_tier")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("frequency__range", (1, 5)), ("monetary__range", (1, 5)), ("recency__range", (1, 5))
                        ),
                        name="rfm_scores_one_to_five",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("stages", "Stages"), ("rfm", "Rfm")], max_length=8)),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("actor_label", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "number"), name="standing_rules_once")],
            },
        ),
        migrations.CreateModel(
            name="TagDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tag_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("added", models.IntegerField(db_default=0, default=0)),
                ("removed", models.IntegerField(db_default=0, default=0)),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="audience.tag",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RuleChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=hongyan.core.ids.uuid7, editable=False, unique=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("edit", "Edit"),
                            ("order", "Order"),
                            ("rest", "Rest"),
                            ("publish", "Publish"),
                            ("withdraw", "Withdraw"),
                        ],
                        max_length=12,
                    ),
                ),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("made_tag", models.CharField(db_default="", default="", max_length=64)),
                ("actor_label", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rule_changes", to="audience.taggroup"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["group", "-at"], name="rulechange_of_group")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
