"""The list of people: search, filters in the address, saved views, acts on several."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.errors import BadValue, NotFound
from hongyan.accounts.models import User
from hongyan.accounts.permissions import Permission
from hongyan.accounts.saved_views import view_delete, view_save, views_of
from hongyan.accounts.types import Actor
from hongyan.audience.errors import Frozen
from hongyan.audience.lists import list_add
from hongyan.audience.models import ContactList, Tag
from hongyan.audience.selectors import tag_tree, tags_of_contacts
from hongyan.audience.tagging.rules import decided_by_rule
from hongyan.audience.tagging.tags import tag_contacts, untag_contacts
from hongyan.contacts.companies_selectors import names_of
from hongyan.contacts.listing import contact_page_counted, places_in_use
from hongyan.contacts.models import Company
from hongyan.contacts.owners import contacts_assign
from hongyan.contacts.types import ContactFilters, ContactRow, Cursor, Order
from hongyan.web.contacts.common import actor_of
from hongyan.web.contacts.filtering import asked_of, chosen_ids, filters_of, kept_of, uuid_of
from hongyan.web.contacts.page_notes import owner_of
from hongyan.web.contacts.words import STANDINGS, SUPPRESSIONS, country_name, source_name, tag_name
from hongyan.web.sealed_search import open_search, seal_search

PER_PAGE = 50
VIEWS = "contacts"


@dataclass(frozen=True, slots=True)
class Line:
    """One person as the list shows them."""

    row: ContactRow
    country: str
    source: str
    tags: list[tuple[str, str]]  # name, colour
    suppressed: str
    company: tuple[str, str]  # address, name; the name alone where the profile says it and no company is linked
    owner: str

    @property
    def title(self) -> str:
        return self.row.name or self.row.email or self.row.phone


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    tags = [tag for _group, held in tag_tree(actor=actor) for tag in held]
    lists = list(ContactList.objects.order_by("name"))
    asked = asked_of(request.GET)
    search = open_search(asked["q"], actor)
    filters = filters_of(actor, asked) or ContactFilters()
    people = {str(user.public_id): user for user in User.objects.only("public_id", "name", "email", "is_active")}
    order = Order(asked["order"]) if asked["order"] in {item.value for item in Order} else Order.NEWEST
    page, count = contact_page_counted(
        actor=actor, filters=filters, after=read_cursor(request.GET.get("after", "")), limit=PER_PAGE, order=order
    )
    countries, cities = places_in_use(actor=actor)
    filtered = filters != ContactFilters()
    context = {
        "lines": _lines(actor, page.rows, {user.pk: user.label for user in people.values()}),
        "owners": sorted((key, user.label) for key, user in people.items() if user.is_active),
        "after": write_cursor(page.next),
        "count": count,
        "filtered": filtered,
        "none_at_all": not page.rows and not filtered and "after" not in request.GET,
        "search": search,
        "asked": asked,
        "order": order.value,
        "orders": [(item.value, label) for item, label in _orders().items()],
        "chips": _chips(asked, tags, lists, people),
        "countries": sorted(((code, country_name(code)) for code in countries), key=lambda item: item[1]),
        "cities": cities,
        "tags": [(tag.key, tag_name(tag)) for tag in tags],
        "lists": lists,
        "standings": STANDINGS.items(),
        "views": [(view, "?" + view.query) for view in views_of(actor=actor, page=VIEWS)],
        "masked": not actor.may(Permission.CONTACT_IDENTITY),
    }
    return render(request, "contacts/index.html", context)


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """By POST, and back to the list with the words sealed: names and addresses stay out of logs and histories."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    kept = kept_of(request.POST.get("query", ""))
    text = request.POST.get("text", "").strip()[:200]
    kept.pop("q", None)
    if text:
        kept["q"] = seal_search(text, actor)
    return _to_list(kept)


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Tag, untag or put on a list those who are ticked."""
    actor = actor_of(request)
    ids = chosen_ids(request.POST.getlist("ids")[:1000])
    act = request.POST.get("act", "")
    if act in {"tag", "untag"}:
        tag = Tag.objects.select_related("group").filter(key=request.POST.get("tag", "")).first()
        if tag is None:
            messages.error(request, _("Choose a tag first."))
        elif decided_by_rule(tag):
            messages.error(request, _("A rule decides who holds this tag; it is not given or taken by hand."))
        elif act == "tag":
            messages.success(request, _tagged(tag_contacts(actor=actor, tag=tag, contact_ids=ids).added, tag))
        else:
            removed = untag_contacts(actor=actor, tag=tag, contact_ids=ids).removed
            text = ngettext("%(n)d person lost “%(tag)s”", "%(n)d people lost “%(tag)s”", removed)
            messages.success(request, text % {"n": removed, "tag": tag_name(tag)})
    elif act == "owner":
        _assign(request, actor, ids)
    elif act == "list":
        chosen = uuid_of(request.POST.get("list", ""))
        found = ContactList.objects.filter(public_id=chosen).first() if chosen is not None else None
        if found is None:
            messages.error(request, _("Choose a list first."))
        else:
            _put_on(request, actor, found, ids)
    return _to_list(kept_of(request.POST.get("query", "")))


def _put_on(request: HttpRequest, actor: Actor, found: ContactList, ids: list[int]) -> None:
    try:
        added = list_add(actor=actor, contact_list=found, contact_ids=ids)
    except Frozen as error:
        messages.error(request, error.message)
        return
    text = ngettext("%(n)d person put on “%(list)s”", "%(n)d people put on “%(list)s”", added)
    messages.success(request, text % {"n": added, "list": found.name})


def _assign(request: HttpRequest, actor: Actor, ids: list[int]) -> None:
    chosen, wanted = owner_of(request.POST.get("owner", "")), request.POST.get("owner", "")
    if chosen is None and wanted != "nobody":
        messages.error(request, _("Choose a colleague first."))
        return
    changed = contacts_assign(actor=actor, contact_ids=ids, owner_id=chosen.pk if chosen else None)
    if chosen is None:
        text = ngettext("%(n)d person has no owner any more", "%(n)d people have no owner any more", changed)
    else:
        text = ngettext("%(n)d person is now %(owner)s's", "%(n)d people are now %(owner)s's", changed)
    messages.success(request, text % {"n": changed, "owner": chosen.label if chosen else ""})


@require_POST
def view_new(request: HttpRequest) -> HttpResponse:
    kept = kept_of(request.POST.get("query", ""))
    try:
        view_save(actor=actor_of(request), page=VIEWS, name=request.POST.get("name", ""), query=urlencode(kept))
    except BadValue:
        messages.error(request, _("Give the view a name."))
    else:
        messages.success(request, _("View saved"))
    return _to_list(kept)


@require_POST
def view_remove(request: HttpRequest, view_id: UUID) -> HttpResponse:
    try:
        view_delete(actor=actor_of(request), view_id=view_id)
    except NotFound:
        messages.error(request, _("This view is gone already."))
    else:
        messages.success(request, _("View deleted"))
    return _to_list(kept_of(request.POST.get("query", "")))


def read_cursor(text: str) -> Cursor | None:
    """None for what is not one: the list begins anew."""
    stamp, _tilde, number = text.rpartition("~")
    if not number.isdecimal() or len(number) > 18:
        return None
    try:
        at = datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        return None
    return None if at is not None and at.tzinfo is None else Cursor(at, int(number))


def write_cursor(cursor: Cursor | None) -> str:
    if cursor is None:
        return ""
    return f"{cursor.at.isoformat() if cursor.at is not None else ''}~{cursor.id}"


def _chips(
    asked: Mapping[str, str], tags: list[Tag], lists: list[ContactList], people: Mapping[str, User]
) -> list[tuple[str, str]]:
    """(parameter, words) of the filters that are on."""
    words = {
        "country": country_name(asked["country"]),
        "city": asked["city"],
        "tag": next((tag_name(tag) for tag in tags if tag.key == asked["tag"]), asked["tag"]),
        "list": next((found.name for found in lists if str(found.public_id) == asked["list"]), asked["list"]),
        "consent": str(STANDINGS.get(asked["consent"], "")),
        "company": _company_name(asked["company"]),
        "owner": people[asked["owner"]].label if asked["owner"] in people else asked["owner"],
    }
    return [(key, text) for key, text in words.items() if text]


def _company_name(public_id: str) -> str:
    """An address that leads to none stands as it is: the list is empty, and this says why."""
    chosen = uuid_of(public_id)
    found = Company.objects.filter(public_id=chosen).values_list("name", flat=True).first() if chosen else None
    return found or public_id


def _lines(actor: Actor, rows: list[ContactRow], owners: Mapping[int, str]) -> list[Line]:
    linked = names_of([row.company_id for row in rows if row.company_id is not None])
    held = tags_of_contacts(actor=actor, contact_ids=[row.id for row in rows])
    return [
        Line(
            row=row,
            country=country_name(row.country),
            source=source_name(row.source),
            tags=[(tag_name(tag), tag.colour) for tag in held.get(row.id, [])],
            suppressed=_(", ").join(str(SUPPRESSIONS.get(reason, reason)) for reason in row.suppressed),
            company=_company(row, linked),
            owner=owners.get(row.owner_id or 0, ""),
        )
        for row in rows
    ]


def _orders() -> dict[Order, str]:
    return {
        Order.NEWEST: _("Newest first"),
        Order.CHANGED: _("Last changed first"),
        Order.ACTIVE: _("Last active first"),
    }


def _tagged(added: int, tag: Tag) -> str:
    text = ngettext("%(n)d person now has “%(tag)s”", "%(n)d people now have “%(tag)s”", added)
    return text % {"n": added, "tag": tag_name(tag)}


def _company(row: ContactRow, linked: Mapping[int, tuple[UUID, str]]) -> tuple[str, str]:
    if row.company_id is not None and row.company_id in linked:
        public_id, name = linked[row.company_id]
        return reverse("contacts:company", args=[public_id]), name
    return "", row.company


def _to_list(kept: Mapping[str, str]) -> HttpResponse:
    return redirect(reverse("contacts:index") + (f"?{urlencode(kept)}" if kept else ""))
