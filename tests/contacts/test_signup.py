from datetime import timedelta

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import contact_actor, system_actor
from hongyan.contacts.consent import refusals, states_of
from hongyan.contacts.consent import unsubscribe as contact_unsubscribe
from hongyan.contacts.errors import ConfirmationRefused, DefinitionRefused, InvalidValues, SignupRefused
from hongyan.contacts.models import ConfirmationRequest, ConsentRecord, Contact, Suppression, Tombstone, Topic
from hongyan.contacts.selectors import identities
from hongyan.contacts.services import contact_create
from hongyan.contacts.signup import (
    DAILY_LIMIT,
    LIFE,
    MONTHLY_LIMIT,
    Signup,
    confirm,
    confirmation_of,
    form_of_token,
)
from hongyan.contacts.signup_expiry import expire_unconfirmed
from hongyan.contacts.signup_forms import FormValues, form_archive, form_create, form_rows, form_update
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import ContactValues, Evidence, SuppressionReason
from hongyan.core import clock
from tests.contacts.signups import ACTOR, TEXTS, sign_up, signup_form

pytestmark = pytest.mark.django_db
CLICK = Evidence(method="confirmation", ip="203.0.113.8", user_agent="Mail/2")


def taken(signup: Signup | None) -> Signup:
    assert signup is not None
    return signup


def standing(contact_id: int, key: str = "newsletter") -> str:
    return states_of(actor=ACTOR, contact_id=contact_id).get(("email", key), ("none", None))[0]


def refusal(contact_id: int, key: str = "newsletter") -> str | None:
    topic = Topic.objects.get(key=key)
    return refusals([contact_id], topic_id=topic.pk, transactional=False)[contact_id]


def test_a_sign_up_waits_and_nothing_may_be_sent_meanwhile() -> None:
    form = signup_form()
    signup = taken(sign_up(form, values={"full_name": "李娜", "phone": "13800138000"}))
    assert standing(signup.contact_id) == "pending"
    assert refusal(signup.contact_id) == "pending_confirmation"
    assert refusal(signup.contact_id, "promotion") == "no_consent"
    assert identities([signup.contact_id])[signup.contact_id].full_name == ""  # used only once confirmed
    entry = ConsentRecord.objects.get()
    assert (entry.action, entry.form_id, entry.source_url) == ("requested", form.pk, "https://shop.example/footer")
    assert entry.wording == TEXTS["en"]["consent"]
    assert entry.wording_version.endswith("/1/en")


def test_confirming_makes_mailable_with_both_times_and_fills_the_profile() -> None:
    signup = taken(sign_up(signup_form(), values={"full_name": "李娜", "phone": "13800138000"}))
    later = clock.now() + timedelta(days=2)
    with clock.freeze(later):
        confirm(token=signup.token, evidence=CLICK)
    assert refusal(signup.contact_id) is None
    entry = ConsentRecord.objects.get(action="given")
    assert (entry.requested_at, entry.occurred_at) == (signup.requested_at, later)
    assert entry.method == "confirmation"
    person = identities([signup.contact_id])[signup.contact_id]
    assert (person.full_name, person.phone) == ("李娜", "+8613800138000")
    assert ConfirmationRequest.objects.get().sealed is None


def test_looking_is_not_confirming() -> None:
    signup = taken(sign_up(signup_form()))
    for _ in range(3):
        assert not confirmation_of(token=signup.token).again
    assert standing(signup.contact_id) == "pending"


def test_a_second_click_changes_nothing_even_after_unsubscribing() -> None:
    signup = taken(sign_up(signup_form()))
    confirm(token=signup.token, evidence=CLICK)
    assert confirm(token=signup.token, evidence=CLICK).again
    contact_unsubscribe(actor=contact_actor(), contact_id=signup.contact_id, topic_key=None, evidence=CLICK)
    assert confirm(token=signup.token, evidence=CLICK).again
    assert standing(signup.contact_id) == "withdrawn"
    assert ConsentRecord.objects.filter(action="given").count() == 1


