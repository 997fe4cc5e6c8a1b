from django.urls import URLPattern, URLResolver, path

from hongyan.web.events import keys, live, plan, traits

app_name = "events"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", plan.index, name="index"),
    path("names/new/", plan.create, name="create"),
    path("names/<int:pk>/", plan.show, name="name"),
    path("names/<int:pk>/violations/removal", plan.forget, name="forget"),
    path("retention/", plan.retention, name="retention"),
    path("live/", live.index, name="live"),
    path("traits/", traits.index, name="traits"),
    path("keys/", keys.index, name="keys"),
    path("keys/new/", keys.create, name="key_create"),
    path("keys/<uuid:public_id>/", keys.show, name="key"),
    path("keys/<uuid:public_id>/seen/", keys.seen, name="key_seen"),
    path("keys/<uuid:public_id>/rotation", keys.rotate, name="key_rotate"),
    path("keys/<uuid:public_id>/archive", keys.archive, name="key_archive"),
]
