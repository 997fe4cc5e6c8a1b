"""No table about a person goes unclaimed, and an export leaves nothing out."""

from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.db import connection

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, contact_actor, system_actor
from hongyan.audit.models import AuditEntry
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.privacy import export
from hongyan.contacts.services import contact_create
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import ContactValues, SuppressionReason
from tests.contacts.signups import ACTOR, sign_up, signup_form

pytestmark = pytest.mark.django_db


def claimed() -> set[str]:
    """Tables that some room's privacy.py names."""
    tables: set[str] = set()
    for config in apps.get_app_configs():
        name = f"{config.name}.privacy"
        if config.name.startswith("hongyan.") and find_spec(name):
            room = import_module(name)
            tables |= set(getattr(room, "TABLES_ABOUT_PEOPLE", ()))
            tables |= {apps.get_model(label)._meta.db_table for label in getattr(room, "HOLDS_PEOPLE", ())}
    return tables


def about_contacts() -> set[str]:
    """Tables of the database, partitions by their parent, with a column for a contact; whatever made them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped "
            "AND (a.attname IN ('contact_id', 'contact_public_id') OR EXISTS (SELECT 1 FROM pg_constraint k "
            "WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = 'contacts_contact'::regclass))"
        )
        found = {row[0] for row in cursor.fetchall()}
    for model in apps.get_models():
        pointing = any(field.remote_field and field.remote_field.model is Contact for field in model._meta.fields)
        if pointing or any(field.column == "contact_id" for field in model._meta.concrete_fields):
            found.add(model._meta.db_table)
    return found


def test_every_table_about_a_person_is_claimed() -> None:
    found = about_contacts()
    assert {"contacts_identifier", "delivery_message", "events_event", "audience_contacttag"} <= found
    assert found - claimed() == set()


def test_what_is_claimed_exists() -> None:
    assert claimed() - set(connection.introspection.table_names()) == set()


def test_an_export_tells_everything() -> None:
    field_create(actor=ACTOR, key="level", label_zh="等级", label_en="Level", type="text")
    field_create(actor=ACTOR, key="allergy", label_zh="过敏", label_en="Allergy", type="text", sensitive=True)
    assert FieldDefinition.objects.count() == 2
    values = {
        "email": "li.na@example.com",
        "full_name": "李娜",
        "city": "上海",
        "custom.level": "gold",
        "custom.allergy": "nuts",
    }
    person = contact_create(actor=ACTOR, values=ContactValues(values), source="staff")
    sign_up(signup_form(), values={"phone": "13800138000"})
    suppress(actor=ACTOR, kind="email", value="li.na@example.com", reason=SuppressionReason.MANUAL, note="asked")

    told = export(actor=ACTOR, contact_id=person.pk)
    assert (told["identity"]["full_name"], told["identity"]["extra"]) == ("李娜", {"allergy": "nuts"})
    assert (told["profile"]["city"], told["custom_fields"]) == ("上海", {"level": "gold"})
    assert told["provenance"]["city"][0] == "staff"
    assert [row["kind"] for row in told["identifiers"]] == ["email"]
    assert [(row["topic__key"], row["state"]) for row in told["consent_now"]] == [("newsletter", "pending")]
    [entry] = told["consent_history"]
    assert (entry["action"], entry["evidence"]["ip"]) == ("requested", "203.0.113.7")
    assert [row["reason"] for row in told["suppressions"]] == ["manual"]
    assert told["confirmation_requests"][0]["typed"]["values"] == {"phone": "13800138000"}
    assert AuditEntry.objects.filter(action="contact.exported", subject_id=str(person.public_id)).count() == 1


def test_an_export_needs_its_permissions() -> None:
    person = contact_create(actor=ACTOR, values=ContactValues({"email": "a@example.com"}), source="staff")
    halves = [
        Actor(kind="user", id=1, label="x", permissions=frozenset({permission}))
        for permission in (Permission.CONTACT_EXPORT, Permission.CONTACT_IDENTITY)
    ]
    for actor in (contact_actor(), *halves):
        with pytest.raises(PermissionRefused):
            export(actor=actor, contact_id=person.pk)
    with pytest.raises(ContactNotFound):
        export(actor=system_actor("test"), contact_id=person.pk + 1)
