"""Reading: how many, who, who of them can be mailed, what they are like, and what there is."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.compiler.emit import emit, fold
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.engines.door import ask, ask_many, routed
from hongyan.audience.engines.mailing import Mail, refused
from hongyan.audience.engines.types import Engine
from hongyan.audience.errors import BadTree, NotFound
from hongyan.audience.models import (
    AudienceVersion,
    ContactList,
    ContactTag,
    ListMember,
    SavedAudience,
    Tag,
    TagGroup,
    current_versions,
)
from hongyan.audience.names import name_of_code
from hongyan.audience.segments import checked
from hongyan.audience.types import Breakdown, Suggestion
from hongyan.contacts.consent import refusals_sql
from hongyan.core import clock
from hongyan.core.sql import SQL, statement

_NAMES = re.compile(r"%\((\w+)\)s")


def count(*, actor: Actor, tree: Any, catalogue: Catalogue | None = None) -> int:
    """Exact, over everybody. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    catalogue = catalogue or catalogue_now()
    return ask(checked(tree, catalogue=catalogue), catalogue=catalogue).count()


def count_sql(members: SQL) -> int:
    return int(rows.query(f"SELECT count(*) FROM ({members.text}) members", members.params)[0][0])


def count_node(node: Node, catalogue: Catalogue) -> int:
    """Of a part of a checked tree."""
    return ask(node, catalogue=catalogue).count()


def count_nodes(nodes: Sequence[Node], catalogue: Catalogue) -> list[int]:
    """Of several parts of checked trees, as of one moment: what they have in common is looked at once."""
    return _sizes(nodes, catalogue)


