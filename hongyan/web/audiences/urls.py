from django.urls import URLPattern, URLResolver, path

from hongyan.web.audiences import builder, lists, pages, saved, tags

app_name = "audiences"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.index, name="index"),
    path("new/", saved.create, name="create"),
    path("builder/catalogue/", builder.vocabulary, name="vocabulary"),
    path("builder/preview/", builder.preview, name="preview"),
    path("builder/text/", builder.read_text, name="read_text"),
    path("builder/values/", builder.values, name="values"),
    path("tags/", tags.index, name="tags"),
    path("tags/groups/", tags.group_create, name="group_create"),
    path("tags/groups/<uuid:public_id>/", tags.group_edit, name="group_edit"),
    path("tags/groups/<uuid:public_id>/deletion/", tags.group_delete, name="group_delete"),
    path("tags/new/", tags.tag_new, name="tag_create"),
    path("tags/<uuid:public_id>/", tags.tag_edit, name="tag_edit"),
    path("tags/<uuid:public_id>/deletion/", tags.tag_remove, name="tag_delete"),
    path("tag-changes/<uuid:public_id>/undo/", tags.change_undo, name="change_undo"),
    path("lists/new/", lists.create, name="list_create"),
    path("lists/<uuid:public_id>/", lists.page, name="list"),
    path("lists/<uuid:public_id>/edit/", lists.edit, name="list_edit"),
    path("lists/<uuid:public_id>/deletion/", lists.delete, name="list_delete"),
    path("lists/<uuid:public_id>/members/", lists.fill, name="list_fill"),
    path("lists/<uuid:public_id>/removals/", lists.remove, name="list_remove"),
    path("<uuid:public_id>/", saved.page, name="audience"),
    path("<uuid:public_id>/edit/", saved.edit, name="edit"),
    path("<uuid:public_id>/copy/", saved.copy, name="copy"),
    path("<uuid:public_id>/deletion/", saved.delete, name="delete"),
    path("<uuid:public_id>/tagging/", saved.tagging, name="tagging"),
]
