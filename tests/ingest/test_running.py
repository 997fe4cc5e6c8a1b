"""Imports from file to database: outcomes, policies, consent, suppression, idempotence."""

from typing import Any

import pytest
from django.utils import translation

from hongyan.contacts.identifiers import contact_id_of
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact, Identifier, Suppression
from hongyan.contacts.selectors import identities
from hongyan.ingest import selectors
from hongyan.ingest.types import Counts
from tests.ingest.factory import ACTOR, run

pytestmark = pytest.mark.django_db

FILE = (
    "姓名,邮箱,手机号码,性别,生日,国家,城市,语言\n"
    "王小明,Wang@Example.com,138 0013 8000,男,1990-05-01,中国,上海,中文\n"
    "Ann Lee,ann@example.org,+44 20 7946 0018,f,1985-12-31,UK,London,en\n"
    "李雷,not-an-address,13900139000,男,1990-01-01,中国,北京,中文\n"
    "赵六,zhao@example.com,,男,1990-02-30,中国,北京,中文\n"
    "孙七,,13700137000,男,,中国,北京,中文\n"
)


def the_id(email: str) -> int:
    contact_id = contact_id_of("email", email)
    assert contact_id is not None
    return contact_id


def identity(email: str) -> Any:
    return identities([the_id(email)])[the_id(email)]


def test_rows_become_contacts_in_standard_form_and_bad_ones_come_back_with_reasons() -> None:
    row, counts = run(FILE)
    assert (counts.rows, counts.created, counts.rejected) == (5, 2, 3)
    wang = identity("wang@example.com")
    assert (wang.full_name, wang.family_name, wang.given_name) == ("王小明", "王", "小明")
    assert (wang.email, wang.phone, wang.birth_date) == ("Wang@example.com", "+8613800138000", "1990-05-01")
    contact = Contact.objects.get(pk=the_id("ann@example.org"))
    assert (contact.sex, contact.country, contact.city, contact.language) == (2, "GB", "London", "en")
    assert (contact.email_domain, contact.birth_month, contact.birth_day) == ("example.org", 12, 31)
    assert contact.has_email
    assert contact.has_phone
    rejected, _ = selectors.rejections(actor=ACTOR, public_id=row.public_id)
    assert [(item.line, item.column, item.value) for item in rejected] == [
        (4, "邮箱", "not-an-address"),
        (5, "生日", "1990-02-30"),
        (6, "", ""),
    ]
    assert [item.code for item in rejected] == ["email_form", "date_range", "key_missing"]


def test_the_same_file_twice_changes_nothing_and_says_so() -> None:
    run(FILE, topics=["newsletter"])
    before = snapshot()
    _, counts = run(FILE, topics=["newsletter"])
    assert (counts.created, counts.updated, counts.unchanged) == (0, 0, 2)
    assert snapshot() == before


def snapshot() -> list[Any]:
    return [
        list(Contact.objects.order_by("id").values_list()),
        list(Identifier.objects.order_by("id").values_list("contact_id", "kind", "blind")),
        list(ConsentRecord.objects.order_by("id").values_list("id", "contact_id", "action")),
        list(ConsentState.objects.order_by("id").values_list("contact_id", "topic_id", "state")),
    ]


@pytest.mark.parametrize(
    ("policy", "name", "city", "phone", "field"),
    [
        ("update", "王大明", "杭州", "+8613900139000", "updated"),
        ("fill_empty", "王小明", "杭州", "+8613800138000", "updated"),
        ("skip", "王小明", "", "+8613800138000", "skipped"),
    ],
)
def test_policies(policy: str, name: str, city: str, phone: str, field: str) -> None:
    run("name,email,mobile\n王小明,wang@example.com,13800138000\n")
    _, counts = run("name,email,mobile,city\n王大明,WANG@example.com,13900139000,杭州\n", policy=policy)
    assert getattr(counts, field) == 1
    wang = identity("wang@example.com")
    contact = Contact.objects.get()
    assert (wang.full_name, contact.city, wang.phone) == (name, city, phone)
    assert contact_id_of("phone", phone) == contact.pk
    if policy == "update":
        assert contact_id_of("phone", "+8613800138000") is None
        assert contact.provenance["city"][0].startswith("import:")
        assert contact.updated_at > contact.created_at


def test_empty_cells_never_erase() -> None:
    run("name,email,city\n王小明,wang@example.com,上海\n")
    _, counts = run("name,email,city\n,wang@example.com,\n")
    assert counts.unchanged == 1
    assert identity("wang@example.com").full_name == "王小明"


