import hashlib
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from hongyan.accounts import approvals
from hongyan.accounts.approval_states import ApprovalInput, ApprovalState, after
from hongyan.accounts.errors import ApprovalRefused, NotFound, PermissionRefused
from hongyan.accounts.models import ApprovalRule
from hongyan.accounts.types import Actor, ApprovalRow, AudienceFacts, system_actor
from hongyan.audit.models import AuditEntry
from tests.accounts.factory import Person, person

CONTENT, AUDIENCE = hashlib.sha256(b"mail").digest(), hashlib.sha256(b"people").digest()
OTHER = hashlib.sha256(b"other").digest()
BIG = AudienceFacts(size=800)
THING = {"subject_kind": "campaign", "subject_id": "0198-c"}

EXPECTED = {
    "pending": {
        "approve": "pending",
        "approve_last": "approved",
        "reject": "rejected",
        "withdraw": "withdrawn",
        "void": "void",
    },
    "approved": {"void": "void"},
    "rejected": {},
    "void": {},
    "withdrawn": {},
}


@pytest.mark.parametrize("state", list(ApprovalState))
@pytest.mark.parametrize("given", list(ApprovalInput))
def test_table_of_states(state: ApprovalState, given: ApprovalInput) -> None:
    outcome = after(state, given)
    assert (outcome.value if outcome else None) == EXPECTED[state.value].get(given.value)


@pytest.fixture
def mei() -> Person:
    return person("mei")


@pytest.fixture
def guo() -> Person:
    return person("guo")


@pytest.fixture
def rosa() -> Person:
    return person("rosa")


def ask(mei: Person, *, facts: AudienceFacts = BIG, author_ids: tuple[int, ...] = ()) -> ApprovalRow:
    return approvals.approval_request(
        actor=mei.actor,
        content_hash=CONTENT,
        audience_hash=AUDIENCE,
        facts=facts,
        author_ids=author_ids,
        comment="please",
        **THING,
    )


def decide(
    who: Actor, request: ApprovalRow, *, approve: bool = True, comment: str = "", content: bytes = CONTENT
) -> ApprovalRow:
    return approvals.approval_decide(
        actor=who,
        request_id=request.public_id,
        approve=approve,
        seen_content_hash=content,
        seen_audience_hash=AUDIENCE,
        comment=comment,
    )


def cleared(content: bytes = CONTENT, facts: AudienceFacts = BIG) -> bool:
    return approvals.clearance(content_hash=content, audience_hash=AUDIENCE, facts=facts, **THING).ok


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules() -> None:
    ApprovalRule.objects.all().delete()
    ApprovalRule.objects.create(kind="audience_size", min_size=500, approvers=1)
    ApprovalRule.objects.create(kind="audience_tag", tag="vip", approvers=2)


def test_rules_decide_how_many_are_needed() -> None:
    def needed(size: int, *tags: str) -> int:
        return approvals.approvals_needed(facts=AudienceFacts(size, frozenset(tags))).approvers

    assert [needed(499), needed(500), needed(3, "vip"), needed(900, "vip"), needed(3, "new")] == [0, 1, 2, 2, 0]
    assert approvals.rule_tags() == {"vip"}
    ApprovalRule.objects.create(kind="always", approvers=1)
    assert needed(1) == 1
    ApprovalRule.objects.update(enabled=False)
    assert needed(900, "vip") == 0
    assert approvals.rule_tags() == frozenset()


def test_small_sends_need_nobody(mei: Person) -> None:
    assert cleared(facts=AudienceFacts(10))
    assert not cleared()


def test_pending_approve_last_becomes_approved(mei: Person, guo: Person) -> None:
    request = ask(mei)
    assert [row.public_id for row in approvals.pending_for(actor=guo.actor)] == [request.public_id]
    approved = decide(guo.actor, request, comment="fine")
    assert (approved.state, approved.approvals) == ("approved", 1)
    assert approvals.pending_for(actor=guo.actor) == []
    assert cleared()
    assert not cleared(content=OTHER)  # consent to one content is none to another
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["approval.requested", "approval.approved"]


def test_pending_approve_of_two_stays_pending_until_a_different_second(mei: Person, guo: Person, rosa: Person) -> None:
    facts = AudienceFacts(5, frozenset({"vip"}))
    request = ask(mei, facts=facts)
    assert decide(guo.actor, request).state == "pending"
    with pytest.raises(ApprovalRefused, match="twice"):
        decide(guo.actor, request)
    assert approvals.pending_for(actor=guo.actor) == []
    assert approvals.pending_count(actor=rosa.actor) == 1
    assert not cleared(facts=facts)
    assert decide(rosa.actor, request).state == "approved"
    assert cleared(facts=facts)


