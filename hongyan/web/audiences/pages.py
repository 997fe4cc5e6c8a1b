"""The overview: saved audiences, lists and tags with their sizes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.nodes import Everyone
from hongyan.audience.models import ContactList, current_versions
from hongyan.audience.segments import explain
from hongyan.audience.selectors import count_node, list_sizes, size_or_none, tag_sizes, tag_tree
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.words import group_name, tag_name


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    catalogue = catalogue_now()
    audiences = []
    for version in current_versions().order_by("-audience__updated_at"):
        size = size_or_none(version.tree, catalogue)
        sentence = "" if size is None else explain(version.tree, language(), catalogue=catalogue)
        audiences.append({"audience": version.audience, "size": size, "sentence": sentence})
    held, on_list = tag_sizes(actor=actor), list_sizes(actor=actor)
    groups = [
        {
            "group": group,
            "name": group_name(group),
            "tags": [{"tag": tag, "name": tag_name(tag), "size": held.get(tag.pk, 0)} for tag in tags],
        }
        for group, tags in tag_tree(actor=actor)
    ]
    context = {
        "audiences": audiences,
        "groups": [group for group in groups if group["tags"]],
        "lists": [{"list": found, "size": on_list.get(found.pk, 0)} for found in ContactList.objects.all()],
        "total": count_node(Everyone(), catalogue),
    }
    return render(request, "audiences/index.html", context)
