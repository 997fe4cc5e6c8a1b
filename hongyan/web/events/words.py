"""Codes of these pages in the reader's language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hongyan.events.models import EventProperty, EventViolation
from hongyan.ingest.models import WriteKey

Type, Handling, Code = EventProperty.Type, EventProperty.Handling, EventViolation.Code

KINDS: Final[dict[str, Promise]] = {
    WriteKey.Kind.BROWSER: _("Website"),
    WriteKey.Kind.SERVER: _("Server"),
    WriteKey.Kind.APP: _("App"),
}
KIND_ICONS: Final = {
    WriteKey.Kind.BROWSER: "world",
    WriteKey.Kind.SERVER: "server",
    WriteKey.Kind.APP: "device-mobile",
}
TYPES: Final[dict[str, Promise]] = {
    Type.TEXT: _("text"),
    Type.NUMBER: _("number"),
    Type.BOOLEAN: _("yes or no"),
    Type.TIME: _("time"),
    Type.LIST: _("list"),
    Type.OBJECT: _("object"),
}
HANDLINGS: Final[dict[str, Promise]] = {
    Handling.AUTO: _("Automatic"),
    Handling.OPEN: _("Keep open"),
    Handling.SEAL: _("Encrypt"),
    Handling.DROP: _("Drop"),
}
CODES: Final[dict[str, Promise]] = {
    Code.MISSING: _("required, but missing"),
    Code.WRONG_TYPE: _("of another type"),
    Code.UNPLANNED: _("not in the plan"),
    Code.IN_FUTURE: _("time in the future; the time of arrival was taken"),
}
REFUSALS: Final[dict[str, Promise]] = {
    "name_bad": _("A name has 1 to 80 characters, without control characters."),
    "name_taken": _("This event is in the plan already."),
    "kind_unknown": _("Choose where the events come from."),
    "origin_needed": _("Name at least one website; only pages there may use the key."),
    "origin_bad": _("“%(origin)s” is not the address of a website, like https://www.example.com."),
    "too_many_origins": _("At most %(most)s websites."),
    "rate_bad": _("Between 0 and %(most)s events a second."),
    "too_many_keys": _("There are %(most)s keys already. Archive some first."),
    "keep_days_bad": _("Between 7 and 3,650 days."),
    "key_bad": _("A property needs a name of at most 120 characters."),
    "type_bad": _("This type or handling does not exist."),
}
