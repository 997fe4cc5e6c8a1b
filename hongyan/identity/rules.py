"""The rules of survivorship as the organisation set them."""

from collections.abc import Sequence
from typing import Final

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.fields import definitions
from hongyan.contacts.profiles import CUSTOM, SEALED
from hongyan.contacts.types import IDENTITY_FIELDS, PLAIN_FIELDS
from hongyan.core.clock import now
from hongyan.identity.errors import RuleRefused
from hongyan.identity.models_merging import SurvivorshipRule
from hongyan.identity.survivorship import DEFAULT, GROUPS, Rules
from hongyan.identity.types import Rule

_FOLLOWERS: Final = {name for lead, names in GROUPS.items() for name in names if name != lead}
_ALONE: Final = {"notes", "external_id"}  # both notes are kept; an external id is never guessed


def rules() -> Rules:
    rows = list(SurvivorshipRule.objects.all())
    return Rules({row.field: Rule(row.rule) for row in rows}, {row.field: tuple(row.sources) for row in rows})


def ruled_fields() -> list[str]:
    """Fields that may have a rule: one for a group, then single ones, then custom fields."""
    standard = [name for name in (*IDENTITY_FIELDS, *PLAIN_FIELDS) if name not in _FOLLOWERS | _ALONE]
    return standard + [(SEALED if item.sensitive else CUSTOM) + item.key for item in definitions()]


def rule_set(*, actor: Actor, field: str, rule: str, sources: Sequence[str] = ()) -> None:
    """field "*": for all without a rule of their own. rule "": as all others. Raises RuleRefused."""
    actor.require(Permission.CONTACT_MERGE)
    actor.require(Permission.SETTINGS_EDIT)
    if field != DEFAULT and field not in ruled_fields():
        raise RuleRefused("field")
    if not rule:
        SurvivorshipRule.objects.filter(field=field).delete()
    elif rule not in set(Rule):
        raise RuleRefused("rule")
    else:
        order = [name.strip()[:64] for name in sources if name.strip()]
        if rule == Rule.SOURCE and not order:
            raise RuleRefused("sources")
        SurvivorshipRule.objects.update_or_create(
            field=field,
            defaults={"rule": rule, "sources": order, "changed_at": now(), "changed_by": actor.label[:160]},
        )
    record(actor=actor, action="survivorship.changed", subject_kind="field", subject_id=field, data={"rule": rule})
