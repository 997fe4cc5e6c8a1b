"""Lists: make, fill from an audience, look at the members, take some off."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import BadTree, BadValue, Frozen, InUse, NotFound
from hongyan.audience.lists import list_add_members, list_create, list_delete, list_remove, list_update
from hongyan.audience.models import ContactList
from hongyan.audience.people import list_members
from hongyan.audience.selectors import list_by_id, list_sizes
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import where_used
from hongyan.contacts.models import Contact
from hongyan.web.audiences.common import actor_of, tree_from
from hongyan.web.audiences.forms import ListForm

PER_PAGE = 50


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = list_create(actor=actor, **form.cleaned_data)
        except BadValue as error:
            form.add_error("name", error.message)
        else:
            return redirect("audiences:list", made.public_id)
    return render(request, "audiences/list_form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    found = _get(request, public_id)
    form = ListForm(request.POST or None, initial={"name": found.name, "description": found.description})
    if request.method == "POST" and form.is_valid():
        try:
            list_update(actor=actor, contact_list=found, **form.cleaned_data)
        except BadValue as error:
            form.add_error("name", error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:list", public_id)
    context = {"form": form, "list": found}
    return render(request, "audiences/list_form.html", context, status=422 if form.is_bound else 200)


@require_GET
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    found = _get(request, public_id)
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 19 else 0
    people, following = list_members(actor=actor, contact_list=found, after=start, limit=PER_PAGE)
    context = {
        "list": found,
        "people": people,
        "following": following or "",
        "size": list_sizes(actor=actor).get(found.pk, 0),
        "uses": where_used(UsedKind.LIST, str(public_id)),
    }
    return render(request, "audiences/list.html", context)


@require_http_methods(["GET", "POST"])
def fill(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put everyone an audience holds now on the list."""
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    found = _get(request, public_id)
    text = request.POST.get("tree", "")
    problem = ""
    if request.method == "POST":
        try:
            list_add_members(actor=actor, contact_list=found, tree=tree_from(text))
        except BadTree as error:
            problem = error.problems[0].message
        except Frozen as error:
            problem = error.message
        else:
            messages.success(request, _("Filling the list has begun in the background."))
            return redirect("audiences:list", public_id)
    context = {"list": found, "tree": text, "problem": problem}
    return render(request, "audiences/list_fill.html", context, status=422 if problem else 200)


@require_POST
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = _get(request, public_id)
    chosen = [value for value in request.POST.getlist("ids") if _is_uuid(value)]
    ids = list(Contact.objects.filter(public_id__in=chosen).values_list("pk", flat=True))
    try:
        removed = list_remove(actor=actor_of(request), contact_list=found, contact_ids=ids)
    except Frozen as error:
        messages.error(request, error.message)
        return redirect("audiences:list", public_id)
    text = ngettext("%(n)d contact taken off the list", "%(n)d contacts taken off the list", removed)
    messages.success(request, text % {"n": removed})
    return redirect("audiences:list", public_id)


@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        list_delete(actor=actor_of(request), contact_list=_get(request, public_id))
    except InUse as error:
        names = _(", ").join(use.name for use in error.uses[:5])
        messages.error(request, _("It is still used by: %(names)s") % {"names": names})
        return redirect("audiences:list", public_id)
    messages.success(request, _("Deleted"))
    return redirect("audiences:index")


def _get(request: HttpRequest, public_id: UUID) -> ContactList:
    try:
        return list_by_id(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