def test_several_rows_of_one_person_become_one_contact() -> None:
    data = "name,email,city\n" + "".join(f"王{n}, {'W' if n % 2 else 'w'}ang@Example.COM ,城{n}\n" for n in range(50))
    _, counts = run(data)
    assert (counts.created, counts.merged, Contact.objects.count()) == (1, 49, 1)
    assert identity("wang@example.com").full_name == "王49"
    _, counts = run(data.replace("wang", "li").replace("Wang", "Li"), policy="skip")
    assert identity("li@example.com").full_name == "王0"


def test_a_shared_phone_makes_two_contacts_a_shared_id_is_a_conflict() -> None:
    _, counts = run(
        "email,mobile,customer id\na@example.com,13800138000,1\nb@example.com,13800138000,2\nc@example.com,,1\n"
    )
    assert (counts.created, counts.reasons) == (2, {"identifier_conflict": 1})
    assert Identifier.objects.filter(kind="phone").count() == 1
    assert Contact.objects.filter(has_phone=True).count() == 2


def test_phone_can_be_the_key() -> None:
    run("mobile,name\n13800138000,王\n")
    _, counts = run("mobile,name,email\n+86 138-0013-8000,王小明,w@example.com\n", match_on="phone")
    assert (counts.updated, Contact.objects.count()) == (1, 1)


def test_consent_is_recorded_with_its_evidence_and_never_overrides_a_withdrawal() -> None:
    _, counts = run("email\na@example.com\nb@example.com\n", topics=["newsletter", "promotion"])
    assert counts.created == 2
    records = ConsentRecord.objects.filter(action="given")
    assert records.count() == 4
    first = records[0]
    assert (first.method, first.recorded_by, first.legal_basis) == ("import", "test", "consent")
    assert "paper forms" in first.wording
    assert not ConsentRecord.objects.filter(method="confirmation").exists()
    ConsentState.objects.filter(contact_id=the_id("a@example.com")).update(state="withdrawn")
    run("email\na@example.com\n", topics=["newsletter"])
    states = ConsentState.objects.filter(contact_id=the_id("a@example.com"))
    assert set(states.values_list("state", flat=True)) == {"withdrawn"}


def test_without_consent_people_are_on_record_as_imported_without() -> None:
    run("email\na@example.com\n")
    record = ConsentRecord.objects.get()
    assert (record.action, record.topic_id) == ("imported_none", None)
    assert ConsentState.objects.get().state == "none"


def test_suppressed_people_stay_so_and_are_counted_and_erased_ones_do_not_come_back() -> None:
    from hongyan.contacts.identifiers import blind_of

    Suppression.objects.create(kind="email", blind=blind_of("email", "a@example.com"), reason="unsubscribed")
    Suppression.objects.create(kind="email", blind=blind_of("email", "gone@example.com"), reason="erased")
    row, counts = run("email\nA@example.com\ngone@example.com\nb@example.com\n", topics=["newsletter"])
    assert (counts.created, counts.suppressed, counts.reasons) == (2, 1, {"erased_person": 1})
    assert Suppression.objects.count() == 2
    given = ConsentRecord.objects.filter(action="given").values_list("contact_id", flat=True)
    assert list(given) == [contact_id_of("email", "b@example.com")]
    assert row.tally == counts


def test_rejected_rows_come_as_a_spreadsheet_without_formulas_in_the_readers_language() -> None:
    row, _ = run("name,email\n张三,=HYPERLINK(1)\n")
    for language, reason in (("en", "This is not a complete e-mail address."), ("zh-hans", "")):
        text = b"".join(selectors.rejections_csv(actor=ACTOR, public_id=row.public_id, language=language)).decode(
            "utf-8-sig"
        )
        assert "'=HYPERLINK(1)" in text
        assert reason in text
    assert translation.get_language() is not None


def test_search_tokens_find_imported_people() -> None:
    from hongyan.contacts.search import query_tokens
    from hongyan.core.crypto.keyring import keyring

    run(FILE)
    for query in ("wangxiaoming", "王小", "ann", "0013"):
        found = Contact.objects.all()
        for alternatives in query_tokens(query, keyring().blind):
            found = found.filter(search_tokens__overlap=alternatives)
        if query != "0013":
            assert found.count() == 1, query


def test_counts_survive_their_json_form() -> None:
    counts = Counts(rows=3, reasons={"x": 1})
    assert Counts.load(counts.dump()) == counts
