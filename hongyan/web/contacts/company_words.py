"""Companies as people read them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

FIELD_LABELS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "domain": gettext_lazy("Domain"),
    "external_id": gettext_lazy("External ID"),
    "industry": gettext_lazy("Industry"),
    "size": pgettext_lazy("company", "Size"),
    "country": gettext_lazy("Country"),
    "city": gettext_lazy("City"),
}


def size_name(size: str) -> str:
    """ "51–200 people"."""
    if not size:
        return ""
    if size == "1":
        return _("1 person")
    return _("%(range)s people") % {"range": size.replace("-", "–")}
