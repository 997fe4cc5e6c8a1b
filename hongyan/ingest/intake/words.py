"""Codes of the intake as sentences in the active language."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hongyan.ingest.intake import limits

_SENTENCES: dict[str, Promise] = {
    # the request
    "not_json": gettext_lazy("The body is not valid JSON in UTF-8."),
    "not_an_object": gettext_lazy("The body must be one JSON object."),
    "not_gzip": gettext_lazy("The body begins like gzip but cannot be unpacked."),
    "repeated_key": gettext_lazy("An object in the body has the same key twice."),
    "batch_missing": gettext_lazy("A batch needs a list named “batch”."),
    "batch_too_long": gettext_lazy("A batch may have at most %(calls)s calls."),
    "body_too_large": gettext_lazy("A request may have at most %(body)s kB, and %(unpacked)s kB unpacked."),
    "key_missing": gettext_lazy("There is no write key: send it as the user name of Basic authorisation."),
    "key_unknown": gettext_lazy("This write key is not known, or it has been replaced or archived."),
    "origin_refused": gettext_lazy("This write key may not be used from this website."),
    "server_key_in_browser": gettext_lazy("This is a key for servers; in a browser anybody could read it."),
    "method_refused": gettext_lazy("This address takes POST."),
    "body_slow": gettext_lazy("The body did not arrive in time."),
    "rate_limited": gettext_lazy(
        "This write key sends more events than it may. Try again after the seconds that Retry-After names."
    ),
    "overloaded": gettext_lazy("Too much is waiting to be written. Try again in a few seconds."),
    "database_away": gettext_lazy("The database cannot be reached. Nothing was kept; try again in a few seconds."),
    # one call
    "call_not_an_object": gettext_lazy("A call must be a JSON object."),
    "call_too_large": gettext_lazy("A call may have at most %(call)s kB."),
    "type_unknown": gettext_lazy("The type must be identify, track, page, screen, group or alias."),
    "object_expected": gettext_lazy("This must be a JSON object."),
    "id_not_text": gettext_lazy("An id must be text or a number."),
    "id_too_long": gettext_lazy("A userId may have at most %(user_id)s characters, other ids %(id)s."),
    "id_unprintable": gettext_lazy("An id may not hold control characters."),
    "nobody": gettext_lazy("A call needs userId or anonymousId."),
    "alias_incomplete": gettext_lazy("Alias needs previousId and userId."),
    "group_missing": gettext_lazy("Group needs groupId."),
    "event_missing": gettext_lazy("Track needs the name of the event."),
    "event_too_long": gettext_lazy("The name of an event may have at most %(name)s characters."),
    "event_unprintable": gettext_lazy("The name of an event may not hold control characters."),
    "event_reserved": gettext_lazy("Events of mails cannot be sent with a browser's key."),
    "time_unreadable": gettext_lazy("This is not a time in ISO 8601."),
    "time_too_old": gettext_lazy("This time is before the year 2000."),
    "key_too_long": gettext_lazy("The name of a property may have at most %(key)s characters."),
    "too_many_values": gettext_lazy("A call may hold at most %(values)s values."),
    "too_deep": gettext_lazy("Objects may be nested at most %(depth)s deep."),
    # one person
    "trait_unreadable": gettext_lazy("This trait cannot be read as what it should be."),
    "identifier_conflict": gettext_lazy("This address or id belongs to somebody else."),
    "alias_of_known": gettext_lazy("Both ids belong to known people; whether they are one, a person decides."),
    "company_unreadable": gettext_lazy("The company of this group cannot be stored as it is described."),
    "erased_person": gettext_lazy("This person asked to be erased and is not stored again."),
    "processing_failed": gettext_lazy(
        "The call could not be processed. This is a fault of Hongyan; it can be retried."
    ),
}


def sentence(code: str) -> str:
    """In the active language; a code nobody knows is shown as it is."""
    text = _SENTENCES.get(code)
    if text is None:
        return _("Not taken: %(code)s") % {"code": code}
    return str(text) % {
        "calls": limits.BATCH_CALLS,
        "body": limits.BODY_BYTES // 1000,
        "unpacked": limits.UNPACKED_BYTES // 1000,
        "call": limits.CALL_BYTES // 1024,
        "id": limits.ID_LENGTH,
        "user_id": limits.USER_ID_LENGTH,
        "name": limits.NAME_LENGTH,
        "key": limits.KEY_LENGTH,
        "values": limits.VALUES,
        "depth": limits.DEPTH,
    }


def known(code: str) -> bool:
    return code in _SENTENCES
