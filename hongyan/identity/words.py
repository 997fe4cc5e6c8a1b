"""Names of comparisons, levels and guards as people read them."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    "birth_place": gettext_lazy("Place of birth"),
    "occupation": gettext_lazy("Occupation"),
    "national_id": gettext_lazy("Identity number"),
    "list": gettext_lazy("List it came from"),
}
LEVELS: Final[Words] = {
    "exact": gettext_lazy("the same"),
    "same": gettext_lazy("the same"),
    "same_sound": gettext_lazy("the same sound, written differently"),
    "other_romanisation": gettext_lazy("another way to write the same sound"),
    "nickname_or_initial": gettext_lazy("a nickname or an initial of it"),
    "one_typo": gettext_lazy("one letter off"),
    "two_typos": gettext_lazy("two letters off"),
    "same_besides_name": gettext_lazy("the same besides the name"),
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
GUARDS: Final[Words] = {
    "apart": gettext_lazy("Somebody said that these are two people."),
    "customer_number": gettext_lazy("One source gave the two different customer numbers."),
    "national_id": gettext_lazy("The two have different identity numbers."),
    "household": gettext_lazy("The given names differ: they may only live together."),
    "only_name": gettext_lazy("Little but the name is the same."),
    "failed": gettext_lazy("Merging the two by itself did not work."),
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


def held_back(code: str) -> str:
    return _("No run merges them by itself: %(why)s") % {"why": guard(code)}


def columns() -> tuple[str, str, str, str]:
    return _("Compared"), _("Found"), _("Weight"), _("In words")


def before() -> str:
    return _("Two records taken at random")


def merged_already() -> str:
    return _("These two are one contact now. This is what spoke for it.")


def verdict(weight: float, probability: float, merge: float, review: float) -> str:
    """The sum in one sentence."""
    values = {"weight": f"{weight:+.1f}", "probability": f"{probability:.4f}", "merge": f"{merge:.2f}"}
    if probability >= merge:
        return _("Together %(weight)s: probability %(probability)s, one person (from %(merge)s on).") % values
    if probability >= review:
        return (
            _("Together %(weight)s: probability %(probability)s, a person should look (merged from %(merge)s on).")
            % values
        )
    return _("Together %(weight)s: probability %(probability)s, two people.") % values
