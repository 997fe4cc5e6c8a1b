"""The way into all settings."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.accounts.permissions import Permission
from hongyan.accounts.selectors import second_factor_missing
from hongyan.web.settings.common import acting

P = Permission


@dataclass(frozen=True, slots=True)
class Entry:
    url_name: str
    icon: str
    title: Promise
    text: Promise
    any_of: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    entry: Entry
    url: str


GROUPS: tuple[tuple[Promise, tuple[Entry, ...]], ...] = (
    (
        _("Mine"),
        (Entry("settings:profile", "user", _("My profile"), _("Name, language, time zone, sign-in, devices")),),
    ),
    (
        _("Organisation"),
        (
            Entry(
                "settings:organisation",
                "building",
                _("Organisation"),
                _("Name, address, language, time zone, two-step sign-in"),
                (P.SETTINGS_EDIT,),
            ),
            Entry("settings:users", "users", _("Users"), _("Invite, deactivate, give roles"), (P.USERS_EDIT,)),
            Entry("settings:roles", "table", _("Roles"), _("Who may do what")),
            Entry("settings:api_keys", "key", _("API keys"), _("Let programs in, with limits"), (P.USERS_EDIT,)),
            Entry(
                "settings:approval_rules",
                "user-check",
                _("Approval rules"),
                _("Which campaigns need a second pair of eyes"),
                (P.SETTINGS_EDIT, P.CAMPAIGN_EDIT, P.CAMPAIGN_APPROVE),
            ),
        ),
    ),
    (
        _("Contacts and consent"),
        (
            Entry("contacts:fields", "forms", _("Fields"), _("What is known about a contact"), (P.SETTINGS_EDIT,)),
            Entry(
                "contacts:object_types",
                "box",
                _("Objects"),
                _("What customers have beside orders"),
                (P.SETTINGS_EDIT,),
            ),
            Entry("contacts:topics", "list-check", _("Topics"), _("What people can subscribe to"), (P.SETTINGS_EDIT,)),
            Entry(
                "contacts:forms",
                "file-text",
                _("Sign-up forms"),
                _("Double opt-in, hosted or embedded"),
                (P.SETTINGS_EDIT,),
            ),
            Entry(
                "contacts:suppressions",
                "mail-off",
                _("Suppression list"),
                _("Addresses that are never mailed"),
                (P.CONSENT_EDIT, P.SETTINGS_EDIT),
            ),
        ),
    ),
    (
        pgettext_lazy("settings", "Sending"),
        (
            Entry("settings:senders", "at", _("Senders"), _("Who mails come from"), (P.SETTINGS_EDIT,)),
            Entry(
                "settings:mail",
                "world",
                _("Sending domain"),
                _("Relay, domains, alignment"),
                (P.SETTINGS_EDIT, P.SYSTEM_VIEW),
            ),
        ),
    ),
    (
        _("Watching"),
        (
            Entry("settings:audit", "history", _("Audit log"), _("Who did what, when, from where"), (P.AUDIT_VIEW,)),
            Entry(
                "settings:system", "activity", _("System"), _("Workers, queues, jobs, disk, versions"), (P.SYSTEM_VIEW,)
            ),
        ),
    ),
)


def index(request: HttpRequest) -> HttpResponse:
    actor = acting(request)
    groups = []
    for title, entries in GROUPS:
        allowed = (entry for entry in entries if not entry.any_of or any(actor.may(p) for p in entry.any_of))
        shown = [Shown(entry, url) for entry in allowed if (url := _url(entry.url_name))]
        if shown:
            groups.append((title, shown))
    return render(
        request,
        "settings/index.html",
        {"groups": groups, "factor_missing": second_factor_missing(actor=acting(request))},
    )


def _url(name: str) -> str:
    """Empty for a page that this installation does not have."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
