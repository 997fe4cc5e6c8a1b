"""Words of this area: kinds, targets, states, fields, refusals and reasons."""

# ruff: noqa: E501 - one sentence a line

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hongyan.commerce import words as commerce_words
from hongyan.contacts.objects_types import object_type
from hongyan.contacts.objects_values import fields_of as object_fields
from hongyan.ingest import words
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.intake import words as intake_words
from hongyan.ingest.sources.errors import SourceFailed
from hongyan.ingest.sources.fields import FIELD, PROPERTY
from hongyan.ingest.sources.types import Every, Schedule, Target
from hongyan.web.figures import number
from hongyan.web.imports.labels import field_label as import_field_label


@dataclass(frozen=True, slots=True)
class State:
    """pill: its colour and icon; label: its word here."""

    pill: str
    label: str


def kinds() -> list[tuple[str, str, str, str]]:
    """(kind, name, what it is for, icon)."""
    return [
        ("sql", _("SQL database"), _("A table or view of PostgreSQL, MySQL, MariaDB or SQLite; other databases when their driver is installed."), "database"),
        ("rest", _("REST API"), _("Any web interface that answers in JSON, page by page, with the usual kinds of authentication."), "api"),
        ("files", _("Files"), _("CSV, Excel, JSON lines or Parquet in a folder of this server or in an S3 bucket."), "folder-open"),
    ]  # fmt: skip


def kind_label(kind: str) -> str:
    return next((name for key, name, _about, _icon in kinds() if key == kind), kind)


def kind_icon(kind: str) -> str:
    return next((icon for key, _name, _about, icon in kinds() if key == kind), "database")


def targets() -> list[tuple[str, str]]:
    return [
        ("contacts", _("Contacts")),
        ("orders", _("Orders")),
        ("products", _("Products")),
        ("events", _("Events")),
        ("objects", _("Custom objects")),
    ]


def target_label(target: str) -> str:
    return dict(targets()).get(target, target)


def state(name: str) -> State:
    return {
        "ok": State("done", _("Up to date")),
        "late": State("deferred", _("Late")),
        "failing": State("failed", _("Failing")),
        "idle": State("queued", _("Nothing yet")),
        "paused": State("paused", _("Paused")),
        "draft": State("draft", _("Being set up")),
        "active": State("active", pgettext("source", "Active")),
        "waiting": State("pending", pgettext("data", "Waiting")),
        "clear": State("done", _("Nothing waits")),
    }.get(name, State(name, name))


def run_state(name: str) -> State:
    return State(
        name,
        {
            "queued": _("Queued"),
            "running": _("Running"),
            "finished": _("Finished"),
            "failed": _("Failed"),
            "cancelled": _("Cancelled"),
        }.get(name, name),
    )


def schedule(plan: Schedule) -> str:
    if plan.every == Every.MINUTES:
        return ngettext("every %(n)s minute", "every %(n)s minutes", plan.minutes) % {"n": number(plan.minutes)}
    if plan.every == Every.HOUR:
        return _("every hour at minute %(minute)s") % {"minute": f"{plan.minutes:02d}"}
    if plan.every == Every.DAY:
        return _("every day at %(time)s") % {"time": f"{plan.hour:02d}:{plan.minute:02d}"}
    return _("only by hand")


def field_label(field: str, target: str, object_key: str = "") -> str:
    if target == Target.CONTACTS:
        return import_field_label(field)
    if field.startswith(PROPERTY):
        return _("Property “%(name)s”") % {"name": field.removeprefix(PROPERTY)}
    if field.startswith(FIELD):
        return _object_field(object_key, field.removeprefix(FIELD))
    names = (
        _ORDER
        if target == Target.ORDERS
        else _PRODUCT
        if target == Target.PRODUCTS
        else _EVENT
        if target == Target.EVENTS
        else _OBJECT
    )
    return names.get(field, lambda: field)()