def test_wrong_and_late_links_are_refused() -> None:
    form = signup_form()
    signup = taken(sign_up(form))
    for token in ("", "nonsense", signup.token[:-2], "Z" + signup.token[1:], "é"):
        with pytest.raises(ConfirmationRefused) as refused:
            confirm(token=token, evidence=CLICK)
        assert refused.value.code == "unknown"
    with clock.freeze(clock.now() + LIFE), pytest.raises(ConfirmationRefused) as refused:
        confirm(token=signup.token, evidence=CLICK)
    assert refused.value.code == "expired"
    assert form_of_token(signup.token) == form


def test_unconfirmed_people_are_forgotten_and_may_come_again() -> None:
    form = signup_form()
    signup = taken(sign_up(form))
    with clock.freeze(clock.now() + LIFE - timedelta(minutes=1)):
        assert expire_unconfirmed() == 0
    with clock.freeze(clock.now() + LIFE):
        assert expire_unconfirmed() == 1
        assert not Contact.objects.exists()
        assert Tombstone.objects.get().reason == "retention"
        assert not Suppression.objects.exists()
        with pytest.raises(ConfirmationRefused, match="expired"):
            confirm(token=signup.token, evidence=CLICK)
        assert sign_up(form) is not None


def test_expiry_leaves_known_people_and_what_holds() -> None:
    person = contact_create(actor=ACTOR, values=ContactValues({"email": "li.na@example.com"}), source="staff")
    form = signup_form()
    confirm(token=taken(sign_up(form)).token, evidence=CLICK)
    sign_up(form, topics=["newsletter", "promotion"])
    with clock.freeze(clock.now() + LIFE):
        assert expire_unconfirmed() == 1
    assert (standing(person.pk), standing(person.pk, "promotion")) == ("given", "none")
    assert ConsentRecord.objects.filter(action="expired").count() == 1


def test_two_open_sign_ups_expire_one_after_the_other() -> None:
    form = signup_form()
    first = taken(sign_up(form))
    with clock.freeze(first.requested_at + timedelta(days=10)):
        second = taken(sign_up(form))
    with clock.freeze(first.requested_at + LIFE):
        expire_unconfirmed()
    assert standing(first.contact_id) == "pending"
    with clock.freeze(second.requested_at + LIFE):
        expire_unconfirmed()
    assert not Contact.objects.exists()


def test_typing_a_strangers_address_takes_nothing_from_them() -> None:
    person = contact_create(
        actor=ACTOR, values=ContactValues({"email": "li.na@example.com", "full_name": "Li Na"}), source="staff"
    )
    contact_unsubscribe(actor=contact_actor(), contact_id=person.pk, topic_key="newsletter", evidence=CLICK)
    signup = taken(sign_up(signup_form(), "LI.NA@example.com", values={"full_name": "Somebody Else"}))
    assert (signup.contact_id, standing(person.pk)) == (person.pk, "withdrawn")
    assert identities([person.pk])[person.pk].full_name == "Li Na"
    confirm(token=signup.token, evidence=CLICK)
    assert standing(person.pk) == "given"
    assert identities([person.pk])[person.pk].full_name == "Li Na"


def test_confirming_lifts_an_unsubscription_but_no_complaint() -> None:
    form = signup_form()
    suppress(actor=ACTOR, kind="email", value="li.na@example.com", reason=SuppressionReason.UNSUBSCRIBED)
    confirm(token=taken(sign_up(form)).token, evidence=CLICK)
    assert not Suppression.objects.exists()
    suppress(actor=ACTOR, kind="email", value="bad@example.com", reason=SuppressionReason.COMPLAINED)
    suppress(actor=ACTOR, kind="domain", value="blocked.example", reason=SuppressionReason.MANUAL)
    assert sign_up(form, "bad@example.com") is None
    assert sign_up(form, "any@blocked.example") is None
    assert Contact.objects.count() == 1


def test_an_inbox_cannot_be_filled_by_other_people() -> None:
    form = signup_form(hourly_limit=1000)
    start = clock.now()
    sent = [sign_up(form, ip=f"203.0.113.{number}") for number in range(10)]
    assert sum(signup is not None for signup in sent) == DAILY_LIMIT
    for day in range(1, 8):
        with clock.freeze(start + timedelta(days=day, hours=1)):
            sign_up(form, ip=f"198.51.100.{day}")
    assert ConfirmationRequest.objects.count() == MONTHLY_LIMIT


