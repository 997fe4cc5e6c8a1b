"""A sign-up form and what visitors do with it."""

from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import SignupForm
from hongyan.contacts.signup import Signup, form_submit
from hongyan.contacts.signup_forms import FormValues, form_create
from hongyan.contacts.types import Evidence

ACTOR = system_actor("test")
TEXTS = {
    "zh-hans": {
        "title": "订阅我们的来信",
        "intro": "每月两封。",
        "consent": "我同意接收所选邮件，可随时退订。",
        "button": "订阅",
        "done": "谢谢，请查收确认邮件。",
    },
    "en": {
        "title": "Get our letters",
        "intro": "Two a month.",
        "consent": "I agree to get the mails I ticked and can unsubscribe at any time.",
        "button": "Subscribe",
        "done": "Thank you, look for our mail.",
    },
}


def signup_form(**changes: Any) -> SignupForm:
    values: dict[str, Any] = {
        "name": "Shop footer",
        "topic_keys": ["newsletter", "promotion"],
        "texts": TEXTS,
        "fields": ["full_name", "phone"],
        "redirect_hosts": ["www.shop.example"],
    }
    return form_create(actor=ACTOR, values=FormValues(**{**values, **changes}))


def sign_up(
    form: SignupForm,
    email: str = "li.na@example.com",
    *,
    ip: str = "203.0.113.7",
    topics: Any = ("newsletter",),
    **more: Any,
) -> Signup | None:
    evidence = Evidence(method="form", source_url="https://shop.example/footer", ip=ip, user_agent="Test/1.0")
    values = {"email": email, **more.pop("values", {})}
    return form_submit(form=form, values=values, topic_keys=topics, language="en", evidence=evidence, **more)
