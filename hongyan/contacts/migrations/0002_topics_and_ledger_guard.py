from django.db import migrations

TOPICS = [
    ("newsletter", "资讯通讯", "Newsletter", "定期的新闻与故事", "News and stories at regular times", "commercial"),
    (
        "promotion",
        "优惠活动",
        "Promotions",
        "折扣、新品与限时活动",
        "Discounts, new goods and limited offers",
        "commercial",
    ),
    ("product_update", "产品更新", "Product updates", "新功能与改进", "New features and improvements", "commercial"),
    ("greeting", "节日与生日问候", "Greetings", "生日与节日的祝福", "Birthdays and holidays", "commercial"),
    (
        "care",
        "客户关怀",
        "Customer care",
        "使用建议与满意度回访",
        "Advice and questions after a purchase",
        "relationship",
    ),
    (
        "service_reminder",
        "服务提醒",
        "Service reminders",
        "到期、续约与预约提醒",
        "Renewals, due dates, appointments",
        "transactional",
    ),
]

GUARD = """
CREATE FUNCTION contacts_ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasure alone may shrink a record to its pseudonym; it says so for the length of its transaction.
    IF TG_OP = 'UPDATE' AND current_setting('hongyan.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the consent ledger is only added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consent_ledger_guard BEFORE UPDATE OR DELETE ON contacts_consentrecord
    FOR EACH ROW EXECUTE FUNCTION contacts_ledger_guard();
CREATE TRIGGER consent_ledger_guard_truncate BEFORE TRUNCATE ON contacts_consentrecord
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_ledger_guard();
"""
UNGUARD = """
DROP TRIGGER consent_ledger_guard_truncate ON contacts_consentrecord;
DROP TRIGGER consent_ledger_guard ON contacts_consentrecord;
DROP FUNCTION contacts_ledger_guard();
"""


def seed(apps, schema_editor):
    topic = apps.get_model("contacts", "Topic")
    for position, (key, name_zh, name_en, about_zh, about_en, legal_class) in enumerate(TOPICS):
        topic.objects.get_or_create(
            key=key,
            defaults={
                "name_zh": name_zh,
                "name_en": name_en,
                "about_zh": about_zh,
                "about_en": about_en,
                "legal_class": legal_class,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_people_consent_and_suppression")]
    operations = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
