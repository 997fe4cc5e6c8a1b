"""The filters of a list of people as one WHERE clause."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import orjson

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.fields import definitions
from hongyan.contacts.models import FieldDefinition
from hongyan.contacts.search import query_tokens, sensitive_token
from hongyan.contacts.types import Channel, ContactFilters
from hongyan.contacts.values import sensitive_text
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import SQL, statement

_EQUAL: Final = ("country", "city", "language", "source")
_CLAUSE_PREFIX: Final = "f_"  # names of upper rooms are ``a`` and a number


class Conditions:
    """Clauses over ``contacts_contact c`` that must all hold, with their values."""

    def __init__(self) -> None:
        self.clauses: list[str] = []
        self.params: dict[str, Any] = {}

    def add(self, text: str, **values: Any) -> None:
        """``{name}`` in the text becomes the placeholder of that value."""
        names = {}
        for name, value in values.items():
            key = f"{_CLAUSE_PREFIX}{len(self.params)}"
            self.params[key] = value
            names[name] = f"%({key})s"
        self.clauses.append(text.format(**names))

    def add_within(self, members: SQL) -> None:
        self.params.update(members.params)
        self.clauses.append(f"c.id IN (SELECT id FROM ({members.text}) members)")

    @property
    def text(self) -> str:
        return " AND ".join(self.clauses) or "true"


def conditions_of(actor: Actor, filters: ContactFilters) -> Conditions:
    """A custom field that is sensitive may be asked for only by those who may see it: an answer tells the value. For
    the same reason others search by whole addresses and numbers."""
    found = Conditions()
    _search(found, filters.search, whole=not actor.may(Permission.CONTACT_IDENTITY))
    for column in _EQUAL:
        if value := getattr(filters, column):
            found.add(f"c.{column} = {{value}}", value=value)
    if filters.sex is not None:
        found.add("c.sex = {value}", value=filters.sex)
    if filters.demo is not None:
        found.add("c.is_demo = {value}", value=filters.demo)
    if filters.owner_id is not None:
        found.add("c.owner_id = {value}", value=filters.owner_id)
    if filters.company_id is not None:
        found.add("c.company_id = {value}", value=filters.company_id)
    _created(found, filters)
    if filters.consent is not None:
        _consent(found, *filters.consent)
    if filters.custom:
        _custom(found, actor, filters.custom)
    if filters.within is not None:
        found.add_within(filters.within)
    return found


def _search(found: Conditions, text: str, *, whole: bool) -> None:
    terms = query_tokens(text, keyring().blind, whole=whole)
    if text.strip() and not terms:
        found.add("false")
    for tokens in terms:
        found.add("c.search_tokens && {tokens}::bigint[]", tokens=tokens)


def _created(found: Conditions, filters: ContactFilters) -> None:
    """Days of the clock of the installation's records, UTC; the last day counts as a whole."""
    if filters.created_from is not None:
        found.add("c.created_at >= {at}", at=datetime.combine(filters.created_from, time.min, UTC))
    if filters.created_to is not None:
        found.add("c.created_at < {at}", at=datetime.combine(filters.created_to, time.min, UTC) + timedelta(days=1))


def _consent(found: Conditions, channel: str, topic_key: str, state: str) -> None:
    if channel == Channel.EMAIL and not topic_key:
        if state in {"withdrawn", "pending"}:  # few have it: begin with them
            found.add(
                "c.id IN (SELECT contact_id FROM contacts_consentstate WHERE channel = 'email' AND state = {state})",
                state=state,
            )
        standing = statement("hongyan.contacts", "listing.sql", "standing")
        found.add(f"({standing}) = {{state}}", state=state)
        return
    topic = "s.topic_id = (SELECT id FROM contacts_topic WHERE key = {topic})" if topic_key else "s.topic_id IS NULL"
    of_this = f"SELECT 1 FROM contacts_consentstate s WHERE s.contact_id = c.id AND s.channel = {{channel}} AND {topic}"
    values = {"channel": channel, **({"topic": topic_key} if topic_key else {})}
    if state == "none":
        found.add(f"NOT EXISTS ({of_this} AND s.state <> 'none')", **values)
    else:
        found.add(f"EXISTS ({of_this} AND s.state = {{state}})", **values, state=state)


def _custom(found: Conditions, actor: Actor, wanted: Mapping[str, Any]) -> None:
    known = {definition.key: definition for definition in definitions()}
    for key, value in wanted.items():
        definition = known.get(key)
        if definition is None:
            found.add("false")
        elif definition.sensitive:
            actor.require(Permission.CONTACT_IDENTITY)
            token = sensitive_token(key, sensitive_text(value), keyring().blind)
            found.add("c.search_tokens @> {tokens}::bigint[]", tokens=[token])
        else:
            several = definition.type == FieldDefinition.Type.CHOICES and not isinstance(value, list)
            part = orjson.dumps({key: [value] if several else value}).decode()
            found.add("c.attributes @> {part}::jsonb", part=part)
