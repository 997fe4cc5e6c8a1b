"""What is compared, and the levels each comparison knows, from most to least alike. Levels are general: nothing here is
made for one file. m and u are the shipped weights, for records too few to learn from."""

from dataclasses import dataclass

from hongyan.identity.matching.conditions import (
    Condition,
    crossed,
    ending,
    initial,
    long,
    near,
    part,
    same,
    share,
    typos,
    unknown,
)

ELSE = Condition("ELSE", lambda a, b: True)  # noqa: ARG005 - whatever the two are


@dataclass(frozen=True, slots=True)
class Level:
    """m, u: chances among records of one person and among others. tf: column whose rarity counts, and how fully."""

    name: str
    when: Condition
    m: float
    u: float
    tf: str = ""
    tf_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """needs: columns without which it is left out. unknown: when it says nothing. The last level is everything else."""

    name: str
    needs: tuple[str, ...]
    unknown: Condition
    levels: tuple[Level, ...]


_NAMES_KNOWN = ~unknown("given") & ~unknown("family")
_CROSS_GIVEN, _CROSS_FAMILY = near("given", 0.879, "family"), near("family", 0.879, "given")
_APART = _NAMES_KNOWN & ~near("given", 0.799) & ~near("family", 0.799)
_HALF_SWAPPED = (_CROSS_GIVEN | _CROSS_FAMILY) & _APART

GIVEN = Comparison("given_name", ("given",), unknown("given"), (
    Level("exact", same("given_written"), 0.70, 0.006, "given_written"),
    # 王伟 and Wang Wei; 伟 and 玮 (the wrong character of an input method); Mary-Ann and Maryann
    Level("same_sound", same("given"), 0.04, 0.002, "given"),
    Level("nickname_or_initial", share("roots") | initial("given_first"), 0.05, 0.006),
    Level(
        "one_typo",
        near("given", 0.919) | near("given_first", 0.919) | typos("given", 1, longer_than=3),
        0.08, 0.004, "given", 0.5,
    ),
    Level("sounds_alike", same("sound"), 0.01, 0.003),
    Level("swapped", _CROSS_GIVEN & _CROSS_FAMILY & _APART, 0.02, 0.00001),
    Level("half_swapped", _HALF_SWAPPED, 0.005, 0.002),
    Level("similar", near("given", 0.799), 0.04, 0.02),
    Level("different", ELSE, 0.06, 0.95),
))  # fmt: skip

# Where a given name was found under the family name, the comparison of given names has said all there is to say.
FAMILY = Comparison("family_name", ("family",), unknown("family") | _HALF_SWAPPED, (
    Level("exact", same("family_written"), 0.78, 0.006, "family_written"),
    Level("same_sound", same("family"), 0.03, 0.004, "family"),
    Level("other_romanisation", share("readings"), 0.02, 0.006),  # Wong for Huang
    Level("one_typo", near("family", 0.919) | typos("family", 1, longer_than=3), 0.09, 0.003, "family", 0.5),
    Level("similar", near("family", 0.799), 0.03, 0.015),
    Level("different", ELSE, 0.05, 0.96),
))  # fmt: skip

MIDDLE = Comparison("middle_name", ("middle",), unknown("middle"), (
    Level("exact", same("middle"), 0.85, 0.01, "middle"),
    Level("near", initial("middle") | near("middle", 0.879), 0.1, 0.03),
    Level("different", ELSE, 0.05, 0.96),
))  # fmt: skip

_YEAR, _MONTH, _DAY = part("birth", 1, 4), part("birth", 5, 2), part("birth", 7, 2)

BIRTH = Comparison("birth_date", ("birth",), unknown("birth"), (
    Level("exact", same("birth"), 0.87, 0.0001, "birth"),
    Level("day_and_month_swapped", _YEAR & part("birth", 5, 2, 7) & part("birth", 7, 2, 5), 0.01, 0.00005),
    Level("one_digit_off", typos("birth", 1), 0.08, 0.003),
    Level("two_parts_agree", (_YEAR & _MONTH) | (_YEAR & _DAY) | (_MONTH & _DAY), 0.02, 0.003),
    Level("two_digits_off", typos("birth", 2), 0.01, 0.03),
    Level("same_year", _YEAR, 0.005, 0.012),
    Level("different", ELSE, 0.01, 0.95),
))  # fmt: skip

# An address made of the name is as like that of a namesake as the names are, and those are compared already: only what
# stands in it besides (``email_own``) tells more.
_SAME_OWN = same("email_own")
_OWN_TYPO = typos("email_own", 1, longer_than=5) & near("email_user", 0.909)

