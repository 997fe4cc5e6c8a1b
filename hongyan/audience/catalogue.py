"""What conditions may speak of in this installation, read from the database with one question."""

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_noop

from hongyan.audience.catalogue_events import event_specs, object_specs
from hongyan.audience.catalogue_reads import Vocabulary
from hongyan.audience.compiler.catalogue import (
    AudienceSpec,
    Catalogue,
    Choice,
    FieldSpec,
    FieldType,
    Label,
    ListSpec,
    TagGroupSpec,
    TagSpec,
)
from hongyan.audience.property_labels import PROPERTIES
from hongyan.audience.standing.fields import standing_fields
from hongyan.contacts.models import ConsentState, FieldDefinition
from hongyan.core.money import exponent

T = FieldType


def _field(key: str, kind: FieldType, name: str, group: str, *, suggests: bool = False, names: str = "") -> FieldSpec:
    return FieldSpec(key, kind, Label(name), column=key, group=group, suggests=suggests, names=names)


_SEX: Final = (
    Choice(1, Label(gettext_noop("male"))),
    Choice(2, Label(gettext_noop("female"))),
    Choice(9, Label(gettext_noop("not applicable"))),
    Choice(0, Label(gettext_noop("not known"))),
)
_MONTHS: Final = tuple(
    Choice(number, Label(name))
    for number, name in enumerate(
        (
            gettext_noop("January"),
            gettext_noop("February"),
            gettext_noop("March"),
            gettext_noop("April"),
            gettext_noop("May"),
            gettext_noop("June"),
            gettext_noop("July"),
            gettext_noop("August"),
            gettext_noop("September"),
            gettext_noop("October"),
            gettext_noop("November"),
            gettext_noop("December"),
        ),
        start=1,
    )
)
STANDARD_FIELDS: Final = (
    FieldSpec("full_name", T.SEALED, Label(gettext_noop("Full name")), attribute="full_name", group="person"),
    _field("city", T.TEXT, gettext_noop("City"), "place", suggests=True),
    _field("region", T.TEXT, gettext_noop("Region"), "place", suggests=True),
    _field("country", T.TEXT, gettext_noop("Country"), "place", suggests=True, names="country"),
    _field("time_zone", T.TEXT, gettext_noop("Time zone"), "place", suggests=True),
    FieldSpec("sex", T.CHOICE, Label(gettext_noop("Sex")), column="sex", choices=_SEX, group="person"),
    _field("language", T.TEXT, gettext_noop("Language"), "person", suggests=True, names="language"),
    FieldSpec(
        "birth_month",
        T.CHOICE,
        Label(gettext_noop("Month of birth")),
        column="birth_month",
        choices=_MONTHS,
        group="person",
    ),
    _field("birth_day", T.NUMBER, gettext_noop("Day of birth"), "person"),
    _field("has_email", T.BOOLEAN, gettext_noop("Has an e-mail address"), "person"),
    _field("has_phone", T.BOOLEAN, gettext_noop("Has a phone number"), "person"),
    _field("email_domain", T.TEXT, gettext_noop("E-mail domain"), "person", suggests=True),
    _field("source", T.TEXT, gettext_noop("Source"), "activity", suggests=True),
    _field("created_at", T.TIME, gettext_noop("Added at"), "activity"),
    _field("updated_at", T.TIME, gettext_noop("Changed at"), "activity"),
    _field("last_activity_at", T.TIME, gettext_noop("Last activity"), "activity"),
    _field("is_demo", T.BOOLEAN, gettext_noop("Demo data"), "activity"),
)
_FACTS: Final = "commerce_contactfacts"


def _of_company(column: str, name: str, *, names: str = "") -> FieldSpec:
    return FieldSpec(
        f"company.{column}",
        T.TEXT,
        Label(name),
        column=column,
        table="contacts_company",
        theirs="id",
        ours="company_id",
        group="company",
        suggests=True,
        names=names,
    )


