"""Custom objects in the interface: defining, importing, listing, editing; and on the page of a person."""

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audit.models import AuditEntry
from hongyan.contacts.models import Contact, ObjectRecord, ObjectType
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.audience.factory import SYSTEM
from tests.web_contacts.test_timeline import signed_in

pytestmark = pytest.mark.django_db
FILE = (
    "编号,邮箱,课程名,进度,级别,证件号\n"
    "c-1,ada@example.com,Python 入门,40,初级,QX-99\n"
    "c-2,ADA@example.com,SQL,much,初级,\n"
    "c-3,nobody@example.com,Go,1,初级,\n"
    ",ada@example.com,Rust,1,初级,\n"
)


def define(client: Client, **changes: Any) -> Any:
    data = {
        "key": "course",
        "label_zh": "课程",
        "label_en": "Course",
        "icon": "book",
        "title_field": "name",
        "field_key": ["name", "progress", "level", "id_card", ""],
        "field_label_zh": ["课程名", "进度", "级别", "证件号", ""],
        "field_label_en": ["Name", "Progress", "Level", "Document", ""],
        "field_type": ["text", "number", "choice", "text", "text"],
        "field_options": ["", "", "basic=初级/Basic, advanced=高级/Advanced", "", ""],
        "field_currency": ["", "", "", "", ""],
        "field_sensitive": ["3"],
        **changes,
    }
    return client.post(reverse("contacts:object_type_create"), data)


def ada() -> Contact:
    return contact_create(
        actor=SYSTEM, values=ContactValues({"full_name": "Ada", "email": "ada@example.com"}), source="t"
    )


def test_a_kind_is_defined_and_a_mistake_shows_its_place() -> None:
    admin = signed_in(Role.ADMINISTRATOR)
    assert "No objects yet" in admin.get(reverse("contacts:object_types")).content.decode()
    refused = define(admin, field_type=["text", "number", "choice", "text", "text"], field_options=["", "", "", "", ""])
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.content.decode()
    assert not ObjectType.objects.exists()
    assert define(admin).status_code == 302
    kind = ObjectType.objects.get()
    assert [item["sensitive"] for item in kind.fields] == [False, False, False, True]
    shown = admin.get(reverse("contacts:object_type", args=["course"])).content.decode()
    assert "basic=初级/Basic" in shown
    admin.post(reverse("contacts:object_type_archiving", args=["course"]))
    assert "Archived" in admin.get(reverse("contacts:object_types")).content.decode()
    assert define(signed_in(Role.SALES)).status_code == 403


def test_a_file_is_matched_tried_and_imported() -> None:
    admin, somebody = signed_in(Role.ADMINISTRATOR), ada()
    define(admin)
    url = reverse("contacts:object_import_new", args=["course"])
    answer = admin.post(url, {"file": SimpleUploadedFile("c.csv", FILE.encode("gb18030"))})
    shown = answer.content.decode()
    token = re.search(r'name="token" value="([^"]+)"', shown)
    assert token is not None
    mapping = [target for _name, _samples, target in answer.context["columns"]]
    assert mapping == ["external_id", "contact.email", "name", "progress", "level", "id_card"]
    form = {"token": token[1], "target": mapping}
    tally = admin.post(url, {**form, "act": "check"}).context["tally"]
    assert (tally.rows, tally.made, tally.refused) == (4, 1, 3)
    assert not ObjectRecord.objects.exists()
    assert signed_in(Role.ADMINISTRATOR).post(url, {**form, "act": "run"}).status_code == 422  # another's token
    done = admin.post(url, {**form, "act": "run"})
    job = Job.objects.get(kind="objects.import")
    job_run(job_id=job.pk)
    row = ObjectRecord.objects.get()
    assert (row.title, row.contact_id, row.attributes) == (
        "Python 入门", somebody.pk, {"name": "Python 入门", "progress": 40, "level": "basic"}
    )  # fmt: skip
    assert "QX-99" not in str(Job.objects.get().params)
    assert admin.get(done["Location"]).context["result"]["refused"] == 3
    rejected = b"".join(admin.get(done["Location"] + "refused/")).decode()
    assert "progress: number" in rejected
    assert "contact: no_contact" in rejected


def test_lists_pages_and_edits() -> None:
    admin, somebody = signed_in(Role.ADMINISTRATOR), ada()
    define(admin)
    new = reverse("contacts:object_create", args=["course"])
    data = {"contact": str(somebody.public_id), "external_id": "c-1", "field.name": "SQL", "field.progress": "x"}
    assert admin.post(new, data).status_code == 422
    shown = admin.post(new, {**data, "field.progress": "5", "field.id_card": "QX-1"})
    assert shown.status_code == 302
    assert admin.post(new, {**data, "field.progress": "5"}).status_code == 422  # the id is taken
    page = shown["Location"]
    assert "QX-1" in admin.get(page).content.decode()
    masked = signed_in(Role.MARKETER)
    assert "QX-1" not in masked.get(page).content.decode()
    assert "***" in masked.get(page).content.decode()
    edit = page + "edit/"
    masked.post(edit, {"field.name": "SQL 2", "field.progress": "6"})
    row = ObjectRecord.objects.get()
    assert (row.title, row.filled) == ("SQL 2", ["id_card"])
    rows = reverse("contacts:objects", args=["course"])
    assert "SQL 2" in masked.get(rows + "?q=sql").content.decode()
    assert "None fits" in masked.get(rows + "?q=rust").content.decode()
    assert (
        "SQL 2" in masked.get(reverse("contacts:contact", args=[somebody.public_id]) + "?tab=objects").content.decode()
    )
    assert signed_in(Role.ANALYST).get(edit).status_code == 403
    admin.post(page + "removal/")
    assert not ObjectRecord.objects.exists()
    assert admin.get(page).status_code == 404


