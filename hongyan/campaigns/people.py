"""Who a campaign reaches and who not, set by set: the same plan counts, lists and freezes, so the figures agree."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from hongyan.audience.segments import compile_members, tree_hash
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.types import Counts, EmptyChoice, Outside
from hongyan.contacts.consent import refusals_sql
from hongyan.content.preflight import empty_condition
from hongyan.content.types import MailType
from hongyan.core.sql import SQL, statement

NOBODY = SQL("SELECT NULL::bigint AS id WHERE FALSE")
WORK_MEM = "256MB"  # a million ids hash in memory instead of spilling
_NAMES = re.compile(r"%\((\w+)\)s")
# Why contacts may not be mailed, in the words of the contacts room; everything else there is a kind of suppression.
_OUTSIDE: Mapping[str, Outside] = {
    "no_email": Outside.NO_ADDRESS,
    "unsubscribed": Outside.UNSUBSCRIBED,
    "suppressed_unsubscribed": Outside.UNSUBSCRIBED,
    "pending_confirmation": Outside.PENDING,
    "no_consent": Outside.NO_CONSENT,
    Outside.EXCLUDED.value: Outside.EXCLUDED,
    Outside.EMPTY_FIELD.value: Outside.EMPTY_FIELD,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """members: the audience; excluded: who the campaign names as exceptions; empty: a condition over ``c``."""

    members: SQL
    excluded: SQL
    empty: SQL
    refusals: SQL


def plan(campaign: Campaign) -> Plan:
    """Raises NotComplete without an audience, BadTree when it refers to something that no longer exists."""
    if campaign.audience is None:
        raise NotComplete({"audience": "missing"})
    excluded = campaign.exclusions
    conditions = [condition for path in excluded_fields(campaign) if (condition := empty_condition(path)) is not None]
    return Plan(
        members=_renamed(compile_members(campaign.audience), "m_"),
        excluded=_renamed(compile_members(excluded), "x_") if excluded is not None else NOBODY,
        empty=_either(conditions),
        refusals=refusals_sql(topic_id=campaign.topic_id, transactional=campaign.mail_type == MailType.TRANSACTIONAL),
    )


def excluded_fields(campaign: Campaign) -> list[str]:
    """Fields whose emptiness leaves people out, by choice of the author."""
    return sorted(path for path, choice in campaign.choices.items() if choice["choice"] == EmptyChoice.EXCLUDE.value)


def counts(found: Plan) -> Counts:
    """The whole waterfall in one statement."""
    outside = dict.fromkeys(Outside, 0)
    receiving = 0
    for reason, count in _query("counts", found):
        if reason is None:
            receiving = count
        else:
            outside[outside_of(reason)] += count
    return Counts(receiving + sum(outside.values()), outside, receiving)


def outside_ids(found: Plan, reason: Outside, *, after: int = 0, limit: int = 100) -> list[int]:
    """Contacts left out for one reason, by id after ``after``."""
    named = [refusal for refusal, outside in _OUTSIDE.items() if outside is reason]
    values = {"reasons": named, "others": reason is Outside.SUPPRESSED, "known": list(_OUTSIDE)}
    return [row[0] for row in _query("page", found, judged=True, after=after, limit=limit, **values)]


def receiving_ids(found: Plan, *, after: int = 0, limit: int = 100) -> list[int]:
    """Contacts who would be mailed now, by id."""
    return [row[0] for row in _query("receiving", found, judged=True, after=after, limit=limit)]


def riskiest_ids(found: Plan, *, after: int = 0, limit: int = 1) -> list[int]:
    """Recipients whose record is thinnest: no name at all and no city. Their mail shows every fallback."""
    return [row[0] for row in _query("riskiest", found, judged=True, after=after, limit=limit)]


def members(found: Plan) -> SQL:
    """Everybody who gets a message in the outbox."""
    return SQL(_filled("members", found), _params(found))


def left_out(found: Plan) -> dict[Outside, int]:
    """How many of the audience get none, by the campaign's own choices."""
    excluded, empty = _query("left_out", found)[0]
    return {Outside.EXCLUDED: excluded, Outside.EMPTY_FIELD: empty}


def audience_without_exclusions(found: Plan) -> SQL:
    """The whole audience whose empty fields count, whatever was chosen for them."""
    return members(replace(found, empty=SQL("FALSE")))


def count_country(found: Plan, code: str) -> int:
    """How many of those who get a message live there."""
    inside = members(found).text
    text = f"SELECT count(*) FROM contacts_contact k WHERE k.country = %(country_code)s AND k.id IN ({inside})"
    return int(_run(text, {**_params(found), "country_code": code})[0][0])


def tags_present(campaign: Campaign, tags: Iterable[str]) -> frozenset[str]:
    """Which of these tags anybody of the audience has."""
    from hongyan.audience.models import Tag

    if campaign.audience is None:
        return frozenset()
    known = set(Tag.objects.filter(key__in=list(tags)).values_list("key", flat=True))
    found = set()
    for tag in sorted(known):
        query = compile_members({"all": [campaign.audience, {"tag": tag}]})
        if _run(f"SELECT EXISTS ({query.text})", query.params)[0][0]:
            found.add(tag)
    return frozenset(found)


def audience_digest(campaign: Campaign) -> bytes:
    """Digest of the audience's definition and its exclusions, saved audiences read through."""
    parts = [tree_hash(campaign.audience)] if campaign.audience is not None else [b""]
    parts.append(tree_hash(campaign.exclusions) if campaign.exclusions is not None else b"")
    return b"\x00".join(parts)


def outside_of(refusal: str) -> Outside:
    return _OUTSIDE.get(refusal, Outside.SUPPRESSED)


def _query(name: str, found: Plan, *, judged: bool = False, **values: Any) -> list[tuple[Any, ...]]:
    text = _filled(name, found)
    if judged:
        text = f"{_filled('judged', found)}\n{text}"
    return _run(text, {**_params(found), **values})


def _filled(name: str, found: Plan) -> str:
    return _put(statement("hongyan.campaigns", "people.sql", name), found)


def _put(text: str, found: Plan) -> str:
    return (
        text.replace("{members}", found.members.text)
        .replace("{excluded}", found.excluded.text)
        .replace("{refusals}", found.refusals.text)
        .replace("{empty}", found.empty.text)
    )


def _params(found: Plan) -> dict[str, Any]:
    return {**found.members.params, **found.excluded.params, **found.refusals.params, **found.empty.params}


def _run(text: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEM])
        cursor.execute(text, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _either(conditions: Sequence[SQL]) -> SQL:
    if not conditions:
        return SQL("FALSE")
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= condition.params
    return SQL("(" + " OR ".join(condition.text for condition in conditions) + ")", values)


def _renamed(query: SQL, prefix: str) -> SQL:
    """Two compiled audiences in one statement would use the same names for different values."""
    text = _NAMES.sub(lambda match: f"%({prefix}{match[1]})s", query.text)
    return SQL(text, {f"{prefix}{name}": value for name, value in query.params.items()})
