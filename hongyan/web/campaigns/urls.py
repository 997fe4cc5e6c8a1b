from django.urls import URLPattern, URLResolver, path

from hongyan.web.campaigns import acts, approvals, editor, listing, page, previews

app_name = "campaigns"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", listing.index, name="index"),
    path("new", editor.create, name="create"),
    path("approvals", approvals.queue, name="approvals"),
    path("approvals/<uuid:public_id>", approvals.item, name="approval"),
    path("approvals/<uuid:public_id>/decision", approvals.decision, name="decision"),
    path("<uuid:public_id>", page.overview, name="page"),
    path("<uuid:public_id>/progress", page.progress, name="progress"),
    path("<uuid:public_id>/recipients", page.recipients, name="recipients"),
    path("<uuid:public_id>/content", page.content, name="content"),
    path("<uuid:public_id>/log", page.log, name="log"),
    path("<uuid:public_id>/edit/about", editor.about, name="about"),
    path("<uuid:public_id>/edit/audience", editor.audience, name="audience"),
    path("<uuid:public_id>/edit/audience/count", editor.audience_count, name="audience_count"),
    path("<uuid:public_id>/edit/mail", editor.mail, name="mail"),
    path("<uuid:public_id>/edit/sending", editor.sending, name="sending"),
    path("<uuid:public_id>/review", editor.review, name="review"),
    path("<uuid:public_id>/outside/<str:reason>", page.outside, name="outside"),
    path("<uuid:public_id>/preview", previews.preview, name="preview"),
    path("<uuid:public_id>/preview/body", previews.body, name="preview_body"),
    path("<uuid:public_id>/test", previews.test_send, name="test"),
    path("<uuid:public_id>/choices", acts.choices, name="choices"),
    path("<uuid:public_id>/start", acts.start, name="start"),
    path("<uuid:public_id>/schedule", acts.schedule, name="schedule"),
    path("<uuid:public_id>/unschedule", acts.unschedule, name="unschedule"),
    path("<uuid:public_id>/approval", acts.request_approval, name="request_approval"),
    path("<uuid:public_id>/approval/withdrawal", acts.withdraw, name="withdraw"),
    path("<uuid:public_id>/pause", acts.pause, name="pause"),
    path("<uuid:public_id>/resume", acts.resume, name="resume"),
    path("<uuid:public_id>/cancel", acts.cancel, name="cancel"),
    path("<uuid:public_id>/edit", acts.edit, name="edit"),
    path("<uuid:public_id>/duplicate", acts.duplicate, name="duplicate"),
]
