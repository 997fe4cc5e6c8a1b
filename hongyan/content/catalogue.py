"""What a mail may read: the documented context, field by field. Everything else is an error where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class MergeField:
    """identifying: lives in the contact's sealed part. example: shown in the picker and where no contact is chosen."""

    path: str
    label: str | Promise
    group: str  # contact | custom | today | sender | links | mail
    example: str
    identifying: bool = False


Catalogue = Mapping[str, MergeField]

FIELDS: tuple[MergeField, ...] = (
    MergeField("contact.full_name", gettext_lazy("Full name"), "contact", "林小雨", identifying=True),
    MergeField("contact.given_name", gettext_lazy("Given name"), "contact", "小雨", identifying=True),
    MergeField("contact.family_name", gettext_lazy("Family name"), "contact", "林", identifying=True),
    MergeField("contact.salutation", gettext_lazy("Form of address (Mr, Ms)"), "contact", "女士"),
    MergeField("contact.email", gettext_lazy("E-mail address"), "contact", "xiaoyu.lin@mail.example", identifying=True),
    MergeField("contact.phone", gettext_lazy("Phone number"), "contact", "+86 138 0000 0000", identifying=True),
    MergeField("contact.street", gettext_lazy("Street address"), "contact", "淮海中路 999 号", identifying=True),
    MergeField("contact.postal_code", gettext_lazy("Postal code"), "contact", "200031", identifying=True),
    MergeField("contact.city", gettext_lazy("City"), "contact", "上海"),
    MergeField("contact.region", gettext_lazy("Province or state"), "contact", "上海市"),
    MergeField("contact.country", gettext_lazy("Country code"), "contact", "CN"),
    MergeField("contact.country_name", gettext_lazy("Country"), "contact", "中国"),
    MergeField("contact.language", gettext_lazy("Language code"), "contact", "zh-Hans"),
    MergeField("contact.sex", gettext_lazy("Sex (0 unknown, 1 male, 2 female, 9 not applicable)"), "contact", "2"),
    MergeField("contact.birth_month", gettext_lazy("Month of birth"), "contact", "5"),
    MergeField("contact.birth_day", gettext_lazy("Day of birth"), "contact", "20"),
    MergeField("today.text", gettext_lazy("Today's date, written out"), "today", "2026年11月22日"),
    MergeField("today.iso", gettext_lazy("Today's date, 2026-11-22"), "today", "2026-11-22"),
    MergeField("today.year", gettext_lazy("This year"), "today", "2026"),
    MergeField("today.month", gettext_lazy("This month, 1 to 12"), "today", "11"),
    MergeField("today.day", gettext_lazy("Today's day of the month"), "today", "22"),
    MergeField("today.weekday", gettext_lazy("Day of the week"), "today", "星期日"),
    MergeField("sender.name", gettext_lazy("Sender's name"), "sender", "鸿雁商城"),
    MergeField("sender.email", gettext_lazy("Sender's e-mail address"), "sender", "hello@shop.example"),
    MergeField("sender.company", gettext_lazy("Sender's company"), "sender", "鸿雁商城有限公司"),
    MergeField("sender.address", gettext_lazy("Sender's postal address"), "sender", "上海市徐汇区示例路 1 号"),
    MergeField("sender.phone", gettext_lazy("Sender's phone"), "sender", "+86 21 5555 0100"),
    MergeField("sender.website", gettext_lazy("Sender's website"), "sender", "https://shop.example"),
    MergeField("unsubscribe_url", gettext_lazy("Unsubscribe link"), "links", "https://shop.example/u/…"),
    MergeField("preferences_url", gettext_lazy("Preference centre link"), "links", "https://shop.example/p/…"),
    MergeField("view_url", gettext_lazy("Link to view in the browser"), "links", "https://shop.example/v/…"),
    MergeField("mail.subject", gettext_lazy("Subject of this mail"), "mail", "本周新书"),
    # Only in transactional mails that delivery gives one, such as the double opt-in confirmation.
    MergeField(
        "action_url",
        gettext_lazy("The link this mail is about (confirmation mails)"),
        "links",
        "https://shop.example/…",
    ),
)
STATIC: Catalogue = {field.path: field for field in FIELDS}

# Never empty: made for each mail rather than stored about a person.
ALWAYS_FILLED = frozenset(field.path for field in FIELDS if field.group in {"today", "links", "mail"})


def catalogue() -> Catalogue:
    """The documented context of this installation: the fixed fields and those people have defined."""
    from hongyan.content.merge_fields import custom_fields  # needs the tables; everything else here does not

    return {**STATIC, **custom_fields()}


def unknown_field(path: str, catalogue: Catalogue) -> str | None:
    """What to tell the author of an unknown field; None when it is known."""
    if path in catalogue:
        return None
    close = get_close_matches(path, catalogue, n=1, cutoff=0.6) or get_close_matches(
        path.rsplit(".", 1)[-1], {name.rsplit(".", 1)[-1] for name in catalogue}, n=1, cutoff=0.7
    )
    shown = path if len(path) <= 60 else path[:60] + "…"
    if not close:
        return _("There is no field “%(path)s”.") % {"path": shown}
    suggestion = (
        close[0] if close[0] in catalogue else next(name for name in catalogue if name.endswith("." + close[0]))
    )
    return _("There is no field “%(path)s”. Did you mean “%(suggestion)s”?") % {"path": shown, "suggestion": suggestion}