EMAIL = Comparison("email", ("email",), unknown("email"), (
    Level("exact", same("email"), 0.55, 0.00001, "email", 0.5),
    Level("same_user", same("email_user") & long("email_own", 3), 0.12, 0.0001, "email_user"),
    Level(
        "one_typo",
        typos("email", 1) & _SAME_OWN
        | _OWN_TYPO
        | typos("email_user", 1, longer_than=5) & _SAME_OWN & long("email_own", 3),
        0.08, 0.00005,
    ),
    Level(
        "few_typos",
        near("email", 0.909) & ~same("email_user") & near("email_own", 0.909) & long("email_own", 2),
        0.04, 0.0001,
    ),
    Level("same_besides_name", _SAME_OWN, 0.03, 0.02, "email_own"),
    Level("different", ELSE, 0.18, 0.97),
))  # fmt: skip

PHONE = Comparison("phone", ("phone",), unknown("phone"), (
    Level("exact", same("phone"), 0.6, 0.00002, "phone", 0.5),
    Level("same_ending", ending("phone", 8), 0.02, 0.00001),
    Level("one_digit_off", typos("phone", 1), 0.06, 0.00002),
    Level("different", ELSE, 0.3, 0.999),
))  # fmt: skip

_STREET_TYPO = near("street", 0.899) | typos("street", 2, longer_than=4)

STREET = Comparison("street", ("street",), unknown("street"), (
    Level("street_and_number", same("street") & same("house"), 0.5, 0.0001, "street", 0.7),
    Level("street", same("street"), 0.15, 0.002, "street"),
    Level("street_typo_and_number", _STREET_TYPO & same("house"), 0.07, 0.0001),
    Level("street_typo", _STREET_TYPO, 0.04, 0.004),
    Level("other_part_of_address", crossed("street", "place") | crossed("place", "street"), 0.02, 0.0005),
    Level("number_only", same("house"), 0.02, 0.01),
    Level("different", ELSE, 0.2, 0.98),
))  # fmt: skip

PLACE = Comparison("building", ("place",), unknown("place"), (
    Level("exact", same("place"), 0.7, 0.002, "place"),
    Level("typo", near("place", 0.879), 0.12, 0.004),
    Level("different", ELSE, 0.18, 0.99),
))  # fmt: skip

CITY = Comparison("city", ("city",), unknown("city"), (
    Level("exact", same("city"), 0.8, 0.01, "city"),
    Level("typo", near("city", 0.879) | typos("city", 2, longer_than=4), 0.1, 0.01, "city", 0.5),
    Level("different", ELSE, 0.1, 0.98),
))  # fmt: skip

POSTCODE = Comparison("postal_code", ("postcode",), unknown("postcode"), (
    Level("exact", same("postcode"), 0.8, 0.003, "postcode"),
    Level("one_digit_off", typos("postcode", 1), 0.1, 0.01),
    Level("same_area", part("postcode", 1, 3), 0.03, 0.03),
    Level("different", ELSE, 0.07, 0.96),
))  # fmt: skip

REGION = Comparison("region", ("region",), unknown("region"), (
    Level("exact", same("region"), 0.92, 0.15, "region"),
    Level("different", ELSE, 0.08, 0.85),
))  # fmt: skip

BIRTH_PLACE = Comparison("birth_place", ("birth_place",), unknown("birth_place"), (
    Level("exact", same("birth_place"), 0.8, 0.01, "birth_place"),
    Level("typo", near("birth_place", 0.879) | typos("birth_place", 2, longer_than=4), 0.1, 0.01, "birth_place", 0.5),
    Level("different", ELSE, 0.1, 0.98),
))  # fmt: skip

OCCUPATION = Comparison("occupation", ("occupation",), unknown("occupation"), (
    Level("exact", same("occupation"), 0.6, 0.02, "occupation"),
    Level("typo", near("occupation", 0.919), 0.05, 0.005),
    Level("different", ELSE, 0.35, 0.975),
))  # fmt: skip

SEX = Comparison("sex", ("sex",), unknown("sex"), (
    Level("same", same("sex"), 0.97, 0.5),
    Level("different", ELSE, 0.03, 0.5),
))  # fmt: skip

NATIONAL_ID = Comparison("national_id", ("national_id",), unknown("national_id"), (
    Level("exact", same("national_id"), 0.9, 0.000001, "national_id", 0.5),
    Level("one_typo", typos("national_id", 1), 0.06, 0.00001),
    Level("two_typos", typos("national_id", 2), 0.02, 0.0003),
    Level("different", ELSE, 0.02, 0.9997),
))  # fmt: skip

# Lists that hold everybody once: learned, and of no weight where lists repeat people.
SOURCE = Comparison("list", ("source",), unknown("source"), (
    Level("same", same("source"), 0.5, 0.5),
    Level("other", ELSE, 0.5, 0.5),
))  # fmt: skip

ALL: tuple[Comparison, ...] = (
    GIVEN, FAMILY, MIDDLE, BIRTH, BIRTH_PLACE, OCCUPATION, SEX, EMAIL, PHONE, STREET, PLACE, CITY, POSTCODE, REGION,
    NATIONAL_ID, SOURCE,
)  # fmt: skip
BY_NAME = {comparison.name: comparison for comparison in ALL}
