"""Editing the rules that say when a send needs other people's consent."""

from uuid import UUID

from django.db import transaction

from hongyan.accounts.approval_states import RuleKind
from hongyan.accounts.errors import BadValue, NotFound
from hongyan.accounts.models import ApprovalRule
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record


def approval_rules(*, actor: Actor) -> list[ApprovalRule]:
    """Visible to whoever they concern: those who send, approve or edit settings."""
    if not any(actor.may(p) for p in (Permission.CAMPAIGN_EDIT, Permission.CAMPAIGN_APPROVE)):
        actor.require(Permission.SETTINGS_EDIT)
    return list(ApprovalRule.objects.order_by("id"))


def approval_rule_save(
    *,
    actor: Actor,
    kind: RuleKind,
    approvers: int,
    min_size: int | None = None,
    tag: str = "",
    enabled: bool = True,
    rule_id: UUID | None = None,
) -> ApprovalRule:
    """A new rule, or a changed one. Raises BadValue, NotFound."""
    actor.require(Permission.SETTINGS_EDIT)
    if approvers not in {1, 2}:
        raise BadValue("approvers")
    if kind == RuleKind.AUDIENCE_SIZE and (min_size is None or min_size < 1):
        raise BadValue("min_size")
    if kind == RuleKind.AUDIENCE_TAG and not tag.strip():
        raise BadValue("tag")
    with transaction.atomic():
        rule = ApprovalRule() if rule_id is None else _locked(rule_id)
        rule.kind, rule.approvers, rule.enabled = kind, approvers, enabled
        rule.min_size = min_size if kind == RuleKind.AUDIENCE_SIZE else None
        rule.tag = tag.strip()[:80] if kind == RuleKind.AUDIENCE_TAG else ""
        rule.save()
        _audit(actor, "approval_rule.saved", rule)
    return rule


def approval_rule_delete(*, actor: Actor, rule_id: UUID) -> None:
    actor.require(Permission.SETTINGS_EDIT)
    with transaction.atomic():
        rule = _locked(rule_id)
        _audit(actor, "approval_rule.deleted", rule)
        rule.delete()


def _locked(rule_id: UUID) -> ApprovalRule:
    rule = ApprovalRule.objects.select_for_update().filter(public_id=rule_id).first()
    if rule is None:
        raise NotFound
    return rule


def _audit(actor: Actor, action: str, rule: ApprovalRule) -> None:
    data = {"kind": rule.kind, "approvers": rule.approvers, "min_size": rule.min_size, "enabled": rule.enabled}
    record(actor=actor, action=action, subject_kind="approval_rule", subject_id=str(rule.public_id), data=data)
