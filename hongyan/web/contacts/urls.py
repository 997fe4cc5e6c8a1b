from django.urls import URLPattern, URLResolver, path

from hongyan.web.contacts import (
    companies,
    editing,
    exporting,
    fields,
    forms,
    listing,
    object_imports,
    object_types,
    objects,
    page,
    page_acts,
    page_copy,
    page_mail,
    page_notes,
    suppressions,
    topics,
)

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = []

# People: list, page, forms.
urlpatterns += [
    path("", listing.index, name="index"),
    path("search/", listing.search, name="search"),
    path("acts/", listing.bulk, name="bulk"),
    path("export/", exporting.export, name="export"),
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
    path("<uuid:public_id>/copy/", page_copy.export, name="contact_export"),
    path("<uuid:public_id>/notes/", page_notes.note_new, name="note_new"),
    path("<uuid:public_id>/notes/<uuid:note_id>/", page_notes.note, name="note"),
    path("<uuid:public_id>/owner/", page_notes.owner, name="contact_owner"),
    path("<uuid:public_id>/objects/undo", objects.take_back, name="object_undo"),
    path("<uuid:public_id>/company/", page_notes.company, name="contact_company"),
    path("<uuid:public_id>/choices/<slug:what>/", page_notes.choices, name="choices"),
    path("<uuid:public_id>/mails/<str:month>/<int:message_id>/", page_mail.mail, name="contact_mail"),
    path("<uuid:public_id>/mails/<str:month>/<int:message_id>/body/", page_mail.mail_body, name="contact_mail_body"),
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

# Companies.
urlpatterns += [
    path("companies/", companies.index, name="companies"),
    path("companies/new/", companies.edit, name="company_create"),
    path("companies/links/", companies.link, name="companies_link"),
    path("companies/<uuid:public_id>/", companies.company, name="company"),
    path("companies/<uuid:public_id>/edit/", companies.edit, name="company_edit"),
    path("companies/<uuid:public_id>/merges/", companies.merge, name="company_merge"),
    path("companies/<uuid:public_id>/people/", companies.remove_person, name="company_person"),
]

# Custom objects.
urlpatterns += [
    path("objects/", objects.types, name="object_types"),
    path("objects/new-kind/", object_types.edit, name="object_type_create"),
    path("objects/<slug:key>/", objects.records, name="objects"),
    path("objects/<slug:key>/fields/", object_types.edit, name="object_type"),
    path("objects/<slug:key>/archiving/", object_types.archiving, name="object_type_archiving"),
    path("objects/<slug:key>/new/", objects.edit, name="object_create"),
    path("objects/<slug:key>/imports/new/", object_imports.new, name="object_import_new"),
    path("objects/<slug:key>/imports/<uuid:job_id>/", object_imports.show, name="object_import"),
    path("objects/<slug:key>/imports/<uuid:job_id>/refused/", object_imports.rejected, name="object_import_rejected"),
    path("objects/<slug:key>/<uuid:public_id>/", objects.record, name="object"),
    path("objects/<slug:key>/<uuid:public_id>/edit/", objects.edit, name="object_edit"),
    path("objects/<slug:key>/<uuid:public_id>/removal/", objects.removal, name="object_removal"),
]
