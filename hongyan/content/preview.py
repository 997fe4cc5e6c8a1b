"""A mail as somebody would get it, without a message behind it: for editors and galleries."""

from typing import Any

from django.utils import timezone

from hongyan.content.catalogue import Catalogue, catalogue
from hongyan.content.contexts import contexts, today
from hongyan.content.models import ContentVersion
from hongyan.content.rendering import prepare
from hongyan.content.types import RenderedMail
from hongyan.core import clock


class PreviewLinks:
    """Links lead where the mail says; nothing is counted and nobody can be unsubscribed from a preview."""

    tracks_clicks = False

    def click_start(self) -> str:
        return "#link-"

    def dynamic_click_url(self, url: str) -> str:
        return url

    def open_pixel_url(self) -> str | None:
        return None

    def unsubscribe_url(self) -> str:
        return "#unsubscribe"

    def preferences_url(self) -> str:
        return "#preferences"

    def view_url(self) -> str:
        return "#view"


def preview_for(version: ContentVersion, contact_id: int, *, sender: dict[str, str], masked: bool) -> RenderedMail:
    """As this contact. masked: for readers without the right to see identities. Raises RenderRefused."""
    context = contexts([contact_id], version.variables, language=version.language, masked=masked).get(contact_id, {})
    return _render(version, context, sender)


def preview_example(version: ContentVersion, *, sender: dict[str, str]) -> RenderedMail:
    """As the person of the catalogue's examples, who has a value in every field."""
    return _render(version, example_context(catalogue(), version.language), sender)


def example_context(fields: Catalogue, language: str) -> dict[str, Any]:
    contact: dict[str, Any] = {"fields": {}}
    for path, field in fields.items():
        if field.group == "contact":
            contact[path.removeprefix("contact.")] = field.example
        elif field.group == "custom":
            contact["fields"][path.removeprefix("contact.fields.")] = field.example
    for name in ("sex", "birth_month", "birth_day"):
        contact[name] = int(contact[name])
    if not language.startswith("zh"):
        contact |= {"full_name": "Amelia Lin", "given_name": "Amelia", "salutation": "Ms", "country_name": "China"}
    zone = timezone.get_current_timezone_name()
    return {"contact": contact, "today": today(clock.now(), zone, language)}


def example_sender(language: str) -> dict[str, str]:
    """Where no sender is set up yet."""
    if language.startswith("zh"):
        return {
            "name": "鸿雁商城",
            "email": "hello@shop.example",
            "company": "鸿雁商城",
            "address": "上海市示例路 1 号",
        }
    return {
        "name": "Wild Goose Shop",
        "email": "hello@shop.example",
        "company": "Wild Goose Shop",
        "address": "1 Example Road",
    }


def _render(version: ContentVersion, context: dict[str, Any], sender: dict[str, str]) -> RenderedMail:
    given = {**context, "sender": sender, "action_url": "https://shop.example/confirm"}
    return prepare(version).render(given, PreviewLinks())
