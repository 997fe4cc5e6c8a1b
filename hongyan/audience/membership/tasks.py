"""Shells of the worker: the periodic note of sizes, and the copying of a snapshot."""

from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.emit import emit
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.lists import add_to_list
from hongyan.audience.membership.writing import note_sizes
from hongyan.audience.models import AudienceSnapshot, ListMember
from hongyan.audience.segments import checked
from hongyan.core import clock
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic

_CHUNK: Final = 20_000


@periodic(cron="*/10 * * * *", name="audience.sizes")
def audience_sizes() -> None:
    """Also audiences in which nobody moved have a size every day."""
    note_sizes(clock.now())


@job_kind("audience.snapshot", title=_("Snapshot of an audience"), resumable=True)
def snapshot_job(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Who is in at one moment, looked at in one transaction and then written in short ones. Begun again after a
    death, it speaks of another moment: half a snapshot is never ready."""
    snapshot = AudienceSnapshot.objects.select_related("list").get(pk=params["snapshot_id"])
    if snapshot.state == AudienceSnapshot.State.READY:
        return {"size": snapshot.size}
    ListMember.objects.filter(list=snapshot.list).delete()
    at = clock.now()
    catalogue = catalogue_now()
    asked = emit(rewrite(checked(snapshot.tree, catalogue=catalogue), catalogue), catalogue, now=at)
    ids = np.fromiter((row[0] for row in rows.query(asked.text, asked.params)), np.int64)
    handle.advance(0, len(ids))
    for first in range(0, len(ids), _CHUNK):
        add_to_list(snapshot.list_id, ids[first : first + _CHUNK].tolist(), "snapshot")
        handle.advance(min(first + _CHUNK, len(ids)))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audience_listmember WHERE list_id = %s", [snapshot.list_id])
        snapshot.size = int(cursor.fetchone()[0])  # who was erased meanwhile is not in it
        snapshot.taken_at, snapshot.state = at, AudienceSnapshot.State.READY
        snapshot.save(update_fields=["size", "taken_at", "state"])
    return {"size": snapshot.size}