def test_stricter_rules_reopen_what_was_approved(mei: Person, guo: Person) -> None:
    decide(guo.actor, ask(mei))
    assert cleared()
    ApprovalRule.objects.filter(kind="audience_size").update(approvers=2)
    assert not cleared()


def test_pending_reject_becomes_rejected_and_needs_a_reason(mei: Person, guo: Person) -> None:
    request = ask(mei)
    with pytest.raises(ApprovalRefused, match="comment_needed"):
        decide(guo.actor, request, approve=False, comment="  ")
    assert decide(guo.actor, request, approve=False, comment="wrong price").state == "rejected"
    assert not cleared()
    with pytest.raises(ApprovalRefused, match="not_pending"):
        decide(guo.actor, request)


def test_pending_withdraw_only_by_who_asked(mei: Person) -> None:
    request = ask(mei)
    with pytest.raises(ApprovalRefused, match="not_yours"):
        approvals.approval_withdraw(actor=person("tom").actor, request_id=request.public_id)
    assert approvals.approval_withdraw(actor=mei.actor, request_id=request.public_id).state == "withdrawn"


def test_approved_withdraw_is_refused(mei: Person, guo: Person) -> None:
    request = ask(mei)
    decide(guo.actor, request)
    with pytest.raises(ApprovalRefused, match="not_pending"):
        approvals.approval_withdraw(actor=mei.actor, request_id=request.public_id)


@pytest.mark.parametrize("first", ["pending", "approved"])
def test_a_change_makes_it_void(mei: Person, guo: Person, first: str) -> None:
    request = ask(mei)
    if first == "approved":
        decide(guo.actor, request)
    assert approvals.approval_void(actor=mei.actor, reason="content_changed", **THING)
    row = approvals.approval_by_id(actor=mei.actor, request_id=request.public_id)
    assert (row.state, row.reason) == ("void", "content_changed")
    assert not cleared()
    assert not approvals.approval_void(actor=mei.actor, reason="content_changed", **THING)
    with pytest.raises(ApprovalRefused, match="not_pending"):
        decide(guo.actor, request)


@pytest.mark.parametrize("ending", ["rejected", "withdrawn"])
def test_void_does_nothing_to_what_has_ended(mei: Person, guo: Person, ending: str) -> None:
    request = ask(mei)
    if ending == "rejected":
        decide(guo.actor, request, approve=False, comment="no")
    else:
        approvals.approval_withdraw(actor=mei.actor, request_id=request.public_id)
    assert not approvals.approval_void(actor=mei.actor, reason="content_changed", **THING)
    assert approvals.approvals_of(**THING)[0].state == ending


def test_a_new_request_takes_the_place_of_the_open_one(mei: Person, guo: Person) -> None:
    old = ask(mei)
    new = ask(mei)
    assert approvals.approval_by_id(actor=guo.actor, request_id=old.public_id).reason == "superseded"
    assert [row.public_id for row in approvals.pending_for(actor=guo.actor)] == [new.public_id]


def test_nobody_approves_their_own(mei: Person) -> None:
    ada = person("ada")
    request = ask(ada)
    with pytest.raises(ApprovalRefused, match="author"):
        decide(ada.actor, request)
    written = ask(mei, author_ids=(ada.user.pk,))
    with pytest.raises(ApprovalRefused, match="author"):
        decide(ada.actor, written)
    assert approvals.pending_for(actor=ada.actor) == []


def test_an_approver_who_saw_something_else_is_refused(mei: Person, guo: Person) -> None:
    with pytest.raises(ApprovalRefused, match="changed"):
        decide(guo.actor, ask(mei), content=OTHER)


def test_only_people_with_the_permission(mei: Person) -> None:
    request = ask(mei)
    with pytest.raises(PermissionRefused):
        decide(person("tom").actor, request)
    with pytest.raises(PermissionRefused):
        approvals.pending_for(actor=mei.actor)
    with pytest.raises(ApprovalRefused, match="not_a_person"):
        decide(system_actor("job"), request)
    with pytest.raises(PermissionRefused):
        ask(person("guo"))
    with pytest.raises(NotFound):
        approvals.approval_by_id(actor=mei.actor, request_id=uuid4())
    assert approvals.pending_count(actor=mei.actor) == 0


def test_queue_costs_a_fixed_number_of_queries(
    mei: Person, guo: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        approvals.approval_request(
            actor=mei.actor,
            subject_kind="campaign",
            subject_id=str(number),
            content_hash=CONTENT,
            audience_hash=AUDIENCE,
            facts=BIG,
        )
    with django_assert_num_queries(2):  # requests with their askers; decisions (none yet, so no deciders)
        assert len(approvals.pending_for(actor=guo.actor)) == 4
