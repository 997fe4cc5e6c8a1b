"""Who may open what: one colleague a role walks over every staff page of a shop with the demo's data."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Role
from hongyan.audience.models import ContactList, SavedAudience
from hongyan.campaigns.models import Campaign
from hongyan.config.demo.load import STAFF, demo_load
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import identities
from hongyan.content.models import Template
from tests.browser import staff

pytestmark = pytest.mark.django_db
OUTSIDE = ("api", "edge")  # they know their own callers
A, M, P, S, U, _N, D = Role  # administrator, marketer, approver, sales, support, analyst, privacy officer
EVERYBODY = frozenset(Role)

PAGES: dict[str, frozenset[Role]] = {
    **dict.fromkeys(
        (
            "audiences:index",
            "audiences:ready",
            "audiences:rfm",
            "audiences:stages",
            "audiences:tags",
            "audiences:values",
            "audiences:vocabulary",
            "commerce:index",
            "commerce:products",
            "contacts:companies",
            "contacts:index",
            "contacts:object_types",
            "home:index",
            "home:jobs",
            "home:jobs_tray",
            "settings:index",
            "settings:profile",
            "settings:roles",
        ),
        EVERYBODY,
    ),
    **dict.fromkeys(
        (
            "identity:index",
            "identity:merges",
            "identity:rules",
            "identity:run_progress",
            "identity:runs",
            "identity:sure",
        ),
        frozenset({A, U, D}),
    ),
    **dict.fromkeys(
        (
            "audiences:create",
            "audiences:group_create",
            "audiences:list_create",
            "audiences:rfm_rules",
            "audiences:stage_rules",
            "audiences:suggest",
            "audiences:tag_create",
            "campaigns:create",
            "catcher:index",
            "catcher:list",
            "commerce:import_new",
            "imports:index",
            "imports:new",
            "mails:create",
            "mails:snippet_create",
            "settings:mail",
            "settings:system",
        ),
        frozenset({A, M}),
    ),
    **dict.fromkeys(("mails:index", "mails:snippets", "settings:approval_rules"), frozenset({A, M, P})),
    **dict.fromkeys(("campaigns:index", "reports:index"), EVERYBODY - {U}),
    "sources:index": EVERYBODY,
    **dict.fromkeys(("events:index", "events:live"), EVERYBODY - {U}),
    **dict.fromkeys(("sources:list", "sources:new", "sources:quarantine", "sources:quarantine_file"), frozenset({A})),
    **dict.fromkeys(
        (
            "events:create",
            "events:key_create",
            "events:keys",
            "events:retention",
            "events:traits",
        ),
        frozenset({A}),
    ),
    "campaigns:approvals": frozenset({A, P}),
    **dict.fromkeys(("contacts:create", "contacts:company_create"), frozenset({A, M, S, U, D})),
    "contacts:export": frozenset({A, D}),
    **dict.fromkeys(("contacts:suppressions", "contacts:suppression_create"), frozenset({A, U, D})),
    **dict.fromkeys(
        (
            "commerce:privacy",
            "imports:exports",
            "imports:export_new",
            "settings:audit",
            "settings:audit_head",
            "settings:audit_verification",
        ),
        frozenset({A, D}),
    ),
    **dict.fromkeys(
        (
            "commerce:currency",
            "commerce:shop_new",
            "commerce:shops",
            "contacts:field_create",
            "contacts:fields",
            "contacts:form_create",
            "contacts:forms",
            "contacts:object_type_create",
            "contacts:topic_create",
            "contacts:topics",
            "home:styleguide",
            "settings:api_key_create",
            "settings:api_keys",
            "settings:approval_rule_create",
            "settings:invite",
            "settings:organisation",
            "settings:sender_create",
            "settings:senders",
            "settings:users",
        ),
        frozenset({A}),
    ),
}
AUDIENCE = ("audience", "edit", "moves", "profile", "value", "overlap", "definition", "why")
# What only answers a POST; each service asks for the permission again.
ACTS = {
    "audiences:bulk",
    "audiences:stage_order",
    "audiences:preview",
    "audiences:read_text",
    "catcher:delete_all",
    "contacts:bulk",
    "contacts:companies_link",
    "contacts:search",
    "contacts:view_new",
    "home:language",
    "home:search",
    "home:theme",
    "identity:retry_failed",
    "identity:run_start",
    "mails:start",
    "settings:audit_verify",
    "settings:demo_removal",
    "sources:discard_group",
    "sources:put_back_group",
    "sources:retry_group",
    "settings:other_sessions",
}


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo, once for all tests here, taken back at the end."""
    with django_db_blocker.unblock():
        atom = transaction.atomic()
        atom.__enter__()
        try:
            demo_load(contacts=60)
            yield
        finally:
            transaction.set_rollback(True)
            atom.__exit__(None, None, None)
            connection.close()


