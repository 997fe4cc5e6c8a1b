"""Looking for suggestions: starting a run, the work itself, and what it found."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.rewrite import expand
from hongyan.audience.errors import BadTree, NotFound
from hongyan.audience.models import ContactList, SavedAudience, Tag
from hongyan.audience.models_suggest import SuggestionRun
from hongyan.audience.saved import audience_create
from hongyan.audience.segments import checked
from hongyan.audience.suggest.types import Progress
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.jobs.services import job_start

EVERYONE = "everyone"
KEPT = 50  # runs shown; older ones go with the next run


@transaction.atomic
def suggestion_start(*, actor: Actor, kind: SuggestionRun.Kind, target: str, with_kin: bool = False) -> SuggestionRun:
    """target: "audience:<public id>", "list:<public id>", "tag:<key>"; of clusters also "everyone". Raises NotFound, or
    BadTree when the audience is no longer right."""
    actor.require(Permission.AUDIENCE_EDIT)
    if kind is SuggestionRun.Kind.LOOK_ALIKE and target == EVERYONE:
        raise NotFound
    name, tree = _target(target)
    checked(tree, catalogue=catalogue_now())
    run = SuggestionRun.objects.create(
        kind=kind, target=target, target_name=name, tree=tree, with_kin=with_kin, actor_label=actor.label[:120]
    )
    run.job = job_start(
        actor=actor, kind="audience.suggest", params={"run_id": run.pk}, title=gettext_noop("Suggest audiences")
    )
    run.save(update_fields=["job"])
    old = SuggestionRun.objects.order_by("-created_at").values_list("pk", flat=True)[KEPT:]
    SuggestionRun.objects.filter(pk__in=list(old)).exclude(finished_at=None).delete()
    record(actor=actor, action="suggestion.started", subject_kind="suggestion", subject_id=str(run.public_id))
    return run


def suggestion_work(run_id: int, progress: Progress) -> dict[str, Any]:
    """The job's work; progress raises when it is cancelled. Starting over is harmless."""
    # Only here: scikit-learn takes seconds to load and much memory, which no page and no other job should pay.
    from hongyan.audience.suggest.clusters import clusters
    from hongyan.audience.suggest.lookalike import TooFew, look_alikes

    run = SuggestionRun.objects.get(pk=run_id)
    now, catalogue = clock.now(), catalogue_now()
    try:
        node = checked(run.tree, catalogue=catalogue)
        if run.kind == SuggestionRun.Kind.LOOK_ALIKE:
            left_out = [] if run.with_kin else [expand(node, catalogue)]
            found = look_alikes(run.tree, left_out=left_out, catalogue=catalogue, now=now, progress=progress)
        else:
            found = clusters(run.tree, catalogue=catalogue, now=now, progress=progress)
    except (TooFew, BadTree) as refusal:
        run.problem = "too_few" if isinstance(refusal, TooFew) else "bad_tree"
        run.found = {"suggestions": []}
    else:
        run.found, run.problem = found.to_json(), ""
    run.finished_at = clock.now()
    run.save(update_fields=["found", "problem", "finished_at"])
    return {"suggestions": len(run.found["suggestions"])}


def suggestion_by_id(*, actor: Actor, public_id: UUID) -> SuggestionRun:
    """Raises NotFound."""
    actor.require(Permission.CONTACT_VIEW)
    run = SuggestionRun.objects.filter(public_id=public_id).select_related("job").first()
    if run is None:
        raise NotFound
    return run


def suggestion_runs(*, actor: Actor, limit: int = 20) -> list[SuggestionRun]:
    actor.require(Permission.CONTACT_VIEW)
    return list(SuggestionRun.objects.select_related("job").order_by("-created_at")[:limit])


def suggestion_save(*, actor: Actor, run: SuggestionRun, place: int, name: str) -> SavedAudience:
    """One of the suggestions as a saved audience. Raises NotFound, BadValue or BadTree."""
    found = (run.found or {}).get("suggestions", [])
    if not 0 <= place < len(found):
        raise NotFound
    return audience_create(actor=actor, name=name, tree=found[place]["tree"])


def _target(target: str) -> tuple[str, dict[str, Any]]:
    kind, _sep, key = target.partition(":")
    if target == EVERYONE:
        return "", {"everyone": True}
    try:
        match kind:
            case "audience":
                return SavedAudience.objects.get(public_id=UUID(key)).name, {"audience": str(UUID(key))}
            case "list":
                return ContactList.objects.get(public_id=UUID(key)).name, {"list": str(UUID(key))}
            case "tag":
                tag = Tag.objects.get(key=key)
                return tag.name_zh or tag.name_en, {"tag": key}
    except (ValueError, SavedAudience.DoesNotExist, ContactList.DoesNotExist, Tag.DoesNotExist):
        pass
    raise NotFound