def tab_of(somebody: Contact) -> str:
    return reverse("contacts:contact", args=[somebody.public_id]) + "?tab=objects"


def course(client: Client, somebody: Contact, **values: str) -> Any:
    data = {"contact": str(somebody.public_id), "from": "person", "external_id": "c-1", **values}
    return client.post(reverse("contacts:object_create", args=["course"]), data)


def take_back(client: Client, somebody: Contact) -> str:
    answer = client.post(reverse("contacts:object_undo", args=[somebody.public_id]), follow=True)
    return str(answer.content.decode())


def test_things_are_added_changed_and_removed_on_the_persons_page_and_taken_back() -> None:
    admin, sales, somebody = signed_in(Role.ADMINISTRATOR), signed_in(Role.SALES), ada()
    define(admin)
    shown = sales.get(tab_of(somebody)).content.decode()
    assert "Add Course" in shown
    assert course(sales, somebody, **{"field.name": "SQL", "field.id_card": "QX-1"})["Location"] == tab_of(somebody)
    assert "An object was added to this person." in sales.get(tab_of(somebody)).content.decode()
    assert "Undone" in take_back(sales, somebody)
    assert not ObjectRecord.objects.exists()

    course(sales, somebody, **{"field.name": "SQL", "field.id_card": "QX-1", "field.level": "basic"})
    row = ObjectRecord.objects.get()
    edit = reverse("contacts:object_edit", args=["course", row.public_id])
    assert sales.post(edit, {"from": "person", "field.name": "Rust"})["Location"] == tab_of(somebody)
    row.refresh_from_db()
    assert (row.title, row.filled) == ("Rust", [])
    assert "Undone" in take_back(sales, somebody)
    row.refresh_from_db()
    assert (row.title, row.filled) == ("SQL", ["id_card"])
    assert row.attributes["level"] == "basic"

    removal = reverse("contacts:object_removal", args=["course", row.public_id])
    assert sales.post(removal, {"from": "person"})["Location"] == tab_of(somebody)
    assert "was removed" in sales.get(tab_of(somebody)).content.decode()
    assert "Undone" in take_back(sales, somebody)
    again = ObjectRecord.objects.get()
    assert (again.title, again.filled, again.contact_id) == ("SQL", ["id_card"], somebody.pk)
    acts = AuditEntry.objects.filter(subject_id=str(somebody.public_id), action__startswith="object.").order_by("id")
    assert [entry.action for entry in acts] == [
        "object.added",
        "object.added_undone",
        "object.added",
        "object.changed",
        "object.changed_undone",
        "object.removed",
        "object.removed_undone",
    ]
    assert "QX-1" not in json.dumps([entry.data for entry in acts])


def test_what_was_removed_by_somebody_without_sight_of_it_comes_back_whole() -> None:
    admin, masked, somebody = signed_in(Role.ADMINISTRATOR), signed_in(Role.MARKETER), ada()
    define(admin)
    course(admin, somebody, **{"field.name": "SQL", "field.id_card": "QX-1"})
    row = ObjectRecord.objects.get()
    masked.post(reverse("contacts:object_removal", args=["course", row.public_id]), {"from": "person"})
    assert "QX-1" not in str(dict(masked.session.items()))
    assert "Undone" in take_back(masked, somebody)
    assert ObjectRecord.objects.get().filled == ["id_card"]


def test_nothing_is_taken_back_over_what_others_did_since() -> None:
    admin, other, somebody = signed_in(Role.ADMINISTRATOR), signed_in(Role.SALES), ada()
    define(admin)
    course(admin, somebody, **{"field.name": "SQL"})
    edit = reverse("contacts:object_edit", args=["course", ObjectRecord.objects.get().public_id])
    other.post(edit, {"field.name": "Rust"})
    assert "cannot be undone any more" in take_back(admin, somebody)
    assert ObjectRecord.objects.get().title == "Rust"
    assert "cannot be undone any more" in take_back(admin, somebody)  # once is all there is
    analyst = signed_in(Role.ANALYST)
    assert "Add Course" not in analyst.get(tab_of(somebody)).content.decode()
    assert course(analyst, somebody, **{"field.name": "Go"}).status_code == 403


def test_a_title_that_is_a_choice_is_read_in_the_readers_language() -> None:
    admin, somebody = signed_in(Role.ADMINISTRATOR), ada()
    define(admin, title_field="level")
    course(admin, somebody, **{"field.level": "advanced"})
    row = ObjectRecord.objects.get()
    chinese = signed_in(Role.SALES, "zh-hans")
    for page in (
        tab_of(somebody),
        reverse("contacts:objects", args=["course"]),
        reverse("contacts:object", args=["course", row.public_id]),
    ):
        shown = admin.get(page).content.decode()
        assert "Advanced" in shown
        assert "高级" not in shown
        assert "高级" in chinese.get(page).content.decode()
