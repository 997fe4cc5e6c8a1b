"""Companies: finding the right one, assignment, merging and its undoing."""

import pytest

from hongyan.accounts.types import system_actor
from hongyan.contacts.companies import (
    company_assign,
    company_create,
    company_find,
    company_merge,
    company_unmerge,
    company_update,
    company_upsert,
    domain_of,
)
from hongyan.contacts.companies_values import size_band
from hongyan.contacts.errors import CompanyNotFound, InvalidValues
from hongyan.contacts.models import Company, Contact
from hongyan.events.models import Event

pytestmark = pytest.mark.django_db
SYSTEM = system_actor("test")


def people(n: int) -> list[int]:
    return [row.pk for row in Contact.objects.bulk_create(Contact() for _ in range(n))]


def test_found_by_external_id_then_domain_then_name() -> None:
    made = company_upsert(actor=SYSTEM, source="segment", external_id="g-1", name="上海鸿雁科技", domain="hongyan.cn")
    assert company_upsert(actor=SYSTEM, source="segment", external_id="g-1", values={"industry": "软件"}).pk == made.pk
    assert company_upsert(actor=SYSTEM, source="import", domain="https://www.hongyan.cn/about").pk == made.pk
    assert company_upsert(actor=SYSTEM, source="import", name=" 上海 鸿雁科技 ").pk == made.pk
    made.refresh_from_db()
    assert (made.industry, made.name, made.external_id) == ("软件", "上海 鸿雁科技", "g-1")
    other = company_upsert(actor=SYSTEM, source="segment", external_id="g-2", name="上海鸿雁科技", domain="hongyan.cn")
    assert other.pk != made.pk
    assert other.domain == ""
    assert company_find(name="nobody") is None


def test_values_are_brought_into_form_or_refused() -> None:
    made = company_create(
        actor=SYSTEM, values={"name": "Acme", "size": "120", "country": "德国", "attributes": {"vip": True}}
    )
    assert (made.size, made.country, made.attributes) == ("51-200", "DE", {"vip": True})
    with pytest.raises(InvalidValues) as refused:
        company_create(actor=SYSTEM, values={"name": "B", "size": "many", "domain": "no domain", "colour": "red"})
    assert refused.value.problems == {"size": "company_size", "domain": "domain", "colour": "unknown_field"}
    with pytest.raises(InvalidValues):
        company_update(actor=SYSTEM, company_id=made.pk, values={"name": ""})
    company_create(actor=SYSTEM, values={"name": "C", "domain": "c.com"})
    with pytest.raises(InvalidValues) as taken:
        company_update(actor=SYSTEM, company_id=made.pk, values={"domain": "c.com"})
    assert taken.value.problems == {"domain": "company_taken"}
    with pytest.raises(InvalidValues):
        company_upsert(actor=SYSTEM, source="api")


@pytest.mark.parametrize(
    ("text", "band"),
    [("1", "1"), ("2", "2-10"), ("500", "201-500"), ("1,001", "1001-5000"), ("100人", "51-200"), ("10000+", "10001+")],
)
def test_size_bands(text: str, band: str) -> None:
    assert size_band(text) == band


def test_assignment_changes_only_who_differs_and_says_so() -> None:
    acme = company_create(actor=SYSTEM, values={"name": "Acme"})
    ids = people(3)
    assert company_assign(actor=SYSTEM, company_id=acme.pk, contact_ids=ids[:2]) == 2
    assert company_assign(actor=SYSTEM, company_id=acme.pk, contact_ids=ids) == 1
    assert Event.objects.filter(name="company_assigned").count() == 3
    assert company_assign(actor=SYSTEM, company_id=None, contact_ids=ids[:1]) == 1
    assert set(acme.people.values_list("pk", flat=True)) == set(ids[1:])


def test_a_merge_and_its_undoing() -> None:
    keep = company_create(actor=SYSTEM, values={"name": "Acme", "city": "Berlin", "attributes": {"a": 1}})
    gone = company_create(
        actor=SYSTEM,
        values={
            "name": "ACME GmbH",
            "city": "Bonn",
            "industry": "Steel",
            "external_id": "x1",
            "attributes": {"a": 2, "b": 3},
        },
    )
    mine, theirs = people(1), people(2)
    company_assign(actor=SYSTEM, company_id=keep.pk, contact_ids=mine)
    company_assign(actor=SYSTEM, company_id=gone.pk, contact_ids=theirs)
    before = {pk: Company.objects.filter(pk=pk).values().get() for pk in (keep.pk, gone.pk)}
    merge = company_merge(actor=SYSTEM, survivor_id=keep.pk, loser_id=gone.pk)
    keep.refresh_from_db()
    assert (keep.city, keep.industry, keep.attributes) == ("Berlin", "Steel", {"a": 1, "b": 3})
    assert set(keep.people.values_list("pk", flat=True)) == {*mine, *theirs}
    assert company_upsert(actor=SYSTEM, source="segment", external_id="x1").pk == keep.pk
    with pytest.raises(CompanyNotFound):
        company_assign(actor=SYSTEM, company_id=gone.pk, contact_ids=mine)
    company_unmerge(actor=SYSTEM, merge_id=merge.pk)
    for pk, row in before.items():
        after = Company.objects.filter(pk=pk).values().get()
        assert {**after, "updated_at": None, "source": None} == {**row, "updated_at": None, "source": None}
    gone.refresh_from_db()
    assert set(gone.people.values_list("pk", flat=True)) == set(theirs)
    with pytest.raises(CompanyNotFound):
        company_unmerge(actor=SYSTEM, merge_id=merge.pk)


def test_free_mail_says_nothing_about_a_company() -> None:
    assert domain_of("a@QQ.com") == ""
    assert domain_of("a@hongyan.cn") == "hongyan.cn"
    assert domain_of("") == ""
