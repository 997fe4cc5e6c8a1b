from django.urls import URLPattern, URLResolver, path

from hongyan.web.sources import listing, quarantine, wizard

app_name = "sources"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", listing.index, name="index"),
    path("sources/", listing.source_list, name="list"),
    path("sources/new/", wizard.new, name="new"),
    path("sources/<uuid:public_id>/", listing.show, name="show"),
    path("sources/<uuid:public_id>/connection/", wizard.connect, name="connect"),
    path("sources/<uuid:public_id>/records/", wizard.choose, name="choose"),
    path("sources/<uuid:public_id>/columns/", wizard.map_columns, name="map"),
    path("sources/<uuid:public_id>/times/", wizard.plan, name="schedule"),
    path("sources/<uuid:public_id>/run", listing.run, name="run"),
    path("sources/<uuid:public_id>/cancellation", listing.cancel, name="cancel"),
    path("sources/<uuid:public_id>/pause", listing.pause, name="pause"),
    path("sources/<uuid:public_id>/resumption", listing.resume, name="resume"),
    path("sources/<uuid:public_id>/rereading", listing.read_again, name="read_again"),
    path("sources/<uuid:public_id>/name", listing.rename, name="rename"),
    path("sources/<uuid:public_id>/removal", listing.remove, name="remove"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("quarantine/group/retrial", quarantine.retry_group, name="retry_group"),
    path("quarantine/group/discarding", quarantine.discard_group, name="discard_group"),
    path("quarantine/group/return", quarantine.put_back_group, name="put_back_group"),
    path("quarantine/records.csv", quarantine.export, name="quarantine_file"),
    path("quarantine/<uuid:public_id>/", quarantine.show, name="record"),
    path("quarantine/<uuid:public_id>/edition", quarantine.edit, name="record_edit"),
    path("quarantine/<uuid:public_id>/retrial", quarantine.retry, name="record_retry"),
    path("quarantine/<uuid:public_id>/discarding", quarantine.discard, name="record_discard"),
    path("quarantine/<uuid:public_id>/return", quarantine.put_back, name="record_put_back"),
]