_PERSON: dict[str, Callable[[], str]] = {
    "email": lambda: _("E-mail of the person"),
    "phone": lambda: _("Phone of the person"),
    "external_id": lambda: _("External ID of the person"),
}
_ORDER: dict[str, Callable[[], str]] = {
    "external_id": lambda: _("Order ID"),
    "number": lambda: _("Order number"),
    "placed_at": lambda: _("Placed at"),
    "updated_at": lambda: pgettext("data", "Changed at"),
    "state": lambda: _("State"),
    "currency": lambda: _("Currency"),
    "total": lambda: _("Total"),
    "discount": lambda: _("Discount"),
    "shipping": lambda: _("Shipping"),
    "tax": lambda: _("Tax"),
    "coupon": lambda: _("Coupon code"),
    "lines": lambda: _("Lines (a JSON list)"),
    "customer_id": lambda: _("Customer's external ID"),
    "email": lambda: _("Customer's e-mail"),
    "phone": lambda: _("Customer's phone"),
    "full_name": lambda: _("Customer's name"),
    "country": lambda: _("Country"),
    "city": lambda: _("City"),
}
_PRODUCT: dict[str, Callable[[], str]] = {
    "external_id": lambda: _("Product ID"),
    "sku": lambda: _("SKU"),
    "title": lambda: pgettext("data", "Title"),
    "url": lambda: _("Web address"),
    "image_url": lambda: _("Address of the picture"),
    "category": lambda: _("Category"),
    "brand": lambda: _("Brand"),
    "currency": lambda: _("Currency"),
    "price": lambda: _("Price"),
    "updated_at": lambda: pgettext("data", "Changed at"),
}
_EVENT: dict[str, Callable[[], str]] = {
    **_PERSON,
    "name": lambda: _("Name of the event"),
    "occurred_at": lambda: _("Time"),
    "message_id": lambda: _("ID of the event"),
}
_OBJECT: dict[str, Callable[[], str]] = {**_PERSON, "object_id": lambda: _("ID of the object")}


def _object_field(object_key: str, key: str) -> str:
    from hongyan.contacts.errors import ObjectTypeNotFound

    try:
        found = next((item for item in object_fields(object_type(object_key)) if item.key == key), None)
    except ObjectTypeNotFound:
        return key
    return found.label(translation.get_language() or "en") if found is not None else key