COMPANY_FIELDS: Final = (
    _of_company("name", gettext_noop("Company")),
    _of_company("industry", gettext_noop("Industry")),
    _of_company("size", gettext_noop("Company size")),
    _of_company("country", gettext_noop("Country of the company"), names="country"),
    _of_company("city", gettext_noop("City of the company")),
)
CHANNELS: Final = {
    "email": gettext_noop("e-mail"),
    "tracking_open": gettext_noop("open tracking"),
    "tracking_click": gettext_noop("click tracking"),
}
CONSENT_STATES: Final = {
    ConsentState.State.GIVEN.value: gettext_noop("given"),
    ConsentState.State.PENDING.value: gettext_noop("asked, not confirmed"),
    ConsentState.State.WITHDRAWN.value: gettext_noop("withdrawn"),
    ConsentState.State.NONE.value: gettext_noop("nothing said"),
}
_TYPES: Final = {
    FieldDefinition.Type.TEXT: T.TEXT,
    FieldDefinition.Type.URL: T.TEXT,
    FieldDefinition.Type.NUMBER: T.NUMBER,
    FieldDefinition.Type.BOOLEAN: T.BOOLEAN,
    FieldDefinition.Type.DATE: T.DATE,
    FieldDefinition.Type.DATETIME: T.TIME,
    FieldDefinition.Type.CHOICE: T.CHOICE,
    FieldDefinition.Type.CHOICES: T.CHOICES,
}


def catalogue_now() -> Catalogue:
    """As things stand: take it once at the start of an act and pass it on. One question to the database."""
    words = Vocabulary.now()
    return Catalogue(
        fields={
            spec.key: spec
            for spec in (
                *STANDARD_FIELDS,
                *_order_fields(words.currency),
                *COMPANY_FIELDS,
                *standing_fields(words.rules),
                *_custom_fields(words),
            )
        },
        tags={key: TagSpec(said["id"], key, _label(said)) for key, said in words.tags.items()},
        tag_groups={
            key: TagGroupSpec(key, _label(said), _tags_in(said["id"], words)) for key, said in words.groups.items()
        },
        lists={public_id: ListSpec(said["id"], public_id, said["name"]) for public_id, said in words.lists.items()},
        audiences={
            public_id: AudienceSpec(public_id, said["name"], said["tree"])
            for public_id, said in words.audiences.items()
        },
        events=event_specs(words),
        properties=PROPERTIES,
        objects=object_specs(words),
        channels={key: Label(name) for key, name in CHANNELS.items()},
        topics={key: _label(topic) for key, topic in words.topics.items()},
        topic_ids={key: topic["id"] for key, topic in words.topics.items()},
        consent_states={key: Label(name) for key, name in CONSENT_STATES.items()},
        zone=ZoneInfo(settings.HONGYAN_TIME_ZONE),
    )


def _label(said: Mapping[str, Any]) -> Label:
    return Label(said["en"], said["zh"])


def _order_fields(home: str) -> tuple[FieldSpec, ...]:
    """What contacts bought; money in the organisation's currency, as people write it."""

    def fact(key: str, kind: FieldType, name: str, column: str, *, digits: int | None = None) -> FieldSpec:
        return FieldSpec(key, kind, Label(name), column=column, group="orders", table=_FACTS, digits=digits)

    digits = exponent(home)
    return (
        fact("orders.count", T.NUMBER, gettext_noop("Number of orders"), "orders"),
        fact("orders.total", T.NUMBER, gettext_noop("Total of orders"), "total_minor", digits=digits),
        fact("orders.average", T.NUMBER, gettext_noop("Average order"), "average_minor", digits=digits),
        fact("orders.first_at", T.TIME, gettext_noop("First order"), "first_at"),
        fact("orders.last_at", T.TIME, gettext_noop("Last order"), "last_at"),
    )


def _tags_in(group_id: int, words: Vocabulary) -> tuple[int, ...]:
    """Ids of the tags of the group and of everything below it."""
    below = _below(group_id, words)
    return tuple(tag["id"] for tag in words.tags.values() if tag["group"] in below)


def _below(group_id: int, words: Vocabulary) -> set[int]:
    inner = [group["id"] for group in words.groups.values() if group["inside"] == group_id]
    return {group_id}.union(*(_below(one, words) for one in inner))


def _custom_fields(words: Vocabulary) -> list[FieldSpec]:
    return [
        FieldSpec(
            key=f"custom.{key}",
            type=T.SEALED if said["sensitive"] else _TYPES[FieldDefinition.Type(said["type"])],
            label=_label(said),
            attribute=f"extra.{key}" if said["sensitive"] else key,
            choices=tuple(_choice(option) for option in said["options"]),
            group="custom",
            suggests=said["type"] == FieldDefinition.Type.TEXT and not said["sensitive"],
        )
        for key, said in words.fields.items()
    ]


def _choice(option: object) -> Choice:
    """Options are either plain texts or {"value", "label_zh", "label_en"}."""
    if isinstance(option, dict):
        value = str(option.get("value", ""))
        return Choice(value, Label(str(option.get("label_en") or value), str(option.get("label_zh") or value)))
    return Choice(str(option), Label(str(option), str(option)))
