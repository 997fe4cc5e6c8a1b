"""Lists: people put together by hand, by an import, or once from an audience."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadValue, Frozen, InUse
from hongyan.audience.models import AudienceSnapshot, ContactList
from hongyan.audience.segments import checked
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import where_used
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start


@transaction.atomic
def list_create(*, actor: Actor, name: str, description: str = "") -> ContactList:
    actor.require(Permission.AUDIENCE_EDIT)
    made = ContactList(name=clean_name(name), description=description.strip()[:400])
    if ContactList.objects.filter(name=made.name).exists():
        raise BadValue("name", _("There is already a list of this name."))
    made.save()
    record(actor=actor, action="list.created", subject_kind="list", subject_id=str(made.public_id))
    return made


@transaction.atomic
def list_update(*, actor: Actor, contact_list: ContactList, name: str, description: str) -> ContactList:
    actor.require(Permission.AUDIENCE_EDIT)
    contact_list.name, contact_list.description = clean_name(name), description.strip()[:400]
    if ContactList.objects.filter(name=contact_list.name).exclude(pk=contact_list.pk).exists():
        raise BadValue("name", _("There is already a list of this name."))
    contact_list.save(update_fields=["name", "description"])
    record(actor=actor, action="list.changed", subject_kind="list", subject_id=str(contact_list.public_id))
    return contact_list


@transaction.atomic
def list_delete(*, actor: Actor, contact_list: ContactList) -> None:
    """Refused while something uses it. The people stay, only the list goes."""
    actor.require(Permission.AUDIENCE_EDIT)
    uses = where_used(UsedKind.LIST, str(contact_list.public_id))
    if uses:
        raise InUse(uses)
    record(actor=actor, action="list.deleted", subject_kind="list", subject_id=str(contact_list.public_id))
    contact_list.delete()


@transaction.atomic
def list_add(*, actor: Actor, contact_list: ContactList, contact_ids: Sequence[int], source: str = "user") -> int:
    """Returns how many were new on it. Raises Frozen for the list of a snapshot."""
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_frozen(contact_list)
    added = add_to_list(contact_list.pk, contact_ids, source)
    data = {"contacts": added}
    record(actor=actor, action="list.added", subject_kind="list", subject_id=str(contact_list.public_id), data=data)
    return added


@transaction.atomic
def list_remove(*, actor: Actor, contact_list: ContactList, contact_ids: Sequence[int]) -> int:
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_frozen(contact_list)
    removed = rows.run("list_remove", list_id=contact_list.pk, ids=list(contact_ids))
    data = {"contacts": removed}
    record(actor=actor, action="list.removed", subject_kind="list", subject_id=str(contact_list.public_id), data=data)
    return removed


@transaction.atomic
def list_add_members(*, actor: Actor, contact_list: ContactList, tree: Any) -> Job:
    """Put everyone the tree holds now on the list, as a job. Raises BadTree."""
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_frozen(contact_list)
    checked(tree, catalogue=catalogue_now())
    record(actor=actor, action="list.filled", subject_kind="list", subject_id=str(contact_list.public_id))
    return job_start(
        actor=actor,
        kind="audience.list",
        params={"list_id": contact_list.pk, "tree": tree, "at": clock.now().isoformat()},
        title=gettext_noop("Fill list “%(list)s”"),
        title_params={"list": contact_list.name},
    )


def _refuse_frozen(contact_list: ContactList) -> None:
    if AudienceSnapshot.objects.filter(list=contact_list).exists():
        raise Frozen("list", _("This list is a snapshot: it stays as it was taken."))


def add_to_list(list_id: int, contact_ids: Sequence[int], source: str) -> int:
    return rows.run("list_add", list_id=list_id, ids=list(contact_ids), source=source[:64], at=clock.now())


def clean_name(name: str) -> str:
    text = " ".join(name.split())
    if not text:
        raise BadValue("name", _("A name is needed."))
    if len(text) > 120:
        raise BadValue("name", _("The name is too long."))
    return text
