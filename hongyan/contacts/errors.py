"""What can go wrong here."""

from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _


class ContactNotFound(Exception):
    """There is no such contact, or the actor may not know of it."""


class ObjectTypeNotFound(ObjectDoesNotExist):
    """There is no custom object of this kind."""


class ObjectNotFound(ObjectDoesNotExist):
    """There is no such thing of this kind."""


class CompanyNotFound(ObjectDoesNotExist):
    """There is no such company, or it was merged away."""


class NoteRefused(Exception):
    """A note cannot be written or changed like this. ``code``: empty, too_long, not_author, gone"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ContactMerged(ContactNotFound):
    """The record was merged into another; ``into`` is the public id under which the person is found now."""

    def __init__(self, into: UUID) -> None:
        super().__init__()
        self.into = into


class NormaliseProblem(Exception):
    """A value that cannot be brought into its standard form. ``code`` is stable; ``message`` is in the reader's
    language and never repeats the value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def message(self) -> str:
        return problem_text(self.code)


class InvalidValues(Exception):
    """Some fields were refused; nothing was stored. ``problems``: field key → code."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{key}: {code}" for key, code in problems.items()))
        self.problems = dict(problems)

    def messages(self) -> dict[str, str]:
        return {key: problem_text(code) for key, code in self.problems.items()}


class IdentifierTaken(InvalidValues):
    """Another contact has this e-mail address, phone number or external id."""

    def __init__(self, field: str, public_id: str) -> None:
        super().__init__({field: "taken"})
        self.public_id = public_id


class DefinitionRefused(Exception):
    """A custom field, topic or form cannot be made or changed like this. ``field`` is the input at fault."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field, self.code = field, code

    @property
    def message(self) -> str:
        return problem_text(self.code)


class ErasureRefused(Exception):
    """Something about the contact changed since the erasure was asked for."""


class SignupRefused(Exception):
    """A sign-up cannot be taken. ``code``: form_closed, throttled, email, …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConfirmationRefused(Exception):
    """The link is unknown, used up or too old. ``code``: unknown, expired."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def problem_text(code: str) -> str:
    """The sentence for a code, in the active language."""
    texts = {
        "empty": _("This field needs a value."),
        "too_long": _("This value is too long."),
        "control_characters": _("This value contains characters that cannot be stored."),
        "email_form": _("This is not a complete e-mail address."),
        "email_several": _("Enter one address only."),
        "email_local_length": _("The part before the @ is longer than 64 characters."),
        "email_local_script": _("The part before the @ has letters that most mail servers cannot deliver to."),
        "email_quoted": _("Addresses with quotation marks cannot be mailed."),
        "email_literal": _("Addresses with an IP number instead of a domain cannot be mailed."),
        "email_domain": _("The domain after the @ is not valid."),
        "phone_form": _("This is not a phone number."),
        "phone_region": _("Add the country code, for example +86."),
        "phone_invalid": _("No such number can exist in that country."),
        "country": _("This country is not known. Use its name or its two-letter code."),
        "language": _("This language is not known. Use a code such as zh-Hans or en."),
        "time_zone": _("This time zone is not known. Use a name such as Asia/Shanghai."),
        "sex": _("Use male, female, not applicable or unknown (ISO/IEC 5218: 1, 2, 9, 0)."),
        "currency": _("This currency is not known. Use a code such as CNY."),
        "date_form": _("This is not a date. Use the form 2026-11-22."),
        "date_ambiguous": _("This date can be read in several ways. Choose the order of day and month."),
        "date_range": _("There is no such day, or it is outside the years 1 to 9999."),
        "date_future": _("A date of birth cannot lie in the future."),
        "datetime_form": _("This is not a time. Use the form 2026-11-22 10:00."),
        "boolean": _("Use yes or no."),
        "number": _("This is not a number."),
        "url": _("This is not a web address. It starts with https:// or http://."),
        "choice": _("This is not one of the choices."),
        "type_mismatch": _("This value has another type than the field."),
        "taken": _("Another contact has this already."),
        "unknown_field": _("There is no such field."),
        "nothing": _("Enter at least a name, an e-mail address, a phone number or an external id."),
        "key_form": _("Use lower-case letters, digits and underscores, starting with a letter; at most 40 characters."),
        "key_reserved": _("This key is used by Hongyan itself."),
        "key_taken": _("There is a field with this key already."),
        "cap": _("There are too many custom fields already."),
        "retype": _("The type cannot change while contacts have values in this field."),
        "resensitive": _("Whether a field is sensitive cannot change while contacts have values in it."),
        "options": _("A choice needs at least one option, and each option only once."),
        "option_used": _("An option that contacts have chosen cannot be removed."),
        "type": _("Choose a type."),
        "topics": _("Choose at least one topic."),
        "host": _("Enter host names such as www.example.com, without a path."),
        "topic_used": _("This topic is in use; make it inactive instead."),
        "object_field_used": _("A field that has values keeps its key, its type and whether it is sensitive."),
        "title_field": _("Choose one of the fields that are not sensitive as the title."),
        "type_archived": _("This kind of object is archived and takes no new values."),
        "no_contact": _("Nobody was found for this row."),
        "company_size": _("Give a number of people, or a range such as 51-200."),
        "company_taken": _("Another company has this already."),
        "attributes": _("Further facts are names with texts, numbers or yes and no; at most 50."),
        "reason": _("Say why."),
        "domain": _("This is not a domain name."),
    }
    return texts.get(code, _("This value cannot be used."))
