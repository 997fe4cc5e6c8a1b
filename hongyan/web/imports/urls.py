from django.urls import URLPattern, URLResolver, path

from hongyan.web.imports import exports, origins, running, wizard

app_name = "imports"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", running.index, name="index"),
    path("new/", wizard.upload, name="new"),
    path("exports/", exports.index, name="exports"),
    path("exports/new/", exports.new, name="export_new"),
    path("exports/<uuid:public_id>/", exports.show, name="export"),
    path("exports/<uuid:public_id>/file", exports.file, name="export_file"),
    path("<uuid:public_id>/", running.show, name="show"),
    path("<uuid:public_id>/reading/", wizard.reading, name="reading"),
    path("<uuid:public_id>/columns/", wizard.columns, name="columns"),
    path("<uuid:public_id>/columns/check", wizard.column_check, name="column_check"),
    path("<uuid:public_id>/fields/", wizard.field_new, name="field_new"),
    path("<uuid:public_id>/origin/fields", origins.fields, name="origin_fields"),
    path("<uuid:public_id>/origin/forgetting", origins.forget, name="origin_forget"),
    path("<uuid:public_id>/consent/", wizard.consent, name="consent"),
    path("<uuid:public_id>/trial/", wizard.trial, name="trial"),
    path("<uuid:public_id>/progress", running.progress, name="progress"),
    path("<uuid:public_id>/run", running.run, name="run"),
    path("<uuid:public_id>/pause", running.pause, name="pause"),
    path("<uuid:public_id>/resumption", running.resume, name="resume"),
    path("<uuid:public_id>/cancellation", running.cancel, name="cancel"),
    path("<uuid:public_id>/undoing", running.undo, name="undo"),
    path("<uuid:public_id>/rejections.csv", running.rejections_file, name="rejections_file"),
]
