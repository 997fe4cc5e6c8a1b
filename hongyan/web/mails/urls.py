from django.urls import path

from hongyan.web.mails import editor, listing, previews, snippets

app_name = "mails"
urlpatterns = [
    path("", listing.index, name="index"),
    path("new", listing.gallery, name="create"),
    path("new/template", listing.create, name="start"),
    path("ready/<slug:key>/<slug:language>/picture", listing.ready_thumbnail, name="ready_picture"),
    path("snippets", snippets.index, name="snippets"),
    path("snippets/new", snippets.create, name="snippet_create"),
    path("snippets/<uuid:public_id>", snippets.edit, name="snippet"),
    path("snippets/<uuid:public_id>/preview", snippets.preview, name="snippet_preview"),
    path("snippets/<uuid:public_id>/versions/<int:number>/restoration", snippets.restore, name="snippet_restore"),
    path("snippets/<uuid:public_id>/deletion", snippets.delete, name="snippet_delete"),
    path("<uuid:public_id>", editor.edit, name="edit"),
    path("<uuid:public_id>/draft", editor.save, name="save"),
    path("<uuid:public_id>/settings", editor.rename, name="settings"),
    path("<uuid:public_id>/versions", editor.history, name="history"),
    path("<uuid:public_id>/versions/<int:number>/restoration", editor.restore, name="restore"),
    path("<uuid:public_id>/versions/<int:number>/name", editor.name_version, name="version_name"),
    path("<uuid:public_id>/copy", listing.copy, name="copy"),
    path("<uuid:public_id>/archive", listing.archive, name="archive"),
    path("<uuid:public_id>/picture", listing.thumbnail, name="picture"),
    path("<uuid:public_id>/judgement", previews.judge, name="judge"),
    path("<uuid:public_id>/preview", previews.frame, name="frame"),
    path("<uuid:public_id>/people", previews.people, name="people"),
    path("<uuid:public_id>/people/riskiest", previews.risky, name="risky"),
    path("<uuid:public_id>/test", previews.test_send, name="test"),
]
