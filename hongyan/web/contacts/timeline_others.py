"""The smaller sources of the timeline: notes, consent, changes, merges, tags, lists, imports, and the beginning."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.audience.models import ListMember, TagChange, TagChangeItem
from hongyan.contacts.masking import STARS
from hongyan.contacts.timeline import Deed, Position, Rank, bound, deeds
from hongyan.contacts.topics import topic_name, topics
from hongyan.web.contacts import words
from hongyan.web.contacts.common import language
from hongyan.web.contacts.timeline import Answer, Asked, Item

_KIND_OF_RANK = {
    Rank.NOTES: "notes",
    Rank.CONSENT: "consent",
    Rank.CHANGED: "profile",
    Rank.MERGED: "profile",
}


def own(asked: Asked) -> Answer:
    """What the room of contacts keeps: one statement."""
    ranks = [rank for rank, kind in _KIND_OF_RANK.items() if asked.wants(kind)]
    if not ranks:
        return Answer([])
    found = deeds(
        actor=asked.actor,
        contact_id=asked.contact.pk,
        contact_ids=asked.contact_ids,
        public_ids=asked.public_ids,
        before=asked.before,
        limit=asked.limit,
        ranks=ranks,
    )
    stops = []
    for rank in ranks:
        mine = [deed.position for deed in found if deed.position.rank == rank]
        if len(mine) >= asked.limit:
            stops.append(min(mine))
    names = {topic.key: topic_name(topic, language()) for topic in topics()} if _speaks_of_topics(found) else {}
    return Answer([_item(asked, deed, names) for deed in found], max(stops, default=None))


def tags(asked: Asked) -> Answer:
    """Tags given and taken, lists joined."""
    if not asked.wants("tags"):
        return Answer([])
    at, pk = bound(asked.before, Rank.TAGS)
    rows = list(
        TagChangeItem.objects.filter(contact_id=asked.contact.pk)
        .filter(Q(change__at__lt=at) | Q(change__at=at, change_id__lt=pk))
        .select_related("change__tag", "previous")
        .order_by("-change__at", "-change_id")[: asked.limit]
    )
    items = [_tag_item(row) for row in rows]
    horizon = items[-1].position if len(rows) == asked.limit else None
    joined = ListMember.objects.filter(contact_id=asked.contact.pk).select_related("list").order_by("-at")[:100]
    for row in joined:
        position = Position(row.at, Rank.LISTS, row.list_id)
        if position < asked.before:
            title = _("Put on the list “%(list)s”") % {"list": row.list.name}
            url = reverse("audiences:list", args=[row.list.public_id])
            items.append(Item(position, title=title, icon="list", by=_way(row.source), open_url=url))
    return Answer(items, horizon)


def beginnings(asked: Asked) -> Answer:
    """Where the record and its values came from: read off the record itself."""
    if not asked.wants("profile"):
        return Answer([])
    contact = asked.contact
    items = []
    title = _("Added to Hongyan")
    source = words.source_name(contact.source)
    begun = Position(contact.created_at, Rank.CREATED, 0)
    items.append(Item(begun, title=title, icon="user-plus", by=source, open_url=_import_url(asked, contact.source)))
    for (source_key, at), keys in _brought(contact.provenance).items():
        if source_key.split(":")[0] in {"staff", "api"} or abs((at - contact.created_at).total_seconds()) < 2:
            continue  # staff and programs are on record by themselves
        names = _(", ").join(words.field_name(key) for key in keys if key != "*")
        title = _("Values from %(source)s") % {"source": words.source_name(source_key)}
        lines = [names] if names else []
        number = sum(source_key.encode())
        position, url = Position(at, Rank.IMPORTS, number), _import_url(asked, source_key)
        items.append(Item(position, title=title, icon="file-import", lines=lines, open_url=url))
    return Answer([item for item in items if item.position < asked.before])


def _import_url(asked: Asked, source: str) -> str:
    """The page of the import that a value came with."""
    kind, _colon, number = source.partition(":")
    if kind != "import" or not asked.actor.may(Permission.IMPORT_RUN):
        return ""
    try:
        return reverse("imports:show", args=[UUID(number)])
    except (ValueError, NoReverseMatch):
        return ""


def _brought(provenance: Mapping[str, Any]) -> dict[tuple[str, datetime], list[str]]:
    """(source, time) → fields that stand as that source left them."""
    found: dict[tuple[str, datetime], list[str]] = {}
    for key, entry in provenance.items():
        if not isinstance(entry, list) or len(entry) != 2 or not entry[1]:
            continue
        at = datetime.fromisoformat(entry[1])
        if at.tzinfo is not None:
            found.setdefault((str(entry[0]), at), []).append(key)
    return found


def _speaks_of_topics(found: Sequence[Deed]) -> bool:
    return any(deed.position.rank == Rank.CONSENT and deed.data["topic"] for deed in found)


def _item(asked: Asked, deed: Deed, names: Mapping[str, str]) -> Item:
    if deed.position.rank == Rank.NOTES:
        return _note(asked, deed)
    if deed.position.rank == Rank.CONSENT:
        return _consent(deed, names)
    if deed.position.rank == Rank.MERGED:
        return Item(deed.position, title=_("Another record of this person was merged in"), icon="arrow-merge")
    return _change(deed)


def _note(asked: Asked, deed: Deed) -> Item:
    mine = asked.clear and asked.actor.kind == "user" and deed.data["author_id"] == asked.actor.id
    return Item(
        deed.position,
        title=_("Note"),
        icon="note",
        tone="busy",
        by=deed.data["author"],
        text=deed.text if asked.clear else STARS,
        masked=not asked.clear,
        note_id=deed.data["public_id"] if mine and asked.actor.may(Permission.CONTACT_EDIT) else "",
        edited=deed.data["edited_at"] is not None,
    )


def _consent(deed: Deed, names: Mapping[str, str]) -> Item:
    data = deed.data
    about = names.get(data["topic"], data["topic"]) if data["topic"] else str(words.CHANNELS.get(data["channel"], ""))
    action = str(words.ACTIONS.get(data["action"], data["action"]))
    tones = {"given": "ok", "withdrawn": "warn", "refused": "warn"}
    icons = {"given": "shield-check", "withdrawn": "shield-off", "refused": "shield-x", "requested": "mail-question"}
    method = str(words.METHODS.get(data["method"], data["method"]))
    return Item(
        deed.position,
        title=_("Consent %(action)s: %(about)s") % {"action": action.lower(), "about": about},
        icon=icons.get(data["action"], "shield"),
        tone=tones.get(data["action"], ""),
        by=" · ".join(filter(None, (method, data["by"] if data["method"] == "staff" else ""))),
        lines=[data["wording"]] if data["wording"] else [],
    )


def _change(deed: Deed) -> Item:
    data, action = deed.data, deed.data["action"]
    if action == "contact.changed":
        fields = [words.field_name(key) for key in data["data"].get("fields", [])]
        title = _("Changed: %(fields)s") % {"fields": _(", ").join(fields)}
        return Item(deed.position, title=title, icon="pencil", by=data["by"])
    if action == "contact.assigned":
        owner = data["owner"]
        title = _("Now the customer of %(owner)s") % {"owner": owner} if owner else _("No longer anybody's customer")
        return Item(deed.position, title=title, icon="user-star", by=data["by"])
    titles = {
        "contact.exported": (_("Everything held was handed out"), "download"),
        "contact.unmerged": (_("A merge was undone"), "arrows-split-2"),
        "contact.suppressed": (_("Address suppressed"), "shield-x"),
        "contact.unsuppressed": (_("Address no longer suppressed"), "shield-check"),
    }
    title, icon = titles.get(action, (action, "point"))
    return Item(deed.position, title=title, icon=icon, by=data["by"])


def _tag_item(row: TagChangeItem) -> Item:
    change = row.change
    name = words.tag_name(change.tag)
    added = change.action == TagChange.Action.ADD
    title = _("Tag given: %(tag)s") % {"tag": name} if added else _("Tag taken away: %(tag)s") % {"tag": name}
    lines = [_("in place of %(tag)s") % {"tag": words.tag_name(row.previous)}] if row.previous is not None else []
    if change.undone_at is not None:
        lines.append(_("undone since"))
    return Item(
        Position(change.at, Rank.TAGS, change.pk),
        title=title,
        icon="tag" if added else "tag-off",
        by=_way(change.source, change.actor_label),
        lines=lines,
        quiet=change.undone_at is not None,
    )


def _way(source: str, actor: str = "") -> str:
    kind = source.partition(":")[0]
    if kind in {"user", "staff", "audience"}:
        return actor
    return words.source_name(source)
