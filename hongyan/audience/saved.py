"""Saved audiences: a name for a tree, every definition kept as a version."""

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.canonical import digest
from hongyan.audience.errors import BadValue, InUse
from hongyan.audience.lists import clean_name
from hongyan.audience.models import AudienceVersion, SavedAudience
from hongyan.audience.segments import checked
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import where_used
from hongyan.audit.services import record

_DEFINING = 7_105_042  # advisory lock


@transaction.atomic
def audience_create(*, actor: Actor, name: str, tree: Any, description: str = "") -> SavedAudience:
    """Raises BadTree or BadValue."""
    actor.require(Permission.AUDIENCE_EDIT)
    made = SavedAudience(name=clean_name(name), description=description.strip()[:400], current=1)
    _refuse_same_name(made)
    node = checked(tree, catalogue=catalogue_now())
    made.save()
    _add_version(actor, made, tree, digest(node))
    record(actor=actor, action="audience.created", subject_kind="audience", subject_id=str(made.public_id))
    return made


@transaction.atomic
def audience_update(
    *, actor: Actor, audience: SavedAudience, name: str, tree: Any, description: str = ""
) -> SavedAudience:
    """A definition that says the same as before adds no version. Raises BadTree (also for circles) or BadValue."""
    actor.require(Permission.AUDIENCE_EDIT)
    _one_at_a_time()
    audience = SavedAudience.objects.select_for_update().get(pk=audience.pk)
    audience.name, audience.description = clean_name(name), description.strip()[:400]
    _refuse_same_name(audience)
    node = checked(tree, catalogue=catalogue_now(), inside=str(audience.public_id))
    new_digest = digest(node)
    if bytes(audience.versions.get(number=audience.current).digest) != new_digest:
        audience.current += 1
        _add_version(actor, audience, tree, new_digest)
    audience.save()
    data = {"version": audience.current}
    record(
        actor=actor, action="audience.changed", subject_kind="audience", subject_id=str(audience.public_id), data=data
    )
    return audience


@transaction.atomic
def audience_duplicate(*, actor: Actor, audience: SavedAudience) -> SavedAudience:
    tree = audience.versions.get(number=audience.current).tree
    number = 1
    while True:
        suffix = _(" (copy)") if number == 1 else _(" (copy %(n)d)") % {"n": number}
        name = audience.name[: 120 - len(suffix)] + suffix
        if not SavedAudience.objects.filter(name=name).exists():
            return audience_create(actor=actor, name=name, tree=tree, description=audience.description)
        number += 1


@transaction.atomic
def audience_delete(*, actor: Actor, audience: SavedAudience) -> None:
    """Refused while another audience or a campaign uses it."""
    actor.require(Permission.AUDIENCE_EDIT)
    uses = where_used(UsedKind.AUDIENCE, str(audience.public_id))
    if uses:
        raise InUse(uses)
    record(actor=actor, action="audience.deleted", subject_kind="audience", subject_id=str(audience.public_id))
    audience.delete()


def _one_at_a_time() -> None:
    """Two changes at once could each be right and together close a circle."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DEFINING])


def _refuse_same_name(audience: SavedAudience) -> None:
    if SavedAudience.objects.filter(name=audience.name).exclude(pk=audience.pk).exists():
        raise BadValue("name", _("There is already an audience of this name."))


def _add_version(actor: Actor, audience: SavedAudience, tree: Any, tree_digest: bytes) -> None:
    AudienceVersion.objects.create(
        audience=audience, number=audience.current, tree=tree, digest=tree_digest, actor_label=actor.label[:120]
    )
