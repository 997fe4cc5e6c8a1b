"""What a row of an export says about a person's consent. Pure; in doubt the stricter reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address

import orjson

from hongyan.ingest.migrating.recognise import Origin, Part, Recipe

_YES = frozenset({"true", "yes", "1", "y", "是", "t"})
_NO = frozenset({"false", "no", "0", "n", "否", "f", ""})
_EPOCH = datetime(1990, 1, 1, tzinfo=UTC)


class Stand(StrEnum):
    GIVEN = "given"
    PENDING = "pending"  # asked to confirm, has not yet
    WITHDRAWN = "withdrawn"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    NONE = "none"  # known, but nobody says that they agreed


# From good to bad: of two readings the later one holds.
ORDER = (Stand.GIVEN, Stand.PENDING, Stand.NONE, Stand.BOUNCED, Stand.WITHDRAWN, Stand.COMPLAINED)


@dataclass(frozen=True, slots=True)
class Standing:
    """at: when it came about there, None where the file does not say. ip: of the sign-up. facts: what happened, for
    the timeline: (name, time, further). attributes: further facts by the name they have there."""

    stand: Stand
    at: datetime | None = None
    confirmed_at: datetime | None = None
    ip: str = ""
    why: str = ""
    lists: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, datetime, str], ...] = ()


def standing_of(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    """cells: by role."""
    read = {
        Origin.MAILCHIMP: _mailchimp,
        Origin.LISTMONK: _listmonk,
        Origin.HUBSPOT: _hubspot,
        Origin.SALESFORCE: _salesforce,
        Origin.MAUTIC: _mautic,
    }[recipe.origin]
    return read(recipe, {role: text.strip() for role, text in cells.items()})


def _mailchimp(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    stand = {
        Part.SUBSCRIBED: Stand.GIVEN,
        Part.UNSUBSCRIBED: Stand.WITHDRAWN,
        Part.CLEANED: Stand.BOUNCED,
        Part.NOT_SUBSCRIBED: Stand.NONE,
        Part.ALL: Stand.NONE,
    }[recipe.part]
    by_status = {
        "subscribed": Stand.GIVEN,
        "unsubscribed": Stand.WITHDRAWN,
        "cleaned": Stand.BOUNCED,
        "pending": Stand.PENDING,
        "nonsubscribed": Stand.NONE,
        "transactional": Stand.NONE,
        "archived": Stand.NONE,
    }
    status = cells.get("status", "").lower()
    if status:
        stand = worse(stand, by_status.get(status, Stand.NONE))
    if cells.get("withdrawn_at"):
        stand = worse(stand, Stand.WITHDRAWN)
    if cells.get("bounced_at"):
        stand = worse(stand, Stand.BOUNCED)
    if "abuse" in cells.get("withdrawn_why", "").lower() or "spam" in cells.get("withdrawn_why", "").lower():
        stand = worse(stand, Stand.COMPLAINED)
    joined, confirmed = moment(cells.get("since")), moment(cells.get("confirmed"))
    left, cleaned = moment(cells.get("withdrawn_at")), moment(cells.get("bounced_at"))
    facts = [("subscribed", confirmed or joined, "")]
    facts += [("unsubscribed", left, cells.get("withdrawn_by", "")), ("bounced", cleaned, cells.get("bounced_by", ""))]
    at = {Stand.WITHDRAWN: left, Stand.COMPLAINED: left, Stand.BOUNCED: cleaned}.get(stand, joined or confirmed)
    return Standing(
        stand,
        at,
        confirmed,
        address(cells.get("confirmed_ip")) or address(cells.get("ip")),
        cells.get("withdrawn_why", "")[:120],
        facts=tuple((name, time, further[:120]) for name, time, further in facts if time is not None),
    )


def _listmonk(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    """Its plain export says who is blocked and who is not; who confirmed only the subscription status says."""
    del recipe
    by_status = {"enabled": Stand.GIVEN, "disabled": Stand.NONE, "blocklisted": Stand.WITHDRAWN}
    by_subscription = {
        "confirmed": Stand.GIVEN,
        "unconfirmed": Stand.PENDING,
        "unsubscribed": Stand.WITHDRAWN,
    }
    stand = by_status.get(cells.get("status", "").lower(), Stand.NONE)
    subscription = cells.get("subscription", "").lower()
    if subscription:
        stand = worse(stand, by_subscription.get(subscription, Stand.NONE))
    since, changed = moment(cells.get("since")), moment(cells.get("changed"))
    at = changed if stand in {Stand.WITHDRAWN, Stand.BOUNCED} else since
    facts = [("subscribed", since, "")] + [("unsubscribed", changed, "")] * (stand is Stand.WITHDRAWN)
    return Standing(
        stand,
        at,
        lists=names_of(cells.get("lists", "")),
        attributes=attributes_of(cells.get("attributes", "")),
        facts=tuple((name, time, further) for name, time, further in facts if time is not None),
    )


def _hubspot(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    """HubSpot's "marketing contact" is a matter of billing, not of consent: it counts as consent only together with a
    confirmation or a legal basis."""
    del recipe
    agreed = "consent" in cells.get("basis", "").lower() or cells.get("confirmation", "").lower() == "confirmed"
    stand = Stand.GIVEN if agreed else Stand.NONE
    if cells.get("confirmation", "").lower() in {"pending", "unconfirmed", "awaiting confirmation"}:
        stand = worse(stand, Stand.PENDING)
    if cells.get("bounce_reason") or truth(cells.get("bounced")):
        stand = worse(stand, Stand.BOUNCED)
    if truth(cells.get("opt_out")):
        stand = worse(stand, Stand.WITHDRAWN)
    if truth(cells.get("complained")):
        stand = worse(stand, Stand.COMPLAINED)
    since, changed = moment(cells.get("since")), moment(cells.get("changed"))
    at = changed if stand in {Stand.WITHDRAWN, Stand.COMPLAINED, Stand.BOUNCED} else since
    return Standing(stand, at, why=cells.get("bounce_reason", "")[:120], lists=names_of(cells.get("lists", "")))


def _salesforce(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    """Salesforce keeps who opted out, not who opted in."""
    del recipe
    stand = Stand.NONE
    bounced = moment(cells.get("bounced_at"))
    if bounced is not None or cells.get("bounce_reason") or truth(cells.get("bounced")):
        stand = Stand.BOUNCED
    if truth(cells.get("opt_out")):
        stand = worse(stand, Stand.WITHDRAWN)
    since, changed = moment(cells.get("since")), moment(cells.get("changed"))
    at = {Stand.WITHDRAWN: changed, Stand.BOUNCED: bounced or changed}.get(stand, since)
    facts = (("bounced", bounced, ""),) if bounced is not None else ()
    return Standing(stand, at, why=cells.get("bounce_reason", "")[:120], facts=facts)


def _mautic(recipe: Recipe, cells: Mapping[str, str]) -> Standing:
    """DNC: 1 unsubscribed, 2 bounced, 3 manual; in words in reports, also "email: unsubscribed"."""
    del recipe
    said = cells.get("dnc", "").lower()
    stand = Stand.NONE
    if said not in _NO:
        stand = Stand.WITHDRAWN
        if said.strip() == "2" or "bounce" in said:
            stand = Stand.BOUNCED
        if "spam" in said or "complain" in said:
            stand = Stand.COMPLAINED
    since, changed = moment(cells.get("since")), moment(cells.get("changed"))
    at = since if stand is Stand.NONE else changed
    return Standing(
        stand, at, why=said[:120] if stand is not Stand.NONE else "", lists=names_of(cells.get("lists", ""))
    )


def worse(one: Stand, other: Stand) -> Stand:
    return max(one, other, key=ORDER.index)


def truth(text: str | None) -> bool:
    """Whether a cell says yes. Anything that is neither yes nor no counts as yes: it is asked of refusals only."""
    said = (text or "").strip().lower()
    return said in _YES or said not in _NO


def moment(text: str | None) -> datetime | None:
    """These systems write UTC: ``2024-03-05 10:11:12``, ISO 8601, or ``3/5/2024 10:11``. None for nothing usable."""
    said = (text or "").strip()
    if not said or said.startswith("0000"):
        return None
    found = _iso(said)
    for form in () if found is not None else ("%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d %H:%M:%S"):
        try:
            found = datetime.strptime(said, form).replace(tzinfo=UTC)
            break
        except ValueError:
            continue
    if found is None or found < _EPOCH:
        return None
    return found


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def address(text: str | None) -> str:
    """An IP address, or nothing."""
    try:
        return str(ip_address((text or "").strip()))
    except ValueError:
        return ""


def names_of(text: str) -> tuple[str, ...]:
    """A list of names: JSON, or separated by semicolons, bars or commas."""
    said = text.strip()
    if said.startswith("["):
        try:
            raw = orjson.loads(said)
        except ValueError:
            raw = []
        return _clean([item.get("name", "") if isinstance(item, dict) else str(item) for item in raw])
    mark = next((mark for mark in (";", "|", ",") if mark in said), ";")
    return _clean(said.split(mark))


def attributes_of(text: str) -> tuple[tuple[str, str], ...]:
    """A JSON object's plain values, and lists of them joined."""
    try:
        raw = orjson.loads(text) if text else {}
    except ValueError:
        return ()
    if not isinstance(raw, dict):
        return ()
    found = []
    for name, value in list(raw.items())[:60]:
        if isinstance(value, list):
            value = ", ".join(str(item) for item in value if isinstance(item, (str, int, float)))  # noqa: PLW2901
        if isinstance(value, bool):
            found.append((name[:80], "true" if value else "false"))
        elif isinstance(value, (str, int, float)) and str(value).strip():
            found.append((name[:80], str(value)[:500]))
    return tuple(found)


def _clean(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip()[:80] for name in names if name.strip()))[:50]
