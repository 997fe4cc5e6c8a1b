"""The review, the list of merges, the rules and "why this value", as pages."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Permission, Role
from hongyan.contacts.models import Contact
from hongyan.contacts.profiles import values_of
from hongyan.identity import review, tasks_merging
from hongyan.identity.models import Candidate, Run
from hongyan.identity.models_merging import Merge, SurvivorshipRule
from hongyan.identity.tasks_merging import merge_sure
from hongyan.jobs.models import Job
from tests.browser import staff
from tests.identity.people import person
from tests.web_identity.factory import pair, twins

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(staff(Role.SUPPORT, language="en"))
    return client


def test_nobody_has_looked_yet(desk: Client) -> None:
    assert "No duplicates have been looked for yet" in desk.get("/duplicates/").content.decode()


def test_the_most_valuable_answer_comes_first(desk: Client) -> None:
    twins(1, value=1.0)
    _one, _two, better = twins(2, value=5.0)
    answer = desk.get("/duplicates/")
    assert answer.context["page"].pair.public_id == better.public_id
    text = answer.content.decode()
    assert "单小燕" in text
    assert "Given name" in text
    assert "speaks very strongly for it" in text


def test_merging_with_a_choice_against_the_rules(desk: Client) -> None:
    one, two, waiting = twins()
    page = desk.get("/duplicates/").context
    phone = next(row for row in page["rows"] if row.field == "phone")
    other = "second" if phone.winner == "first" else "first"
    answer = desk.post(
        reverse("identity:pair_merge", args=[waiting.public_id]), {"survivor": "first", "choice.phone": other}
    )
    made = Merge.objects.get()
    assert answer["Location"] == f"/duplicates/?done={made.public_id}"
    assert made.choices == {"phone": "survivor" if other == "first" else "loser"}
    assert values_of(Contact.objects.get(pk=one.pk))["phone"] == getattr(phone, other)
    waiting.refresh_from_db()
    assert waiting.verdict == Candidate.Verdict.MERGED
    text = desk.get(answer["Location"]).content.decode()
    assert reverse("identity:merge_undo", args=[made.public_id]) in text
    desk.post(reverse("identity:merge_undo", args=[made.public_id]), {"back": "queue"})
    assert Contact.objects.filter(pk=two.pk).exists()
    waiting.refresh_from_db()
    assert waiting.verdict == Candidate.Verdict.APART, "whoever undoes a merge has said that they are two people"


def test_the_other_record_may_stay(desk: Client) -> None:
    one, two, waiting = twins()
    desk.post(reverse("identity:pair_merge", args=[waiting.public_id]), {"survivor": "second"})
    assert not Contact.objects.filter(pk=one.pk).exists()
    assert Merge.objects.get().choices == {}
    assert Contact.objects.filter(pk=two.pk).exists()


def test_two_people_and_taking_that_back(desk: Client) -> None:
    _one, _two, waiting = twins()
    answer = desk.post(reverse("identity:pair_apart", args=[waiting.public_id]))
    assert answer["Location"] == f"/duplicates/?apart={waiting.public_id}"
    assert Candidate.objects.get().verdict == Candidate.Verdict.APART
    desk.post(reverse("identity:pair_reopen", args=[waiting.public_id]))
    waiting.refresh_from_db()
    assert waiting.verdict == Candidate.Verdict.PENDING


def test_a_pair_that_somebody_else_decided_is_not_decided_again(desk: Client) -> None:
    _one, _two, waiting = twins()
    for _time in range(2):
        desk.post(reverse("identity:pair_merge", args=[waiting.public_id]), {"survivor": "first"})
    assert Merge.objects.count() == 1
    assert "Somebody else has decided" in desk.get("/duplicates/").content.decode()


def test_who_sees_stars_cannot_decide(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, waiting = twins()
    user = staff(Role.ANALYST, language="en")
    some = frozenset({Permission.CONTACT_VIEW, Permission.CONTACT_MERGE})
    monkeypatch.setattr(User, "permissions", property(lambda _user: some))
    client.force_login(user)
    text = client.get("/duplicates/").content.decode()
    assert "单" in text
    assert "单小燕" not in text
    assert "shan1@example.com" not in text
    assert "cannot decide" in text
    answer = client.post(reverse("identity:pair_merge", args=[waiting.public_id]), {"survivor": "first"})
    assert answer.status_code == 403
    assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 2


def test_merging_all_that_is_sure(desk: Client) -> None:
    _one, _two, sure = twins(1, probability=0.9995)
    _three, _four, held = twins(2, probability=0.9999, verdict=Candidate.Verdict.REVIEW, reason="external_id")
    _five, _six, doubtful = twins(3, probability=0.8)
    assert desk.get("/duplicates/sure/?level=0.999").context["count"] == 1
    desk.post("/duplicates/sure/", {"level": "0.999"})

    class Handle:
        def advance(self, done: int, total: int) -> None: ...

    assert merge_sure(Handle(), {"at_least": 0.999, "by": "test"}) == {"merged": 1}  # type: ignore[arg-type]
    states = [Candidate.objects.get(pk=each.pk).verdict for each in (sure, held, doubtful)]
    assert states == ["merged", "review", "pending"]


def test_a_pair_follows_the_record_that_stays(desk: Client) -> None:
    one, two, first = twins()
    three = person(full_name="单小艳", email="third@example.com")
    second = pair(two, three, value=0.5)
    desk.post(reverse("identity:pair_merge", args=[first.public_id]), {"survivor": "first"})
    second.refresh_from_db()
    assert {second.contact_low, second.contact_high} == {one.pk, three.pk}
    assert desk.get("/duplicates/").context["page"].pair.public_id == second.public_id


def test_merges_are_listed_and_undone_with_those_on_top(desk: Client) -> None:
    one, two, first = twins()
    desk.post(reverse("identity:pair_merge", args=[first.public_id]), {"survivor": "first"})
    three = person(full_name="单小艳", email="third@example.com")
    desk.post(reverse("identity:compare", args=[three.public_id, one.public_id]), {"survivor": "first"})
    lower = Merge.objects.order_by("pk")[0]
    answer = desk.post(reverse("identity:merge_undo", args=[lower.public_id]))
    assert answer["Location"] == f"/duplicates/merges/?below={lower.public_id}"
    assert "stands on top" in desk.get(answer["Location"]).content.decode()
    desk.post(reverse("identity:merge_undo", args=[lower.public_id]), {"below": "1"})
    assert Contact.objects.filter(pk=two.pk).exists()
    assert not Contact.objects.filter(pk=one.pk).exists()
    assert "Undone" in desk.get("/duplicates/merges/").content.decode()


def test_rules_are_saved_by_who_may(client: Client) -> None:
    client.force_login(staff(Role.ADMINISTRATOR, language="en"))
    assert client.get("/duplicates/rules/").status_code == 200
    rules = {"rule.*": "newest", "rule.company": "source", "sources.company": "staff, import"}
    client.post("/duplicates/rules/", rules)
    found = {row.field: (row.rule, row.sources) for row in SurvivorshipRule.objects.all()}
    assert found == {"*": ("newest", []), "company": ("source", ["staff", "import"])}
    client.post("/duplicates/rules/", {**rules, "sources.company": ""})
    assert SurvivorshipRule.objects.get(field="company").sources == ["staff", "import"]
    client.force_login(staff(Role.SUPPORT))
    assert client.post("/duplicates/rules/", {"rule.*": "longest"}).status_code == 403


def test_why_a_value_stands(desk: Client) -> None:
    one, _two, waiting = twins()
    desk.post(reverse("identity:pair_merge", args=[waiting.public_id]), {"survivor": "first"})
    address = reverse("identity:why", args=[one.public_id, "email"])
    before = desk.get(address).context
    assert [other["value"] for other in before["others"]]
    desk.post(reverse("identity:why_choose", args=[one.public_id, "email"]), {"index": "0"})
    after = desk.get(address)
    assert after.context["value"] == before["others"][0]["value"]
    assert "Fixed" in after.content.decode()
    desk.post(reverse("identity:why_lock", args=[one.public_id, "email"]), {"locked": "0"})
    assert not desk.get(address).context["found"].locked
    assert desk.get(reverse("identity:why", args=[one.public_id, "nonsense"])).status_code == 404


def test_runs_say_what_they_found(desk: Client) -> None:
    assert desk.get("/duplicates/runs/").status_code == 200
    assert desk.get("/duplicates/runs/progress/").status_code == 200


def test_merges_that_failed_are_shown_with_their_reasons_and_tried_again(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run.objects.create(
        kind=Run.Kind.FULL, state=Run.State.FINISHED, counts={"merged": 3, "failed": 2, "why": {"IntegrityError": 2}}
    )
    held = {"verdict": Candidate.Verdict.REVIEW, "reason": "failed"}
    _one, _two, first = twins(1, **held)
    three, _four, second = twins(2, **held)
    twins(3)
    text = desk.get("/duplicates/runs/").content.decode()
    assert "2 pairs that a run would have merged could not be merged" in text
    assert "<code>IntegrityError</code> × 2" in text
    shown = desk.get("/duplicates/?held=failed").context
    assert {pair.public_id for pair in shown["pairs"]} == {first.public_id, second.public_id}
    desk.post(reverse("identity:retry_failed"))
    assert Job.objects.get().kind == "identity_merge_failed"

    class Handle:
        def advance(self, done: int, total: int) -> None: ...

    whole = review.pair_merge

    def broken(**given: Any) -> Merge:
        if given["public_id"] == second.public_id:
            raise ValueError("a value of hers")
        return whole(**given)

    monkeypatch.setattr(tasks_merging, "pair_merge", broken)
    found = tasks_merging.merge_failed(Handle(), {"by": "test"})  # type: ignore[arg-type]
    assert found == {"merged": 1, "failed": 1, "why": {"ValueError": 1}}
    assert list(Candidate.objects.filter(reason="failed", verdict="review")) == [second]
    assert Contact.objects.filter(pk=three.pk).exists()
