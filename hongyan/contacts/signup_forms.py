"""Sign-up forms as staff define them: what is asked, in which words, where people may be led afterwards."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import DefinitionRefused, NormaliseProblem
from hongyan.contacts.fields import definitions
from hongyan.contacts.models import SignupForm, Topic
from hongyan.contacts.topics import topics

LANGUAGES: Final = ("zh-hans", "en")
TEXTS: Final = ("title", "intro", "consent", "button", "done")
TEXT_LIMITS: Final = {"title": 120, "intro": 600, "consent": 1000, "button": 40, "done": 600}
# What a form may ask besides the address. Sensitive custom fields need a consent of their own and are not asked here.
ASKABLE: Final = {
    "full_name": pgettext_lazy("person", "Name"),
    "family_name": _("Family name"),
    "given_name": _("Given name"),
    "company": _("Company"),
    "phone": _("Phone"),
    "city": _("City"),
    "birth_date": _("Date of birth"),
}
_TRAPS = ("website", "homepage", "fax", "middle_name", "second_email")
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class FormValues:
    """texts: language → the parts of ``TEXTS``; a part missing in one language is taken from the other."""

    name: str
    topic_keys: Sequence[str]
    texts: Mapping[str, Mapping[str, str]]
    fields: Sequence[str] = ()
    redirect_hosts: Sequence[str] = ()
    hourly_limit: int = 20


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form in the list. signups: confirmation mails asked for; confirmed: of these."""

    form: SignupForm
    signups: int
    confirmed: int


def form_create(*, actor: Actor, values: FormValues) -> SignupForm:
    """Raises DefinitionRefused naming the input at fault."""
    actor.require(Permission.SETTINGS_EDIT)
    form = SignupForm(
        honeypot=f"{secrets.choice(_TRAPS)}_{secrets.token_hex(2)}",
        created_by_id=actor.id if actor.kind == "user" else None,
    )
    return _save(actor, form, values, "form.created")


def form_update(*, actor: Actor, form: SignupForm, values: FormValues) -> SignupForm:
    """A changed consent text gets a new version; consents given before keep naming theirs."""
    actor.require(Permission.SETTINGS_EDIT)
    return _save(actor, form, values, "form.changed")


def form_archive(*, actor: Actor, form: SignupForm, archived: bool = True) -> None:
    """An archived form takes nobody any more; confirmations under way can still be given."""
    actor.require(Permission.SETTINGS_EDIT)
    form.active = not archived
    form.save(update_fields=["active"])
    _audit(actor, "form.archived" if archived else "form.restored", form)


def form_by_public_id(public_id: UUID, *, active_only: bool = False) -> SignupForm | None:
    form = SignupForm.objects.filter(public_id=public_id).first()
    return None if form is None or (active_only and not form.active) else form


def form_rows(*, actor: Actor) -> list[FormRow]:
    """Active ones first, newest first."""
    actor.require(Permission.SETTINGS_EDIT)
    rows = SignupForm.objects.annotate(
        signups=Count("confirmationrequest"),
        confirmed=Count("confirmationrequest", filter=Q(confirmationrequest__confirmed_at__isnull=False)),
    ).order_by("-active", "-id")
    return [FormRow(row, row.signups, row.confirmed) for row in rows]


def form_topics(form: SignupForm) -> list[Topic]:
    """Offered now: those of the form that are active, in the order of all topics."""
    chosen = set(form.topics.values_list("pk", flat=True))
    return [topic for topic in topics(active_only=True) if topic.pk in chosen]


def form_text(form: SignupForm, language: str, part: str) -> str:
    texts = form.texts
    mine = texts.get("zh-hans" if language.startswith("zh") else "en") or {}
    text: str = mine.get(part) or ""
    return text


def askable() -> dict[str, str]:
    """Key → label is for the page; here only which keys may be asked, custom ones as ``custom.<key>``."""
    custom = {f"custom.{item.key}": item.label_en for item in definitions() if not item.sensitive}
    return {key: str(label) for key, label in ASKABLE.items()} | custom


def _save(actor: Actor, form: SignupForm, values: FormValues, action: str) -> SignupForm:
    chosen = [topic for topic in topics() if topic.key in set(values.topic_keys)]
    if not chosen:
        raise DefinitionRefused("topics", "topics")
    texts = _texts(values.texts)
    if form.pk and _consents(texts) != _consents(form.texts):
        form.wording_version += 1
    form.name, form.texts = _line(values.name, "name", 80), texts
    form.fields = _fields(values.fields)
    form.redirect_hosts = _hosts(values.redirect_hosts)
    form.hourly_limit = min(max(values.hourly_limit, 1), 10_000)
    with transaction.atomic():
        form.save()
        form.topics.set(chosen)
        _audit(actor, action, form)
    return form


def _texts(given: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for part in TEXTS:
        found = {language: _paragraph(given, language, part) for language in LANGUAGES}
        for language in LANGUAGES:
            other = next(found[code] for code in LANGUAGES if code != language)
            text = found[language] or other
            if not text and part != "intro":
                raise DefinitionRefused(text_field(part, language), "empty")
            texts[language][part] = text
    return texts


def text_field(part: str, language: str) -> str:
    """The input of a text: title_zh, title_en, …"""
    return f"{part}_{'zh' if language.startswith('zh') else 'en'}"


def _paragraph(given: Mapping[str, Mapping[str, str]], language: str, part: str) -> str:
    text = given.get(language, {}).get(part, "")
    try:
        if part in {"title", "button"}:
            return normalise.line(text, limit=TEXT_LIMITS[part])
        return normalise.paragraph(text, limit=TEXT_LIMITS[part]).strip()
    except NormaliseProblem as problem:
        raise DefinitionRefused(text_field(part, language), problem.code) from problem


def _consents(texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [texts.get(language, {}).get("consent", "") for language in LANGUAGES]


def _fields(keys: Sequence[str]) -> list[str]:
    known = askable()
    if any(key not in known for key in keys):
        raise DefinitionRefused("fields", "unknown_field")
    return [key for key in known if key in set(keys)]


def _hosts(hosts: Sequence[str]) -> list[str]:
    fresh = list(dict.fromkeys(host.strip().lower().rstrip(".") for host in hosts if host.strip()))
    if any(_HOST.fullmatch(host) is None for host in fresh) or len(fresh) > 20:
        raise DefinitionRefused("redirect_hosts", "host")
    return fresh


def _line(text: str, field: str, limit: int) -> str:
    try:
        line = normalise.line(text, limit=limit)
    except NormaliseProblem as problem:
        raise DefinitionRefused(field, problem.code) from problem
    if not line:
        raise DefinitionRefused(field, "empty")
    return line


def _audit(actor: Actor, action: str, form: SignupForm) -> None:
    record(
        actor=actor,
        action=action,
        subject_kind="form",
        subject_id=str(form.public_id),
        data={"wording_version": form.wording_version},
    )