def test_one_network_is_slowed_down() -> None:
    form = signup_form(hourly_limit=3)
    for number in range(3):
        sign_up(form, f"person{number}@example.com")
    with pytest.raises(SignupRefused, match="throttled"):
        sign_up(form, "person9@example.com")
    assert sign_up(form, "person9@example.com", ip="2001:db8::1") is not None
    with clock.freeze(clock.now() + timedelta(hours=1, seconds=1)):
        assert sign_up(form, "person8@example.com") is not None


def test_robots_get_nothing() -> None:
    assert sign_up(signup_form(), trap="https://spam.example") is None
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("email", "topics", "values", "problems"),
    [
        ("", ["newsletter"], {}, {"email": "empty"}),
        ("a@b", ["newsletter"], {}, {"email": "email_domain"}),
        ("li@example.com", [], {}, {"topics": "topics"}),
        ("li@example.com", ["unknown"], {"phone": "12"}, {"topics": "topics", "phone": "phone_invalid"}),
    ],
)
def test_problems_are_told_together(
    email: str, topics: list[str], values: dict[str, str], problems: dict[str, str]
) -> None:
    with pytest.raises(InvalidValues) as invalid:
        sign_up(signup_form(), email, topics=topics, values=values)
    assert invalid.value.problems.keys() == problems.keys()
    assert not Contact.objects.exists()


@pytest.mark.parametrize("name", ["Li\r\nBcc: all@example.com", "Li\x00Na", "Li\u2028Na"])
def test_line_breaks_in_a_name_never_reach_the_profile(name: str) -> None:
    try:
        signup = sign_up(signup_form(), values={"full_name": name})
    except InvalidValues:
        signup = None
        assert not Contact.objects.exists()
    if signup is not None:
        confirm(token=signup.token, evidence=CLICK)
        stored = identities([signup.contact_id])[signup.contact_id].full_name
        assert stored.isprintable()


def test_the_browsers_refusal_of_tracking_is_kept() -> None:
    signup = taken(sign_up(signup_form(), tracking_refused=True))
    confirm(token=signup.token, evidence=CLICK)
    states = states_of(actor=ACTOR, contact_id=signup.contact_id)
    assert states["tracking_open", None][0] == states["tracking_click", None][0] == "withdrawn"
    plain = taken(sign_up(signup_form(), "other@example.com"))
    confirm(token=plain.token, evidence=CLICK)
    assert {channel for channel, _ in states_of(actor=ACTOR, contact_id=plain.contact_id)} == {"email"}


def test_a_changed_consent_text_is_a_new_version() -> None:
    form = signup_form()
    same = FormValues(name="New name", topic_keys=["newsletter"], texts=TEXTS)
    assert form_update(actor=ACTOR, form=form, values=same).wording_version == 1
    texts = TEXTS | {"en": TEXTS["en"] | {"consent": "I agree."}}
    changed = FormValues(name="New name", topic_keys=["newsletter"], texts=texts)
    assert form_update(actor=ACTOR, form=form, values=changed).wording_version == 2


def test_forms_are_checked_and_guarded() -> None:
    def values(**changes: object) -> FormValues:
        return FormValues(**{"name": "x", "topic_keys": ["newsletter"], "texts": TEXTS, **changes})  # type: ignore[arg-type]

    for field, bad in (
        ("name", values(name=" ")),
        ("topics", values(topic_keys=[])),
        ("fields", values(fields=["notes"])),
        ("redirect_hosts", values(redirect_hosts=["https://shop.example/thanks"])),
        ("redirect_hosts", values(redirect_hosts=["shop.example; script-src *"])),
        ("title_zh", values(texts={})),
    ):
        with pytest.raises(DefinitionRefused) as refused:
            form_create(actor=system_actor("test"), values=bad)
        assert refused.value.field == field
    with pytest.raises(PermissionRefused):
        form_create(actor=contact_actor(), values=values())


def test_an_archived_form_takes_nobody_but_links_still_work() -> None:
    form = signup_form()
    signup = taken(sign_up(form))
    form_archive(actor=ACTOR, form=form)
    with pytest.raises(SignupRefused, match="form_closed"):
        sign_up(form, "other@example.com")
    confirm(token=signup.token, evidence=CLICK)
    assert [(row.signups, row.confirmed) for row in form_rows(actor=ACTOR)] == [(1, 1)]
