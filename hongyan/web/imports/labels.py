"""Words of this area for the things of ``ingest``: fields, choices, outcomes."""

from dataclasses import dataclass
from typing import Any

from babel import Locale
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hongyan.ingest import selectors, words
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.mapping import CUSTOM, PARTS, STANDARD
from hongyan.ingest.types import ColumnCheck, Counts
from hongyan.web.figures import number

DELIMITER_OF = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class Sentence:
    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class Fit:
    good: int
    bad: int
    first_bad: str
    reason: str


def field_label(target: str) -> str:
    """The name of an import target or export column."""
    names = {
        "email": _("E-mail"),
        "phone": _("Phone"),
        "external_id": _("External ID"),
        "full_name": _("Full name"),
        "family_name": _("Family name"),
        "given_name": _("Given name"),
        "sex": _("Sex"),
        "birth_date": _("Date of birth"),
        "company": _("Company"),
        "country": _("Country"),
        "region": _("Province or state"),
        "city": _("City"),
        "street": _("Street address"),
        "street_number": _("House number (part of the street)"),
        "street_2": _("Second line of the street"),
        "row_id": _("Row number of the file (kept, not compared)"),
        "postal_code": _("Postal code"),
        "language": _("Language"),
        "time_zone": _("Time zone"),
        "tags": _("Tags (separated by commas)"),
        "notes": _("Notes"),
        "public_id": _("Hongyan ID"),
        "created_at": _("Created"),
        "source": _("Source"),
    }
    if target.startswith(CUSTOM):
        key = target.removeprefix(CUSTOM)
        return selectors.custom_labels().get(key, key)
    return names.get(target, target)


def target_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    groups = [(_("Standard fields"), [(target, field_label(target)) for target in (*STANDARD, *PARTS)])]
    custom = [(CUSTOM + key, label) for key, label in selectors.custom_labels().items()]
    return [*groups, (_("Custom fields"), custom)] if custom else groups


def refusal(error: IngestRefused) -> str:
    """As ``words.refusal``, with fields by their names."""
    if "target" in error.params:
        return words.refusal_of(error.code, {**error.params, "target": field_label(str(error.params["target"]))})
    return words.refusal(error)


def because(reason: str) -> str:
    return {
        "remembered": _("as last time"),
        "header": _("recognised by its name"),
        "values": _("recognised by its values"),
    }.get(reason, "")


def fit(check: ColumnCheck | None) -> Fit | None:
    if check is None or not (check.good or check.bad or check.code):
        return None
    return Fit(check.good, check.bad, check.first_bad, words.rejection(check.code) if check.code else "")


def delimiters() -> list[tuple[str, str]]:
    return [("comma", _("Comma ,")), ("semicolon", _("Semicolon ;")), ("tab", _("Tab")), ("pipe", _("Bar |"))]


def delimiter_key(delimiter: str) -> str:
    return next((key for key, mark in DELIMITER_OF.items() if mark == delimiter), "")


def match_keys() -> list[tuple[str, str]]:
    return [("email", _("E-mail")), ("phone", _("Phone")), ("external_id", _("External ID"))]


def date_orders() -> list[tuple[str, str]]:
    return [
        ("ymd", _("Year first (2026-11-22); others only where no other reading is possible")),
        ("dmy", _("Day first (22/11/2026)")),
        ("mdy", _("Month first (11/22/2026)")),
    ]


def regions() -> list[tuple[str, str]]:
    """Countries by name in the reader's language, the usual ones first."""
    locale = Locale.parse("zh_Hans" if (translation.get_language() or "").startswith("zh") else "en")
    names = {code: locale.territories.get(code, code) for code in selectors.region_codes()}
    first = [code for code in ("CN", "HK", "TW", "US", "GB", "JP", "SG", "DE") if code in names]
    rest = sorted(set(names) - set(first), key=lambda code: names[code])
    return [(code, f"{names[code]} ({code})") for code in (*first, *rest)]


