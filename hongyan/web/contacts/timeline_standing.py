"""Moves between lifecycle stages and RFM tiers, and tags that rules gave or took, as lines of a person's time; and
where the person stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.models import Tag
from hongyan.audience.standing.fields import STAGE_LABELS
from hongyan.audience.standing.rfm import rfm_of, rfm_rules
from hongyan.audience.standing.stages import stage_of
from hongyan.audience.types import Stage
from hongyan.contacts.timeline import Position
from hongyan.events.types import EventRow
from hongyan.web.contacts.common import language
from hongyan.web.contacts.timeline import Item

STANDING_TITLES: Final[Mapping[str, Promise]] = {
    "lifecycle_changed": gettext_lazy("Lifecycle stage"),
    "rfm_changed": gettext_lazy("RFM tier"),
    "tag_added": gettext_lazy("Tag given by a rule"),
    "tag_removed": gettext_lazy("Tag taken by a rule"),
}
_ICONS: Final = {
    "lifecycle_changed": "route",
    "rfm_changed": "chart-grid-dots",
    "tag_added": "tag-plus",
    "tag_removed": "tag-minus",
}
_CAUSES: Final[Mapping[str, Promise]] = {
    "change": gettext_lazy("something they did, or something known of them"),
    "time": gettext_lazy("time passed"),
    "rules": gettext_lazy("the rules changed"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """tier and scores: "" for people who never ordered."""

    stage: str
    since: datetime
    tier: str = ""
    scores: str = ""


def place_of(contact_id: int) -> Place | None:
    """None in the first seconds of a contact."""
    stage, rfm = stage_of(contact_id), rfm_of(contact_id)
    if stage is None:
        return None
    if rfm is None:
        return Place(_stage(stage.stage), stage.since)
    scores = f"R{rfm.recency} F{rfm.frequency} M{rfm.monetary}"
    return Place(_stage(stage.stage), stage.since, _tier(rfm.tier), scores)


def is_standing(row: EventRow) -> bool:
    return row.name in STANDING_TITLES


def standing_item(position: Position, row: EventRow) -> Item:
    properties, title = row.properties, str(STANDING_TITLES[row.name])
    cause = _CAUSES.get(str(properties.get("cause", "")))
    if row.name in {"tag_added", "tag_removed"}:
        said = _tag(str(properties.get("tag", "")))
    else:
        name = _stage if row.name == "lifecycle_changed" else _tier
        before, after = (str(properties.get(key) or "") for key in ("from", "to"))
        said = f"{name(before)} → {name(after) if after else _('no longer a customer')}"
    joined = _("%(title)s: %(value)s") % {"title": title, "value": said}
    return Item(position, title=joined, icon=_ICONS[row.name], quiet=True, lines=[str(cause)] if cause else [])


def _stage(key: str) -> str:
    return capfirst(Label(STAGE_LABELS[Stage(key)]).text(language())) if key in set(Stage) else key


def _tier(key: str) -> str:
    found = next((tier for tier in rfm_rules().tiers if tier.key == key), None)
    return Label(found.name_en, found.name_zh).text(language()) if found else key


def _tag(key: str) -> str:
    found = Tag.objects.filter(key=key).first()
    return Label(found.name_en, found.name_zh).text(language()) if found else key
