"""Names as the reader sees them."""

from django.utils.translation import gettext_lazy as _

from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.models import Tag, TagGroup
from hongyan.web.audiences.common import language

COLOURS = {
    "teal": _("Teal"),
    "blue": _("Blue"),
    "violet": _("Violet"),
    "pink": _("Pink"),
    "red": _("Red"),
    "orange": _("Orange"),
    "amber": _("Amber"),
    "green": _("Green"),
    "grey": _("Grey"),
}
EXCLUDED = {
    "no_email": _("no e-mail address"),
    "unsubscribed": _("unsubscribed"),
    "pending_confirmation": _("consent asked, not confirmed"),
    "no_consent": _("no consent"),
    "suppressed_hard_bounce": _("mail bounced for good"),
    "suppressed_complained": _("complained"),
    "suppressed_unsubscribed": _("unsubscribed"),
    "suppressed_manual": _("suppressed by hand"),
    "suppressed_erased": _("erased"),
    "suppressed_import": _("suppressed by an import"),
}


def tag_name(tag: Tag) -> str:
    return Label(tag.name_en, tag.name_zh).text(language())


def group_name(group: TagGroup) -> str:
    return Label(group.name_en, group.name_zh).text(language())