def field_types() -> list[tuple[str, str]]:
    return [
        ("text", pgettext("type", "Text")),
        ("number", pgettext("type", "Number")),
        ("boolean", _("Yes or no")),
        ("date", _("Date")),
        ("datetime", _("Date and time")),
        ("url", _("Web address")),
    ]


def policies() -> list[tuple[str, str, str]]:
    return [
        ("update", _("Update it"), _("Values of the file win. Empty cells change nothing.")),
        ("fill_empty", _("Fill gaps only"), _("Only fields that have no value yet.")),
        ("skip", _("Leave it alone"), _("Existing contacts are not touched; only new people are added.")),
    ]


def statement() -> str:
    """What the importer signs; stored word for word with every consent."""
    return _(
        "I declare that these people agreed to receive mail on the chosen topics, and that I can show how and when."
    )


def sentences(counts: Counts, *, done: bool) -> list[Sentence]:
    """What became of the rows (or would), as sentences; lines about nothing are left out."""
    if done:
        made = [
            ("user-plus", counts.created, ngettext("%(n)s new contact.", "%(n)s new contacts.", counts.created)),
            ("user-edit", counts.updated, ngettext(
                "%(n)s contact updated.", "%(n)s contacts updated.", counts.updated)),
            ("equal", counts.unchanged, ngettext(
                "%(n)s row changed nothing: everything was there already.",
                "%(n)s rows changed nothing: everything was there already.", counts.unchanged)),
            ("player-skip-forward", counts.skipped, ngettext(
                "%(n)s existing contact left alone.", "%(n)s existing contacts left alone.", counts.skipped)),
            ("x", counts.rejected, ngettext("%(n)s row rejected.", "%(n)s rows rejected.", counts.rejected)),
        ]  # fmt: skip
    else:
        made = [
            ("user-plus", counts.created, ngettext(
                "%(n)s new contact would be created.", "%(n)s new contacts would be created.", counts.created)),
            ("user-edit", counts.updated, ngettext(
                "%(n)s contact would be updated.", "%(n)s contacts would be updated.", counts.updated)),
            ("equal", counts.unchanged, ngettext(
                "%(n)s row would change nothing.", "%(n)s rows would change nothing.", counts.unchanged)),
            ("player-skip-forward", counts.skipped, ngettext(
                "%(n)s existing contact would be left alone.",
                "%(n)s existing contacts would be left alone.", counts.skipped)),
            ("x", counts.rejected, ngettext(
                "%(n)s row would be rejected.", "%(n)s rows would be rejected.", counts.rejected)),
        ]  # fmt: skip
    both = [
        ("copy", counts.merged, ngettext(
            "%(n)s further row belongs to somebody who is in the file already.",
            "%(n)s further rows belong to somebody who is in the file already.", counts.merged)),
        ("shield-x", counts.suppressed, ngettext(
            "%(n)s person is suppressed (unsubscribed, bounced or complained) and stays so.",
            "%(n)s people are suppressed (unsubscribed, bounced or complained) and stay so.", counts.suppressed)),
        ("tag", counts.tagged, ngettext("%(n)s tag given.", "%(n)s tags given.", counts.tagged)),
    ]  # fmt: skip
    found = [Sentence(icon, text % {"n": number(count)}) for icon, count, text in (*made, *both) if count]
    read = ngettext("%(n)s row read.", "%(n)s rows read.", counts.rows) % {"n": number(counts.rows)}
    return [Sentence("file-text", read), *found]


def reasons(counts: Counts) -> list[dict[str, Any]]:
    ordered = sorted(counts.reasons.items(), key=lambda item: -item[1])
    return [{"label": words.rejection(code), "value": count, "tone": "warn"} for code, count in ordered]


def outcome(name: str) -> str:
    return {
        "created": _("New contact"),
        "updated": _("Contact updated"),
        "merged": _("Added to a person of the file"),
    }.get(name, name)
