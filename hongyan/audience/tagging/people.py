"""Whom several trees mean at once: everybody as arrays, or among a few contacts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.emit import emit
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.engines.door import ask_many, routed
from hongyan.audience.engines.types import Engine
from hongyan.audience.membership import batch
from hongyan.audience.membership.needs import needs_of
from hongyan.audience.membership.statement import among
from hongyan.audience.segments import checked
from hongyan.core.sql import SQL, numbers

IDs = npt.NDArray[np.int64]
Places = npt.NDArray[np.int16]
NONE = -1


def everyone_of(trees: Sequence[Any], *, catalogue: Catalogue, now: datetime) -> list[IDs]:
    """Everybody each tree means, as of one moment, by whichever engine suits the size. Raises BadTree."""
    nodes = [checked(tree, catalogue=catalogue) for tree in trees]
    if routed() is Engine.POSTGRES:
        return _by_rows(nodes, catalogue, now)
    answers = ask_many(nodes, catalogue=catalogue, now=now)
    return [np.asarray(answer.ids().to_numpy(zero_copy_only=False), dtype=np.int64) for answer in answers]


def _by_rows(nodes: Sequence[Node], catalogue: Catalogue, now: datetime) -> list[IDs]:
    """One statement for all, so that they are of one moment."""
    params: dict[str, Any] = {}
    texts = []
    for place, node in enumerate(nodes):
        members = _renamed(emit(rewrite(node, catalogue), catalogue, now=now), place)
        params |= members.params
        texts.append(f"(SELECT array_agg(id ORDER BY id) FROM ({members.text}) m{place})")
    found = rows.query(f"SELECT {', '.join(texts)}", params)[0] if texts else ()
    return [np.array(ids or [], dtype=np.int64) for ids in found]


def ids_of(tree: Any, *, catalogue: Catalogue, now: datetime) -> IDs:
    """Everybody the tree means. Raises BadTree."""
    return everyone_of([tree], catalogue=catalogue, now=now)[0]


def first_places(trees: Sequence[Any], *, catalogue: Catalogue, now: datetime) -> Places:
    """By contact id: which of the trees is the first that holds; NONE where none does or there is no such contact."""
    found = everyone_of(trees, catalogue=catalogue, now=now)
    places = blank(max((int(ids.max()) for ids in found if len(ids)), default=0))
    for place in reversed(range(len(trees))):
        places[found[place]] = place
    return places


def blank(highest: int) -> Places:
    return np.full(highest + 1, NONE, dtype=np.int16)


def same_length(one: Places, other: Places) -> tuple[Places, Places]:
    """Both as long as the longer one."""
    length = max(len(one), len(other))

    def grown(places: Places) -> Places:
        return np.concatenate([places, np.full(length - len(places), NONE, dtype=np.int16)])

    return grown(one), grown(other)


def members_among(
    trees: Sequence[Any], contact_ids: Sequence[int], *, catalogue: Catalogue, now: datetime
) -> list[set[int]]:
    """Of these contacts, whom each tree means: they and what they did are copied aside once, and all trees are asked of
    the copy (``membership.batch``)."""
    found: list[set[int]] = [set() for _tree in trees]
    if not trees or not contact_ids:
        return found
    params: dict[str, Any] = {}
    parts, needs = [], []
    for place, tree in enumerate(trees):
        node = rewrite(checked(tree, catalogue=catalogue), catalogue)
        made = among(node, catalogue, prefix=f"r{place}_")
        params |= {**made.params(now), f"r{place}_ids": numbers(contact_ids)}
        parts.append(f"SELECT {place}::int, array_agg(m.id) FROM ({made.text}) m")
        needs.append(needs_of(node, catalogue, now=now))
    batch.ready()
    with transaction.atomic(), connection.cursor() as cursor:
        batch.take(needs, contact_ids, now=now)
        cursor.execute(" UNION ALL ".join(parts), params)
        for place, ids in cursor.fetchall():
            found[place].update(ids or ())
    return found


def first_among(
    trees: Sequence[Any], contact_ids: Sequence[int], *, catalogue: Catalogue, now: datetime
) -> dict[int, int]:
    """Contact → place of the first tree that holds; without those for whom none does."""
    first: dict[int, int] = {}
    for place, ids in enumerate(members_among(trees, contact_ids, catalogue=catalogue, now=now)):
        for contact_id in ids:
            first.setdefault(contact_id, place)
    return first


def _renamed(members: SQL, number: int) -> SQL:
    """Values under names of their own, so that several statements can stand in one."""
    text = rows.PARAMETER.sub(rf"%(r{number}_\1)s", members.text)
    return SQL(text, {f"r{number}_{name}": value for name, value in members.params.items()})
