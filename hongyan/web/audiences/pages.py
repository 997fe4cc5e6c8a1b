"""The overview: saved audiences, lists and tags with their sizes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import Stock, catalogue_now
from hongyan.audience.segments import explain
from hongyan.audience.selectors import sizes, tag_and_list_sizes, tag_tree
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.words import group_name, tag_name


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    stock = Stock.now()
    catalogue = catalogue_now(stock)
    versions = sorted(stock.versions, key=lambda version: version.audience.updated_at, reverse=True)
    *found, total = sizes([version.tree for version in versions], catalogue)
    audiences = []
    for version, size in zip(versions, found, strict=True):
        sentence = "" if size is None else explain(version.tree, language(), catalogue=catalogue)
        audiences.append({"audience": version.audience, "size": size, "sentence": sentence})
    held, on_list = tag_and_list_sizes(actor=actor)
    groups = [
        {
            "group": group,
            "name": group_name(group),
            "tags": [{"tag": tag, "name": tag_name(tag), "size": held.get(tag.pk, 0)} for tag in tags],
        }
        for group, tags in tag_tree(actor=actor, stock=stock)
    ]
    context = {
        "audiences": audiences,
        "groups": [group for group in groups if group["tags"]],
        "lists": [{"list": row, "size": on_list.get(row.pk, 0)} for row in stock.lists],
        "total": total,
    }
    return render(request, "audiences/index.html", context)