def client_of(role: Role, language: str) -> Client:
    email = {role: email for email, _name, role in STAFF}.get(role)
    user = User.objects.filter(email=email).first() if email else None
    if user is None:
        user = staff(role)
    user.language = language
    user.save(update_fields=["language"])
    client = Client(headers={"accept-language": language}, raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def staff_pages() -> list[str]:
    """Every named staff address without a part to fill in."""
    found = []
    for namespace, name in _names(get_resolver(), ()):
        if namespace and namespace[0] not in OUTSIDE:
            full = ":".join((*namespace, name))
            try:
                reverse(full)
            except NoReverseMatch:
                continue
            found.append(full)
    return sorted(set(found))


def _names(resolver: Any, namespace: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _names(entry, (*namespace, entry.namespace) if entry.namespace else namespace)
        elif isinstance(entry, URLPattern) and entry.name:
            yield namespace, entry.name


def test_the_table_names_every_page() -> None:
    """A new page has to say here who may open it."""
    assert set(staff_pages()) == set(PAGES) | ACTS


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_it_may_and_nothing_else(shop: None, role: Role) -> None:
    client = client_of(role, "zh-hans")
    wrong = []
    for name, roles in PAGES.items():
        status = client.get(reverse(name), follow=True).status_code
        if status != (200 if role in roles else 403):
            wrong.append((name, status))
    assert not wrong


def test_acts_are_no_pages(shop: None) -> None:
    client = client_of(Role.ADMINISTRATOR, "en")
    assert {name: client.get(reverse(name)).status_code for name in ACTS} == dict.fromkeys(ACTS, 405)


def test_strangers_are_sent_to_sign_in(shop: None) -> None:
    for name in PAGES:
        answer = Client().get(reverse(name))
        assert (answer.status_code, "/account/login/" in answer.headers.get("Location", "")) == (302, True), name


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_detail_page_opens_with_real_data(shop: None, language: str) -> None:
    """As an administrator, everything of the demo: no page may fail, in neither language."""
    client = client_of(Role.ADMINISTRATOR, language)
    failed = []
    for address in (*details(), *(reverse(name) for name in PAGES)):
        answer = client.get(address, follow=True)
        if answer.status_code != 200:
            failed.append((address, answer.status_code))
        elif answer.headers["Content-Type"].startswith("text/html") and "<html" in answer.content.decode():
            assert f'lang="{"en" if language == "en" else "zh"}' in answer.content.decode()[:400], address
    assert not failed


@pytest.mark.parametrize("role", [Role.MARKETER, Role.APPROVER, Role.ANALYST])
def test_roles_without_identity_never_see_an_address(shop: None, role: Role) -> None:
    """Whatever page shows the demo's people, their addresses are masked."""
    client = client_of(role, "en")
    names = {identity.email for identity in identities(list(Contact.objects.values_list("pk", flat=True))).values()}
    names.discard("")
    assert len(names) > 40
    for address in details():
        answer = client.get(address)
        if answer.status_code == 200 and not answer.streaming:
            shown = [name for name in names if name in answer.content.decode()]
            assert not shown, f"{address} shows {len(shown)} addresses"


def details() -> list[str]:
    contact = Contact.objects.order_by("pk")[3]
    found = [reverse("contacts:contact", args=[contact.public_id])]
    for audience in SavedAudience.objects.all():
        found += [reverse(f"audiences:{name}", args=[audience.public_id]) for name in AUDIENCE]
    found += [reverse("audiences:list", args=[row.public_id]) for row in ContactList.objects.all()]
    for template in Template.objects.all()[:4]:
        found += [reverse(f"mails:{name}", args=[template.public_id]) for name in ("edit", "history")]
    for campaign in Campaign.objects.all():
        found += [
            reverse(f"campaigns:{name}", args=[campaign.public_id]) for name in ("page", "log", "content", "preview")
        ]
        if campaign.started_at is not None:
            found += [reverse("campaigns:recipients", args=[campaign.public_id])]
            found += [reverse(f"reports:{name}", args=[campaign.public_id]) for name in ("campaign", "people")]
            found += [reverse("reports:people", args=[campaign.public_id]) + "?outcome=opened"]
    return found
