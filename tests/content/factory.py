"""Drafts, a link maker and shortcuts of the content tests."""

from collections.abc import Mapping
from typing import Any

from hongyan.content.build import Compiled, build
from hongyan.content.catalogue import STATIC, MergeField
from hongyan.content.rendering import PreparedMail
from hongyan.content.types import MailDraft, RenderedMail, SourceKind

CUSTOM = {
    f"contact.fields.{key}": MergeField(f"contact.fields.{key}", key, "custom", key)
    for key in ("level", "points", "site")
}
CATALOGUE = {**STATIC, **CUSTOM}
SENDER = {"name": "鸿雁商城", "company": "C & Co", "email": "hello@shop.example", "address": "示例路 1 号"}
TODAY = {"text": "2026年11月22日", "iso": "2026-11-22", "year": 2026, "month": 11, "day": 22, "weekday": "星期日"}


class Links:
    def __init__(self, *, tracked: bool = True) -> None:
        self.tracks_clicks = tracked

    def click_start(self) -> str:
        return "https://m.example/c/TOKEN/"

    def dynamic_click_url(self, url: str) -> str:
        return "https://m.example/d/TOKEN?" + url.replace("://", "~")

    def open_pixel_url(self) -> str | None:
        return "https://m.example/o/TOKEN" if self.tracks_clicks else None

    def unsubscribe_url(self) -> str:
        return "https://m.example/u/TOKEN"

    def preferences_url(self) -> str:
        return "https://m.example/p/TOKEN"

    def view_url(self) -> str:
        return "https://m.example/v/TOKEN"


def compiled(source: str, kind: str = "html", *, snippets: Mapping[str, str] | None = None, **more: Any) -> Compiled:
    more.setdefault("subject", "News")
    draft = MailDraft(kind=SourceKind(kind), source=source, **more)
    return build(draft, catalogue=CATALOGUE, snippets=snippets or {})


def prepared(mail: Compiled) -> PreparedMail:
    return PreparedMail(
        subject=mail.subject, markup=mail.html, text=mail.text, variables=mail.variables, links=mail.links
    )


def rendered(
    source: str, contact: Mapping[str, Any] | None = None, kind: str = "html", *, tracked: bool = True, **more: Any
) -> RenderedMail:
    context = {"contact": contact or {}, "sender": SENDER, "today": TODAY, "action_url": "https://m.example/a"}
    return prepared(compiled(source, kind, **more)).render(context, Links(tracked=tracked))


def in_mjml(text: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"
