"""Names of comparisons, reasons and rules as people read them."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hongyan.contacts.fields import definitions
from hongyan.contacts.profiles import CUSTOM, SEALED
from hongyan.web.contacts import words as contact_words

Words = Mapping[str, Promise]

COMPARISONS: Final[Words] = {
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "middle_name": gettext_lazy("Middle name"),
    "birth_date": gettext_lazy("Date of birth"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "street": gettext_lazy("Street address"),
    "building": gettext_lazy("Building or estate"),
    "city": gettext_lazy("City"),
    "postal_code": gettext_lazy("Postal code"),
    "region": gettext_lazy("Province or state"),
    "sex": gettext_lazy("Sex"),
    "national_id": gettext_lazy("Identity number"),
    "list": gettext_lazy("Source"),
}
LEVELS: Final[Words] = {
    "exact": gettext_lazy("the same"),
    "same": gettext_lazy("the same"),
    "other_script_or_spacing": gettext_lazy("the same in another script or spacing"),
    "other_script": gettext_lazy("the same in another script"),
    "other_romanisation": gettext_lazy("another way to write the same sound"),
    "nickname_or_initial": gettext_lazy("a nickname or an initial of it"),
    "one_typo": gettext_lazy("one letter off"),
    "two_typos": gettext_lazy("two letters off"),
    "few_typos": gettext_lazy("a few letters off"),
    "typo": gettext_lazy("nearly the same"),
    "near": gettext_lazy("nearly the same"),
    "sounds_alike": gettext_lazy("sounds alike"),
    "swapped": gettext_lazy("family and given name swapped"),
    "half_swapped": gettext_lazy("one name stands in the place of the other"),
    "similar": gettext_lazy("similar"),
    "different": gettext_lazy("different"),
    "other": gettext_lazy("another one"),
    "unknown": gettext_lazy("not known of both"),
    "day_and_month_swapped": gettext_lazy("day and month swapped"),
    "one_digit_off": gettext_lazy("one digit off"),
    "two_digits_off": gettext_lazy("two digits off"),
    "two_parts_agree": gettext_lazy("two of year, month and day agree"),
    "same_year": gettext_lazy("the same year"),
    "same_user": gettext_lazy("the same name at another provider"),
    "same_ending": gettext_lazy("the same last digits"),
    "street_and_number": gettext_lazy("the same street and number"),
    "street_typo_and_number": gettext_lazy("nearly the same street, the same number"),
    "street_typo": gettext_lazy("nearly the same street"),
    "other_part_of_address": gettext_lazy("found in another part of the address"),
    "number_only": gettext_lazy("only the number"),
    "same_area": gettext_lazy("the same area"),
}
STREET: Final = gettext_lazy("the same street, another number")  # "street" names a comparison too
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
GUARDS: Final[Words] = {
    "external_id": gettext_lazy("The two have different external IDs."),
    "consent": gettext_lazy("The two gave different answers about mail."),
    "birth_date": gettext_lazy("The two have different dates of birth."),
    "sex": gettext_lazy("The two have a different sex."),
    "large_cluster": gettext_lazy("Unusually many records look like one person here."),
    "chain": gettext_lazy("They are linked only through a third record."),
}


def evidence(comparison: str, level: str) -> tuple[str, str]:
    """What was compared, and what was found."""
    named = STREET if (comparison, level) == ("street", "street") else LEVELS.get(level, level.replace("_", " "))
    return str(COMPARISONS.get(comparison, comparison.replace("_", " "))), str(named)


def strength(weight: float) -> str:
    """log2 of the odds in words: 3 is eight times likelier, 7 is 128 times."""
    if abs(weight) < 0.5:
        return _("says nothing")
    words = (
        (_("speaks very strongly for it"), _("speaks very strongly against it")),
        (_("speaks strongly for it"), _("speaks strongly against it")),
        (_("speaks for it"), _("speaks against it")),
    )
    return words[0 if abs(weight) >= 7 else 1 if abs(weight) >= 3 else 2][weight < 0]


def guard(code: str) -> str:
    return str(GUARDS.get(code, _("Something speaks against it.")))


def field_name(field: str) -> str:
    if field.startswith((CUSTOM, SEALED)):
        key = field.removeprefix(CUSTOM).removeprefix(SEALED)
        known = {item.key: item for item in definitions()}
        return contact_words.label_of(known[key]) if key in known else key
    if field == "street":
        return _("Address")
    return contact_words.field_name(field)
