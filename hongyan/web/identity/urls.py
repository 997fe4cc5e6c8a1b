from django.urls import URLPattern, URLResolver, path

from hongyan.web.identity import merges, queue, rules, runs, why

app_name = "identity"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.index, name="index"),
    path("pairs/<uuid:public_id>/merge/", queue.pair_merged, name="pair_merge"),
    path("pairs/<uuid:public_id>/apart/", queue.pair_parted, name="pair_apart"),
    path("pairs/<uuid:public_id>/reopening/", queue.pair_reopened, name="pair_reopen"),
    path("sure/", queue.sure, name="sure"),
    path("compare/<uuid:first>/<uuid:second>/", queue.compare, name="compare"),
    path("merges/", merges.index, name="merges"),
    path("merges/<uuid:public_id>/undoing/", merges.undo, name="merge_undo"),
    path("runs/", runs.index, name="runs"),
    path("runs/progress/", runs.progress, name="run_progress"),
    path("runs/new/", runs.start, name="run_start"),
    path("runs/failed/retrial/", runs.retry_failed, name="retry_failed"),
    path("rules/", rules.index, name="rules"),
    path("contact/<uuid:public_id>/why/<str:field>/", why.page, name="why"),
    path("contact/<uuid:public_id>/why/<str:field>/choice/", why.choose, name="why_choose"),
    path("contact/<uuid:public_id>/why/<str:field>/lock/", why.lock, name="why_lock"),
]