_REFUSALS: dict[str, Callable[[], str]] = {
    # set-up
    "name_missing": lambda: _("Give the source a name."),
    "url_malformed": lambda: _("This is not a database address. It looks like postgresql://user:password@host:5432/database."),
    "driver_missing": lambda: _("The driver for “%(driver)s” is not installed on this server."),
    "option_refused": lambda: _("The address must not carry the option “%(option)s”. Options for TLS and the character set are allowed."),
    "address_malformed": lambda: _("This is not a web address, or it contains a user name. It looks like https://api.example.com."),
    "pattern_malformed": lambda: _("The pattern must not lead out of the folder."),
    "folder_not_allowed": lambda: _("This server lets sources read only in: %(folders)s. The setting HONGYAN_SOURCE_FOLDERS adds others."),
    "secret_again": lambda: _("The address points to another host now. Enter the credentials again: they are not sent to a new place by themselves."),
    "object_type_unknown": lambda: _("Choose a kind of custom object."),
    "mapping_needs": lambda: _("Map a column to “%(target)s”."),
    "consent_incomplete": lambda: _("To declare consent, choose at least one topic and say where the consent was collected."),
    "not_mapped": lambda: _("Say first which column is which field."),
    "running_already": lambda: _("A run is going on already."),
    "not_running": lambda: _("No run is going on."),
    "state_changed": lambda: _("Somebody has changed the state of this source meanwhile."),
    "schedule_unfit": lambda: _("Choose an interval of 5 to 1,440 minutes, a minute of the hour, or a time of day."),
    # runs
    "host_unknown": lambda: _("The name of the server cannot be resolved."),
    "address_private": lambda: _("The address belongs to this machine or a private network. An administrator can allow that for this source."),
    "answer_too_large": lambda: _("An answer was larger than 64 MB. Ask for smaller pages."),
    "host_changed": lambda: _("The other side led to a different host. It was not followed, so that the credentials go nowhere else."),
    "login_refused": lambda: _("The other side refuses the credentials: wrong, expired, or without the right to read this."),
    "database_missing": lambda: _("The database does not exist."),
    "database_error": lambda: _("The database answered with an error."),
    "table_missing": lambda: _("The table or view does not exist."),
    "cursor_missing": lambda: _("The column that tells what is new does not exist any more."),
    "cannot_connect": lambda: _("The other side cannot be reached."),
    "path_missing": lambda: _("This path does not exist there."),
    "too_many_requests": lambda: _("The other side asks for fewer requests and did not relent."),
    "server_error": lambda: _("The other side has a fault of its own."),
    "request_refused": lambda: _("The other side refuses the request."),
    "certificate_bad": lambda: _("The certificate of the server cannot be trusted."),
    "not_json": lambda: _("This is not JSON."),
    "answer_unexpected": lambda: _("The answer does not look as described in the settings."),
    "pages_repeat": lambda: _("The same page came again and again. Check how the pages are counted."),
    "folder_missing": lambda: _("The folder or bucket does not exist."),
    "file_error": lambda: _("A file cannot be opened."),
    "too_many_files": lambda: _("More than 10,000 files match. Narrow the pattern."),
    "format_unknown": lambda: _("A file is of no known format."),
    "worker_lost": lambda: _("The worker stopped several times during this run."),
    "unexpected": lambda: _("Something unexpected happened. The log of the server says more."),
    "disk_full": lambda: _("The server is short of disk space."),
    # records
    "field_missing": lambda: _("A value that is needed is missing."),
    "bad_date": lambda: _("This is not a date or time that can be read."),
    "bad_amount": lambda: _("This is not an amount of money."),
    "bad_currency": lambda: _("This currency is not known."),
    "bad_choice": lambda: _("This value is not one of the known ones."),
    "bad_lines": lambda: _("The lines of the order cannot be read."),
    "contact_unknown": lambda: _("Nobody with this address, number or ID is known yet."),
    "refused": lambda: _("The record was refused."),
    "source_gone": lambda: _("The source of this record has been removed."),
    "kind_unknown": lambda: _("Records of this kind cannot be tried again."),
    "quarantine_not_found": lambda: _("This record does not wait any more."),
}  # fmt: skip


def refusal(error: IngestRefused | SourceFailed, target: str = "contacts", object_key: str = "") -> str:
    if isinstance(error, SourceFailed):
        return failure(error.code, error.detail)
    params: Mapping[str, Any] = error.params
    if "target" in params:
        params = {**params, "target": field_label(str(params["target"]), target, object_key)}
    make = _REFUSALS.get(error.code)
    return make() % params if make is not None else words.refusal_of(error.code, dict(params))


def failure(code: str, detail: str = "") -> str:
    """Why a run failed, with what the other side said."""
    if code.startswith("file_unreadable:"):
        text = words.refusal_of(code.partition(":")[2], {"line": "", "limit": "", "kind": ""})
    else:
        make = _REFUSALS.get(code)
        text = (
            make()
            if make is not None
            else words.refusal_of(code, {"line": "", "limit": "", "kind": "", "value": "", "option": "", "target": ""})
        )
    return f"{text} ({detail})" if detail else text


def reason(code: str) -> str:
    """Why a record waits in the quarantine."""
    make = _REFUSALS.get(code)
    if make is not None:
        return make()
    if intake_words.known(code):
        return intake_words.sentence(code)
    if commerce_words.known_problem(code):
        return commerce_words.problem(code)
    return words.rejection(code)
