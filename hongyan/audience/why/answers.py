"""Why somebody is, or is not, in a segment: each condition by itself, with what decided it.

Whether a condition holds is asked of the database, with the statement that decides membership; which events decided is
told by the reference meaning, from the contact's events.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime
from typing import Any, Final

import orjson

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.emit import emit_among
from hongyan.audience.compiler.emit_values import Comparisons, spelled
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
    held: Mapping[str, bool] = default(default_factory=dict)  # by path, as ``look`` found it
    evidence: Mapping[str, Evidence | None] = default(default_factory=dict)

    def look(self, root: _Part) -> None:
        """One question for all conditions and the values that are shown, and one for the events."""
        leaves = root.leaves()
        members = [
            emit_among(rewrite(leaf.node, self.catalogue), self.catalogue, now=self.now, contact_ids=[self.contact_id])
            for leaf in leaves
        ]
        shown = {leaf.path: question for leaf in leaves if (question := self.value(leaf)) is not None}
        answers = _ask([*(SQL(f"EXISTS ({one.text})", one.params) for one in members), *shown.values()])
        self.held = {leaf.path: bool(answer) for leaf, answer in zip(leaves, answers, strict=False)}
        values = {
            leaf.path: self.read(leaf, value)
            for leaf, value in zip((leaf for leaf in leaves if leaf.path in shown), answers[len(leaves) :], strict=True)
        }
        names = {name for leaf in leaves for name in names_in(leaf.node)}
        events = events_of(self.contact_id, names, now=self.now)
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

    def value(self, part: _Part) -> SQL | None:
        """What the contact has in the field asked for. Of sealed fields nothing is shown."""
        spec = self.field(part)
        if spec is None or spec.type is FieldType.SEALED:
            return None
        made = Comparisons(self.catalogue, self.now)
        value = spelled(made.getter(spec, "m" if spec.table else "c")())
        table = f" JOIN {spec.table} m ON m.{spec.theirs} = c.{spec.ours}" if spec.table else ""
        text = f"(SELECT {value} FROM contacts_contact c{table} WHERE c.id = %(ids)s LIMIT 1)"
        return SQL(text, {**made.params, "ids": self.contact_id})

    def read(self, part: _Part, value: Any) -> Any:
        """Several choices stand in jsonb, which comes as text."""
        spec = self.field(part)
        several = spec is not None and spec.type is FieldType.CHOICES
        return orjson.loads(value) if several and value else value

    def field(self, part: _Part) -> FieldSpec | None:
        return self.catalogue.fields[part.node.key] if isinstance(part.node, FieldIs) else None


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
