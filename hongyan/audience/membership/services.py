"""What people decide about members: whether an audience is followed, and snapshots of who is in."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.errors import InUse
from hongyan.audience.lists import list_create
from hongyan.audience.models import SavedAudience
from hongyan.audience.models_membership import AudienceSnapshot, Following
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import where_used
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start


@transaction.atomic
def audience_live_set(*, actor: Actor, audience: SavedAudience, live: bool) -> Following:
    """Live: members are kept current, coming and going are events. Otherwise the audience is counted on demand only,
    and its members and their history of moves are forgotten; nobody leaves by that."""
    actor.require(Permission.AUDIENCE_EDIT)
    Following.objects.get_or_create(audience=audience)
    row = Following.objects.select_for_update().get(audience=audience)
    if row.live == live:
        return row
    row.live = live
    row.state = Following.State.WAITING if live else Following.State.OFF
    row.fingerprint, row.filled_at = None, None
    row.save(update_fields=["live", "state", "fingerprint", "filled_at"])
    action = "audience.followed" if live else "audience.unfollowed"
    record(actor=actor, action=action, subject_kind="audience", subject_id=str(audience.public_id))
    return row


@transaction.atomic
def snapshot_take(*, actor: Actor, audience: SavedAudience, name: str = "") -> tuple[AudienceSnapshot, Job]:
    """Keep who is in now as a list that is not changed any more: ``snapshot.list`` serves conditions, campaigns and
    exports. The job copies; ``taken_at`` is the moment it speaks of. Raises BadValue for a name that is taken."""
    actor.require(Permission.AUDIENCE_EDIT)
    version = audience.versions.get(number=audience.current)
    made = list_create(actor=actor, name=name or _free_name(audience), description=_("Snapshot of an audience"))
    snapshot = AudienceSnapshot.objects.create(
        audience=audience,
        list=made,
        name=audience.name,
        version=version.number,
        tree=version.tree,
        actor_label=actor.label[:120],
    )
    data = {"version": version.number, "list": str(made.public_id)}
    subject = str(audience.public_id)
    record(actor=actor, action="audience.snapshot_taken", subject_kind="audience", subject_id=subject, data=data)
    job = job_start(
        actor=actor,
        kind="audience.snapshot",
        params={"snapshot_id": snapshot.pk},
        title=gettext_noop("Snapshot of “%(audience)s”"),
        title_params={"audience": audience.name},
    )
    return snapshot, job


@transaction.atomic
def snapshot_delete(*, actor: Actor, snapshot: AudienceSnapshot) -> None:
    """With its list. Refused (InUse) while something uses the list."""
    actor.require(Permission.AUDIENCE_EDIT)
    uses = where_used(UsedKind.LIST, str(snapshot.list.public_id))
    if uses:
        raise InUse(uses)
    data = {"list": str(snapshot.list.public_id)}
    subject = str(snapshot.public_id)
    record(actor=actor, action="audience.snapshot_deleted", subject_kind="snapshot", subject_id=subject, data=data)
    snapshot.list.delete()


def _free_name(audience: SavedAudience) -> str:
    """The audience and the minute, in the organisation's zone; numbered when that was taken already."""
    from zoneinfo import ZoneInfo

    from django.conf import settings

    from hongyan.audience.models import ContactList

    at = clock.now().astimezone(ZoneInfo(settings.HONGYAN_TIME_ZONE))
    number = 1
    while True:
        suffix = f" · {at:%Y-%m-%d %H:%M}" + (f" ({number})" if number > 1 else "")
        name = audience.name[: 120 - len(suffix)] + suffix
        if not ContactList.objects.filter(name=name).exists():
            return name
        number += 1
