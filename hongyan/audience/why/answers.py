"""Why somebody is, or is not, in a segment: each condition by itself, with what decided it.

Whether a condition holds is asked of the database, with the statement that decides membership; which events decided is
told by the reference meaning, from the contact's events.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.compiler.emit import emit_among
from hongyan.audience.compiler.emit_values import Comparisons
from hongyan.audience.compiler.explain import explain_part
from hongyan.audience.compiler.nodes import All, AnyOf, FieldIs, InAudience, Node, Not, children
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.segments import checked
from hongyan.audience.why.evidence import Evidence, events_of, evidence_of, names_in
from hongyan.core import clock
from hongyan.core.sql import SQL

__all__ = ["Evidence", "Reason", "why"]
_NAMES: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of the tree and whether it holds of the contact.

    path: JSON pointer of the part; inside a saved audience it goes on with "/audience" and the pointer within.
    kind: "all", "any", "not", "audience" or, of a condition, "condition". parts: what a group or audience is made of.
    """

    path: str
    kind: str
    holds: bool
    sentence: str
    parts: tuple["Reason", ...] = ()
    evidence: Evidence | None = None


def why(
    *,
    actor: Actor,
    tree: Any,
    contact_id: int,
    language: str,
    catalogue: Catalogue | None = None,
    now: datetime | None = None,
) -> Reason:
    """Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    found = catalogue or catalogue_now()
    asked = _Asked(found, now or clock.now(), contact_id, language)
    root = _Part(checked(tree, catalogue=found), "", found)
    asked.look(root)
    return asked.reason(root)


class _Part:
    """A node, where it stands, and what it is made of."""

    def __init__(self, node: Node, prefix: str, catalogue: Catalogue) -> None:
        self.node = node
        self.path = prefix + node.path
        match node:
            case All() | AnyOf() | Not():
                self.parts = [_Part(child, prefix, catalogue) for child in children(node)]
            case InAudience(public_id):
                definition = parse(catalogue.audiences[public_id].tree)
                self.parts = [_Part(definition, f"{self.path}/audience", catalogue)]
            case _:
                self.parts = []

    def leaves(self) -> list["_Part"]:
        return [leaf for part in self.parts for leaf in part.leaves()] if self.parts else [self]


@dataclass(slots=True)
class _Asked:
    catalogue: Catalogue
    now: datetime
    contact_id: int
    language: str
    held: Mapping[str, bool] = field(default_factory=dict)  # by path, as ``look`` found it
    evidence: Mapping[str, Evidence | None] = field(default_factory=dict)

    def look(self, root: _Part) -> None:
        """Two questions for all conditions together, and one for each kind of value that is shown."""
        leaves = root.leaves()
        members = [
            emit_among(rewrite(leaf.node, self.catalogue), self.catalogue, now=self.now, contact_ids=[self.contact_id])
            for leaf in leaves
        ]
        answers = _ask([SQL(f"EXISTS ({one.text})", one.params) for one in members])
        self.held = {leaf.path: bool(answer) for leaf, answer in zip(leaves, answers, strict=True)}
        names = {name for leaf in leaves for name in names_in(leaf.node)}
        events = events_of(self.contact_id, names, now=self.now)
        values = self.values([leaf for leaf in leaves if isinstance(leaf.node, FieldIs)])
        self.evidence = {
            leaf.path: Evidence(value=values[leaf.path])
            if leaf.path in values
            else evidence_of(leaf.node, events, now=self.now, zone=self.catalogue.zone)
            for leaf in leaves
        }

    def reason(self, part: _Part) -> Reason:
        made = tuple(map(self.reason, part.parts))
        sentence = explain_part(part.node, self.catalogue, self.language)
        match part.node:
            case All():
                return Reason(part.path, "all", all(one.holds for one in made), sentence, made)
            case AnyOf():
                return Reason(part.path, "any", any(one.holds for one in made), sentence, made)
            case Not():
                return Reason(part.path, "not", not made[0].holds, sentence, made)
            case InAudience():
                return Reason(part.path, "audience", made[0].holds, sentence, made)
            case _:
                return Reason(part.path, "condition", self.held[part.path], sentence, evidence=self.evidence[part.path])

    def values(self, parts: Sequence[_Part]) -> dict[str, Any]:
        """What the contact has in the fields asked for. Of sealed fields nothing is shown."""
        questions: dict[str, SQL] = {}
        lists: set[str] = set()
        for part in parts:
            node = part.node
            spec = self.catalogue.fields[node.key] if isinstance(node, FieldIs) else None
            if spec is None or spec.type is FieldType.SEALED:
                continue
            made = Comparisons(self.catalogue, self.now)
            value = made.getter(spec, "m" if spec.table else "c")().sql("postgres")
            table = f" JOIN {spec.table} m ON m.{spec.theirs} = c.{spec.ours}" if spec.table else ""
            text = f"(SELECT {value} FROM contacts_contact c{table} WHERE c.id = %(ids)s LIMIT 1)"
            lists |= {part.path} if spec.type is FieldType.CHOICES else set()
            questions[part.path] = SQL(text, {**made.params, "ids": self.contact_id})
        found = dict(zip(questions, _ask(list(questions.values())), strict=True))
        # Several choices stand in jsonb, which comes as text.
        return {path: orjson.loads(value) if path in lists and value else value for path, value in found.items()}


def _ask(questions: Sequence[SQL]) -> Sequence[Any]:
    """One row of all the answers. Each question has its values under names of its own."""
    if not questions:
        return []
    texts: list[str] = []
    params: dict[str, Any] = {}
    for number, question in enumerate(questions):
        texts.append(_NAMES.sub(rf"%(q{number}_\1)s", question.text))
        params |= {f"q{number}_{name}": value for name, value in question.params.items()}
    return rows.query(f"SELECT {', '.join(texts)}", params)[0]
