"""Names of fields, states and acts as people read them."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hongyan.audience.models import Tag
from hongyan.audience.names import name_of_code
from hongyan.contacts.models import FieldDefinition
from hongyan.core.clock import now
from hongyan.web.contacts.common import language

Words = Mapping[str, Promise]

FIELDS: Words = {
    "full_name": gettext_lazy("Full name"),
    "family_name": gettext_lazy("Family name"),
    "given_name": gettext_lazy("Given name"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "company": gettext_lazy("Company"),
    "sex": gettext_lazy("Sex"),
    "birth_date": gettext_lazy("Date of birth"),
    "country": gettext_lazy("Country"),
    "region": gettext_lazy("Province or state"),
    "city": gettext_lazy("City"),
    "street": gettext_lazy("Street address"),
    "postal_code": gettext_lazy("Postal code"),
    "language": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
    "external_id": gettext_lazy("External ID"),
    "notes": gettext_lazy("Notes"),
}
SEXES: Mapping[int, Promise] = {
    1: gettext_lazy("Male"),
    2: gettext_lazy("Female"),
    9: gettext_lazy("Not applicable"),
}
STANDINGS: Words = {
    "given": gettext_lazy("Consent given"),
    "pending": gettext_lazy("Confirmation pending"),
    "withdrawn": gettext_lazy("Unsubscribed"),
    "none": gettext_lazy("No consent"),
}
SUPPRESSIONS: Words = {
    "unsubscribed": gettext_lazy("unsubscribed from everything"),
    "complained": gettext_lazy("complained about spam"),
    "hard_bounce": gettext_lazy("mailbox does not exist"),
    "manual": gettext_lazy("suppressed by hand"),
    "erased": gettext_lazy("erased on request"),
    "import": gettext_lazy("suppressed by an import"),
}
CHANNELS: Words = {
    "email": gettext_lazy("E-mail"),
    "tracking_open": gettext_lazy("Tracking of opens"),
    "tracking_click": gettext_lazy("Tracking of clicks"),
}
ACTIONS: Words = {
    "requested": pgettext_lazy("consent", "Asked"),
    "given": pgettext_lazy("consent", "Given"),
    "refused": pgettext_lazy("consent", "Refused"),
    "withdrawn": pgettext_lazy("consent", "Withdrawn"),
    "expired": pgettext_lazy("consent", "Expired"),
    "imported_none": gettext_lazy("Imported without a basis"),
}
METHODS: Words = {
    "form": gettext_lazy("sign-up form"),
    "confirmation": gettext_lazy("confirmation link"),
    "import": pgettext_lazy("method", "import"),
    "migration": gettext_lazy("export of another system"),
    "staff": gettext_lazy("recorded by staff"),
    "preferences": gettext_lazy("preference centre"),
    "one_click": gettext_lazy("one-click unsubscribe"),
    "api": gettext_lazy("API"),
    "gpc": gettext_lazy("signal of the browser (GPC)"),
    "demo": gettext_lazy("demo data"),
}
SOURCES: Words = {
    "staff": gettext_lazy("entered by hand"),
    "api": gettext_lazy("API"),
    "demo": gettext_lazy("demo data"),
    "form": gettext_lazy("sign-up form"),
    "import": pgettext_lazy("method", "import"),
    "source": gettext_lazy("scheduled source"),
    "companies.link": gettext_lazy("linked automatically"),
    "rules": gettext_lazy("rules of tags"),
    "audiences": gettext_lazy("live audiences"),
    "stages": gettext_lazy("lifecycle stages"),
    "rfm": gettext_lazy("RFM tiers"),
}
KINDS: Words = {
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "external_id": gettext_lazy("External ID"),
    "anonymous_id": gettext_lazy("Anonymous visitor"),
    "domain": gettext_lazy("Domain"),
}
ORDER_STATES: Words = {
    "pending": pgettext_lazy("order", "Not paid yet"),
    "paid": pgettext_lazy("order", "Paid"),
    "fulfilled": pgettext_lazy("order", "Delivered"),
    "cancelled": pgettext_lazy("order", "Cancelled"),
    "refunded": pgettext_lazy("order", "Refunded"),
    "partially_refunded": pgettext_lazy("order", "Partly refunded"),
}
MESSAGE_STATES: Words = {
    "queued": gettext_lazy("Waiting"),
    "claimed": gettext_lazy("Being sent"),
    "dotted": gettext_lazy("Being sent"),
    "sent": pgettext_lazy("message", "Sent"),
    "deferred": gettext_lazy("Will be tried again"),
    "bounced": gettext_lazy("Bounced"),
    "failed": gettext_lazy("Failed"),
    "uncertain": gettext_lazy("Uncertain"),
    "refused": gettext_lazy("Not sent"),
    "cancelled": gettext_lazy("Cancelled"),
}


def field_name(key: str, custom: Mapping[str, FieldDefinition] | None = None) -> str:
    """``custom.<key>`` by its definition; an unknown key stays visible as it is."""
    if key.startswith("custom."):
        definition = (custom or {}).get(key.removeprefix("custom."))
        return label_of(definition) if definition is not None else key.removeprefix("custom.")
    return str(FIELDS.get(key, key))


def label_of(definition: FieldDefinition) -> str:
    return definition.label_zh if language() == "zh-hans" else definition.label_en


def tag_name(tag: Tag) -> str:
    return (tag.name_zh or tag.name_en) if language() == "zh-hans" else (tag.name_en or tag.name_zh)


def country_name(code: str) -> str:
    return name_of_code("country", code, language())


def local_time(zone: str) -> str:
    """The time of day where the person is; "" when that is not known."""
    try:
        return f"{now().astimezone(ZoneInfo(zone)):%H:%M}" if zone else ""
    except (ZoneInfoNotFoundError, ValueError):
        return ""


def source_name(source: str) -> str:
    """ "import:12" is an import; its id is for programs. What is unknown stays visible."""
    kind, _colon, rest = source.partition(":")
    known = SOURCES.get(kind)
    if known is None:
        return source
    return f"{known} {rest}" if rest and len(rest) < 36 else str(known)


def value_text(definition: FieldDefinition, value: object) -> str:
    """A custom value as people read it."""
    if isinstance(value, bool) or value in {"true", "false"}:
        return _("Yes") if value in {True, "true"} else _("No")
    parts = value if isinstance(value, list) else str(value).split("|") if definition.type == "choices" else [value]
    labels = {
        option["value"]: option["label_zh" if language() == "zh-hans" else "label_en"] for option in definition.options
    }
    return _(", ").join(str(labels.get(str(part), part)) for part in parts)
