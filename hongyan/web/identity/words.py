"""Names of comparisons, reasons and rules as people read them."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hongyan.contacts.fields import definitions
from hongyan.contacts.profiles import CUSTOM, SEALED
from hongyan.identity.words import Words, evidence, guard, strength
from hongyan.web.contacts import words as contact_words

__all__ = ["REASONS", "REFUSALS", "RULES", "WHY", "evidence", "field_name", "guard", "strength"]

WHY: Final[Words] = {
    "activity": gettext_lazy("This record was active last."),
    "newest": gettext_lazy("This value was stated last."),
    "source": gettext_lazy("Its source comes first in your list."),
    "longest": gettext_lazy("It is the longer value."),
    "only": gettext_lazy("The other record had no value."),
    "same": gettext_lazy("Both records had the same value."),
    "both": gettext_lazy("Both notes were kept."),
    "chosen": gettext_lazy("Somebody chose it."),
    "locked": gettext_lazy("Somebody had fixed it before."),
}
RULES: Final[Words] = {
    "activity": gettext_lazy("Record that was active last"),
    "newest": gettext_lazy("Value stated last"),
    "source": gettext_lazy("Source by priority"),
    "longest": gettext_lazy("Longest value"),
}
REASONS: Final[Words] = {
    "same_key": gettext_lazy("Same e-mail, phone or ID"),
    "matched": gettext_lazy("Matched by a run"),
    "reviewed": gettext_lazy("Decided in the review"),
    "manual": gettext_lazy("Merged by hand"),
    "api": gettext_lazy("Through the API"),
    "again": gettext_lazy("Made again after an undo below it"),
}
REFUSALS: Final[Words] = {
    "same": gettext_lazy("This is one record, not two."),
    "already": gettext_lazy("The two are one record already."),
    "choices": gettext_lazy("This choice does not exist any more. Look at the page again."),
    "undone": gettext_lazy("This merge was taken back already."),
    "erased": gettext_lazy("One of the two people was erased; nothing is left to restore."),
    "newer_first": gettext_lazy("Newer merges stand on top of this one."),
    "identifier_taken": gettext_lazy("An address of the other record belongs to somebody else by now."),
    "unknown": gettext_lazy("There is no such merge."),
    "gone": gettext_lazy("Somebody else has decided about this pair already."),
    "taken": gettext_lazy("Another contact uses this value by now."),
    "field": gettext_lazy("There is no such field."),
    "rule": gettext_lazy("There is no such rule."),
    "sources": gettext_lazy("Name at least one source for a priority by source."),
}


def field_name(field: str) -> str:
    if field.startswith((CUSTOM, SEALED)):
        key = field.removeprefix(CUSTOM).removeprefix(SEALED)
        known = {item.key: item for item in definitions()}
        return contact_words.label_of(known[key]) if key in known else key
    if field == "street":
        return _("Address")
    return contact_words.field_name(field)
