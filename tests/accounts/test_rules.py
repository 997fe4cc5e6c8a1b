from uuid import uuid4

import pytest

from hongyan.accounts.approval_rules import approval_rule_delete, approval_rule_save, approval_rules
from hongyan.accounts.approval_states import RuleKind
from hongyan.accounts.errors import BadValue, NotFound, PermissionRefused
from hongyan.accounts.models import ApprovalRule
from tests.accounts.factory import person

pytestmark = pytest.mark.django_db


def test_a_fresh_installation_asks_one_person_from_500_on() -> None:
    assert list(ApprovalRule.objects.values_list("kind", "min_size", "approvers", "enabled")) == [
        ("audience_size", 500, 1, True)
    ]


def test_rules_are_made_changed_and_deleted_by_administrators() -> None:
    ada, mei = person("ada"), person("mei")
    rule = approval_rule_save(actor=ada.actor, kind=RuleKind.AUDIENCE_TAG, approvers=2, tag=" vip ", min_size=9)
    assert (rule.tag, rule.min_size) == ("vip", None)
    changed = approval_rule_save(
        actor=ada.actor, kind=RuleKind.ALWAYS, approvers=1, enabled=False, rule_id=rule.public_id
    )
    assert (changed.pk, changed.tag, changed.enabled) == (rule.pk, "", False)
    assert rule in approval_rules(actor=mei.actor)
    for attempt in (
        lambda: approval_rule_save(actor=mei.actor, kind=RuleKind.ALWAYS, approvers=1),
        lambda: approval_rule_delete(actor=mei.actor, rule_id=rule.public_id),
        lambda: approval_rules(actor=person("sam").actor),
    ):
        with pytest.raises(PermissionRefused):
            attempt()
    approval_rule_delete(actor=ada.actor, rule_id=rule.public_id)
    with pytest.raises(NotFound):
        approval_rule_delete(actor=ada.actor, rule_id=uuid4())


@pytest.mark.parametrize(
    ("kind", "approvers", "min_size", "tag", "field"),
    [
        (RuleKind.ALWAYS, 3, None, "", "approvers"),
        (RuleKind.AUDIENCE_SIZE, 1, None, "", "min_size"),
        (RuleKind.AUDIENCE_SIZE, 1, 0, "", "min_size"),
        (RuleKind.AUDIENCE_TAG, 1, None, " ", "tag"),
    ],
)
def test_bad_rules(kind: RuleKind, approvers: int, min_size: int | None, tag: str, field: str) -> None:
    with pytest.raises(BadValue, match=field):
        approval_rule_save(actor=person("ada").actor, kind=kind, approvers=approvers, min_size=min_size, tag=tag)
