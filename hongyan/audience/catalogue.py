"""What conditions may speak of in this installation, read from the database with a fixed number of queries."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_noop

from hongyan.audience.catalogue_events import Vocabulary, event_specs, object_specs
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
from hongyan.audience.models import AudienceVersion, ContactList, Tag, TagGroup, current_versions
from hongyan.audience.standing.fields import standing_fields
from hongyan.commerce.settings import commerce_settings
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


@dataclass(frozen=True, slots=True)
class Stock:
    """What people have defined, for pages that show it and need a catalogue of it as well."""

    groups: list[TagGroup]
    tags: list[Tag]
    lists: list[ContactList]
    versions: list[AudienceVersion]

    @classmethod
    def now(cls) -> "Stock":
        return cls(
            list(TagGroup.objects.all()),
            list(Tag.objects.all()),
            list(ContactList.objects.all()),
            list(current_versions()),
        )


def catalogue_now(stock: Stock | None = None) -> Catalogue:
    """As things stand: take it once at the start of an act and pass it on."""
    stock = stock or Stock.now()
    groups, tags = stock.groups, stock.tags
    words = Vocabulary.now()
    home = commerce_settings().currency
    return Catalogue(
        fields={
            spec.key: spec
            for spec in (
                *STANDARD_FIELDS,
                *_order_fields(home),
                *COMPANY_FIELDS,
                *standing_fields(words.rules),
                *_custom_fields(),
            )
        },
        tags={tag.key: TagSpec(tag.pk, tag.key, Label(tag.name_en, tag.name_zh)) for tag in tags},
        tag_groups={group.key: _group(group, groups, tags) for group in groups},
        lists={str(row.public_id): ListSpec(row.pk, str(row.public_id), row.name) for row in stock.lists},
        audiences={
            str(version.audience.public_id): AudienceSpec(
                str(version.audience.public_id), version.audience.name, version.tree
            )
            for version in stock.versions
        },
        events=event_specs(words),
        objects=object_specs(home),
        channels={key: Label(name) for key, name in CHANNELS.items()},
        topics={key: Label(topic["en"], topic["zh"]) for key, topic in words.topics.items()},
        topic_ids={key: topic["id"] for key, topic in words.topics.items()},
        consent_states={key: Label(name) for key, name in CONSENT_STATES.items()},
        zone=ZoneInfo(settings.HONGYAN_TIME_ZONE),
    )


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


def descendants(groups: list[TagGroup], of: int) -> list[int]:
    """Ids of the group and everything below it."""
    below = [inner for group in groups if group.parent_id == of for inner in descendants(groups, group.pk)]
    return [of, *below]


def _group(group: TagGroup, groups: list[TagGroup], tags: list[Tag]) -> TagGroupSpec:
    below = set(descendants(groups, group.pk))
    ids = tuple(tag.pk for tag in tags if tag.group_id in below)
    return TagGroupSpec(group.key, Label(group.name_en, group.name_zh), ids)


def _custom_fields() -> list[FieldSpec]:
    return [
        FieldSpec(
            key=f"custom.{definition.key}",
            type=T.SEALED if definition.sensitive else _TYPES[FieldDefinition.Type(definition.type)],
            label=Label(definition.label_en, definition.label_zh),
            attribute=f"extra.{definition.key}" if definition.sensitive else definition.key,
            choices=tuple(_choice(option) for option in definition.options),
            group="custom",
            suggests=definition.type == FieldDefinition.Type.TEXT and not definition.sensitive,
        )
        for definition in FieldDefinition.objects.filter(archived_at=None).order_by("position", "id")
    ]


def _choice(option: object) -> Choice:
    """Options are either plain texts or {"value", "label_zh", "label_en"}."""
    if isinstance(option, dict):
        value = str(option.get("value", ""))
        return Choice(value, Label(str(option.get("label_en") or value), str(option.get("label_zh") or value)))
    return Choice(str(option), Label(str(option), str(option)))
