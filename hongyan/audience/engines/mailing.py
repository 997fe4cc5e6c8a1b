"""Whom a mail to an audience would reach, over sets: what ``contacts.consent.refusals_sql`` says of each person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import ConsentIs, FieldIs, Node, Op
from hongyan.audience.engines.answers import bits_of
from hongyan.audience.engines.ask import asking
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.question import Question
from hongyan.audience.engines.types import Engine
from hongyan.contacts.consent import returned_sql, suppressed_sql
from hongyan.contacts.types import MailRefusal

_REACHABLE = FieldIs("has_email", Op.EQ, value=True)
_STATES = ("given", "withdrawn", "pending")


@dataclass(frozen=True, slots=True)
class Mail:
    topic_id: int | None
    transactional: bool


def refused(
    node: Node, mail: Mail, *, catalogue: Catalogue, now: datetime, engine: Engine
) -> tuple[int, dict[str, int]]:
    """(people, how many of them each reason keeps from being mailed): the first reason that applies counts. No act
    writes the consent state "none", so who has no code never said anything."""
    topic = next((key for key, pk in catalogue.topic_ids.items() if pk == mail.topic_id), None)
    whole = {state: ConsentIs("email", None, state) for state in _STATES}
    about = {state: ConsentIs("email", topic, state) for state in _STATES} if topic else {}
    nodes: list[Node] = [node, _REACHABLE, *whole.values(), *about.values()]
    with asking(nodes, catalogue, now, engine) as question:
        said = _Said(
            {state: question.bits(asked) for state, asked in whole.items()},
            {state: question.bits(asked) for state, asked in about.items()},
            Bits.none(question.people.size),
        )
        members = question.bits(node)
        found: dict[str, int] = {}
        left = members
        for reason, people in _reasons(question, mail, said):
            hit = left & people
            left -= hit
            found[reason] = found.get(reason, 0) + hit.count()
        return members.count(), {reason: count for reason, count in found.items() if count}


@dataclass(frozen=True, slots=True)
class _Said:
    """By state: of mail as a whole, and of the topic (empty without one)."""

    whole: dict[str, Bits]
    about: dict[str, Bits]
    nobody: Bits

    def topic(self, state: str) -> Bits:
        return self.about.get(state, self.nobody)


def _reasons(question: Question, mail: Mail, said: _Said) -> Iterator[tuple[str, Bits]]:
    """Reasons with whom they keep away, in the order in which they count."""
    everyone, size = question.people.everyone(), question.people.size
    yield MailRefusal.NO_EMAIL, everyone - question.bits(_REACHABLE)
    yield from _suppressed(mail, size)
    if mail.transactional:
        yield MailRefusal.UNSUBSCRIBED, said.topic("withdrawn")
        return
    away = said.whole["withdrawn"]
    if mail.topic_id is not None:
        query = returned_sql(topic_id=mail.topic_id)
        away -= bits_of(rows.query(query.text, query.params), size)
    yield MailRefusal.UNSUBSCRIBED, away | said.topic("withdrawn")
    spoken = reduce(Bits.__or__, said.about.values(), said.nobody)
    given = said.topic("given") | (said.whole["given"] - spoken)
    waiting = (said.topic("pending") | said.whole["pending"]) - given
    yield MailRefusal.PENDING_CONFIRMATION, waiting
    yield MailRefusal.NO_CONSENT, everyone - given - waiting


def _suppressed(mail: Mail, size: int) -> Iterator[tuple[str, Bits]]:
    query = suppressed_sql(transactional=mail.transactional)
    by_reason: dict[str, list[tuple[int]]] = {}
    for contact_id, reason in rows.query(query.text, query.params):
        by_reason.setdefault(f"suppressed_{reason}", []).append((contact_id,))
    for reason, people in by_reason.items():  # each person is under one reason
        yield reason, bits_of(people, size)