def breakdown(
    *,
    actor: Actor,
    tree: Any,
    topic_id: int | None = None,
    transactional: bool = False,
    catalogue: Catalogue | None = None,
) -> Breakdown:
    """Whom a mail about this topic would reach, and why not the others. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    catalogue, now, engine = catalogue or catalogue_now(), clock.now(), routed()
    node, mail = checked(tree, catalogue=catalogue), Mail(topic_id, transactional)
    if engine is Engine.POSTGRES:
        total, found = _refused_by_rows(node, mail, catalogue, now)
    else:
        total, found = refused(node, mail, catalogue=catalogue, now=now, engine=engine)
    excluded = dict(sorted(found.items(), key=lambda item: -item[1]))
    return Breakdown(total=total, reachable=total - sum(excluded.values()), excluded=excluded)


def _refused_by_rows(node: Node, mail: Mail, catalogue: Catalogue, now: datetime) -> tuple[int, dict[str, int]]:
    members = emit(rewrite(node, catalogue), catalogue, now=now)
    refusals = refusals_sql(topic_id=mail.topic_id, transactional=mail.transactional)
    text = (
        f"SELECT r.refusal, count(*) FROM ({members.text}) members "
        f"JOIN ({refusals.text}) r ON r.id = members.id GROUP BY r.refusal"
    )
    found = dict(rows.query(text, {**members.params, **refusals.params}))
    total = sum(found.values())
    found.pop(None, None)
    return total, found


def suggest(*, actor: Actor, field: str, text: str, language: str, n: int = 20) -> list[Suggestion]:
    """Real values of a field that hold the text (or whose name does), the commonest first."""
    actor.require(Permission.CONTACT_VIEW)
    catalogue = catalogue_now()
    spec = catalogue.fields.get(field)
    if spec is None or not spec.suggests or spec.type is not FieldType.TEXT:
        return []
    name = "values_of_column" if spec.column else "values_of_attribute"
    query = statement("hongyan.audience", "reads.sql", name).replace("/*column*/", spec.column)
    query = query.replace("/*table*/", spec.table or "contacts_contact")
    # Codes are known by their names ("中国" for CN), which the database does not hold: take all and look here.
    wanted = "" if spec.names else fold(text)
    limit = 400 if spec.names else n
    found = [
        Suggestion(value, name_of_code(spec.names, value, language), how_many)
        for value, how_many in rows.query(query, {"text": wanted, "n": limit, "key": spec.attribute})
    ]
    if spec.names and text:
        found = [item for item in found if fold(text) in fold(f"{item.value} {item.label}")]
    return found[:n]


# ——— what there is


def audience_by_id(*, actor: Actor, public_id: UUID) -> tuple[SavedAudience, AudienceVersion]:
    """Raises NotFound."""
    actor.require(Permission.CONTACT_VIEW)
    version = current_versions().filter(audience__public_id=public_id).first()
    if version is None:
        raise NotFound
    return version.audience, version


def list_by_id(*, actor: Actor, public_id: UUID) -> ContactList:
    """Raises NotFound."""
    actor.require(Permission.CONTACT_VIEW)
    found = ContactList.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def sizes(trees: Sequence[Any], catalogue: Catalogue) -> list[int | None]:
    """How many each has and, last, how many contacts there are: one question for all. None where a stored definition is
    no longer right: its tag or field may have gone."""
    nodes: list[Node] = []
    places: list[int] = []
    for number, tree in enumerate([*trees, {"everyone": True}]):
        try:
            nodes.append(checked(tree, catalogue=catalogue))
        except BadTree:
            continue
        places.append(number)
    found: list[int | None] = [None] * (len(trees) + 1)
    for place, size in zip(places, _sizes(nodes, catalogue), strict=True):
        found[place] = size
    return found


def _sizes(nodes: Sequence[Node], catalogue: Catalogue) -> list[int]:
    now, engine = clock.now(), routed()
    if engine is not Engine.POSTGRES:
        return [answer.count() for answer in ask_many(nodes, catalogue=catalogue, now=now, engine=engine)]
    texts: list[str] = []
    params: dict[str, Any] = {}
    for number, node in enumerate(nodes):
        members = emit(rewrite(node, catalogue), catalogue, now=now)
        # Each statement has its values under names of its own.
        own = _NAMES.sub(rf"%(s{number}_\1)s", members.text)
        texts.append(f"(SELECT count(*) FROM ({own}) m{number})")
        params |= {f"s{number}_{name}": value for name, value in members.params.items()}
    return list(rows.query(f"SELECT {', '.join(texts)}", params)[0])


def tag_sizes(*, actor: Actor) -> dict[int, int]:
    """Tag id → contacts holding it."""
    actor.require(Permission.CONTACT_VIEW)
    return dict(ContactTag.objects.values_list("tag_id").annotate(size=Count("contact_id")).order_by())


def tag_size(*, actor: Actor, tag: Tag) -> int:
    actor.require(Permission.CONTACT_VIEW)
    return ContactTag.objects.filter(tag=tag).count()


def list_sizes(*, actor: Actor) -> dict[int, int]:
    actor.require(Permission.CONTACT_VIEW)
    return dict(ListMember.objects.values_list("list_id").annotate(size=Count("contact_id")).order_by())


def tag_and_list_sizes(*, actor: Actor) -> tuple[dict[int, int], dict[int, int]]:
    """Both in one question."""
    actor.require(Permission.CONTACT_VIEW)
    found: tuple[dict[int, int], dict[int, int]] = {}, {}
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "reads.sql", "tag_and_list_sizes"))
        for kind, number, size in cursor.fetchall():
            found[kind][number] = size
    return found


def tags_of_contacts(*, actor: Actor, contact_ids: Sequence[int]) -> dict[int, list[Tag]]:
    """For lists and pages of contacts; one query."""
    actor.require(Permission.CONTACT_VIEW)
    found: dict[int, list[Tag]] = {contact_id: [] for contact_id in contact_ids}
    held = ContactTag.objects.filter(contact_id__in=list(contact_ids)).select_related("tag__group")
    for row in held.order_by("tag__group__position", "tag__position", "tag_id"):
        found[row.contact_id].append(row.tag)
    return found


def lists_of_contact(*, actor: Actor, contact_id: int) -> list[ContactList]:
    actor.require(Permission.CONTACT_VIEW)
    return list(ContactList.objects.filter(members__contact_id=contact_id).order_by("name"))


def tag_tree(*, actor: Actor) -> list[tuple[TagGroup, list[Tag]]]:
    """Groups in reading order (each followed by those below it) with their own tags; two queries."""
    actor.require(Permission.CONTACT_VIEW)
    groups, tags = list(TagGroup.objects.all()), list(Tag.objects.all())
    ordered: list[TagGroup] = []

    def visit(parent_id: int | None) -> None:
        for group in groups:
            if group.parent_id == parent_id:
                ordered.append(group)
                visit(group.pk)

    visit(None)
    return [(group, [tag for tag in tags if tag.group_id == group.pk]) for group in ordered]
