from django.urls import URLPattern, URLResolver, path

from hongyan.web.contacts import editing, fields, forms, listing, page, page_acts, suppressions, topics

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = []

# People: list, page, forms.
urlpatterns += [
    path("", listing.index, name="index"),
    path("search/", listing.search, name="search"),
    path("acts/", listing.bulk, name="bulk"),
    path("views/", listing.view_new, name="view_new"),
    path("views/<uuid:view_id>/deletion/", listing.view_remove, name="view_remove"),
    path("new/", editing.create, name="create"),
    path("<uuid:public_id>/", page.contact, name="contact"),
    path("<uuid:public_id>/timeline/", page.timeline, name="timeline"),
    path("<uuid:public_id>/edit/", editing.edit, name="edit"),
    path("<uuid:public_id>/tags/", page_acts.tags, name="contact_tags"),
    path("<uuid:public_id>/lists/", page_acts.lists, name="contact_lists"),
    path("<uuid:public_id>/consent/", page_acts.consent, name="contact_consent"),
    path("<uuid:public_id>/suppression/", page_acts.suppression, name="contact_suppression"),
    path("<uuid:public_id>/copy/", page_acts.export, name="contact_export"),
    path("<uuid:public_id>/erasure/", page_acts.erase, name="erase"),
]

# Definitions: custom fields, topics, sign-up forms, suppression list.
urlpatterns += [
    path("fields/", fields.index, name="fields"),
    path("fields/new-field/", fields.edit, name="field_create"),
    path("fields/<slug:key>/", fields.edit, name="field"),
    path("fields/<slug:key>/move/", fields.move, name="field_move"),
    path("fields/<slug:key>/archiving/", fields.archiving, name="field_archiving"),
    path("topics/", topics.index, name="topics"),
    path("topics/new-topic/", topics.edit, name="topic_create"),
    path("topics/<slug:key>/", topics.edit, name="topic"),
    path("topics/<slug:key>/move/", topics.move, name="topic_move"),
    path("topics/<slug:key>/deletion/", topics.deletion, name="topic_deletion"),
    path("forms/", forms.index, name="forms"),
    path("forms/new/", forms.edit, name="form_create"),
    path("forms/<uuid:public_id>/", forms.edit, name="form"),
    path("forms/<uuid:public_id>/archiving/", forms.archiving, name="form_archiving"),
    path("suppressions/", suppressions.index, name="suppressions"),
    path("suppressions/new/", suppressions.create, name="suppression_create"),
    path("suppressions/<int:suppression_id>/lift/", suppressions.lift, name="suppression_lift"),
]
