"""The mail as somebody will get it, while it is being written; and test sends."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.content.checking.mail import CheckedMail
from hongyan.content.checks import checks
from hongyan.content.errors import ContentProblem, EmptyValue, RenderRefused
from hongyan.content.models import ContentVersion, Template
from hongyan.content.preflight import printed
from hongyan.content.preview import preview_example, preview_for
from hongyan.content.risk import riskiest
from hongyan.content.services import content_compile
from hongyan.content.types import MailDraft, MailType, RenderedMail, SourceKind
from hongyan.delivery.errors import DeliveryProblem
from hongyan.delivery.services import send_now
from hongyan.delivery.types import DirectMail
from hongyan.web.mails.common import actor_of, editing, mail_response, reading, sender_values, template_of
from hongyan.web.mails.people import find_people, person_of, random_person
from hongyan.web.mails.words import LEVELS, RISKS

_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)


def draft_of(template: Template, given: Mapping[str, str]) -> MailDraft:
    """What is in the editor now, saved or not."""
    return MailDraft(
        subject=given.get("subject", ""),
        preheader=given.get("preheader", ""),
        kind=SourceKind(template.kind),
        source=given.get("source", "").replace("\r\n", "\n"),
        text_source=given.get("text_source", "").replace("\r\n", "\n"),
        language=template.language,
        mail_type=MailType(template.mail_type),
        fallbacks=fallbacks_of(given),
    )


def fallbacks_of(given: Mapping[str, str]) -> dict[str, str]:
    prefix = "fallback:"
    return {
        name.removeprefix(prefix): value.strip()[:200]
        for name, value in given.items()
        if name.startswith(prefix) and value.strip()
    }


@require_POST
@reading
def judge(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Problems, findings, size and whom the preview shows, as JSON; the frame itself is asked for beside it."""
    template = template_of(public_id)
    given = request.POST.dict()
    try:
        version = content_compile(draft_of(template, given))
    except ContentProblem as refused:
        return JsonResponse({"problems": [asdict(problem) for problem in refused.problems]})
    answer: dict[str, Any] = {
        "problems": [],
        "findings": [{**asdict(finding), "label": str(LEVELS[finding.level])} for finding in checks(version)],
        "printed": printed(version),
        "required": list(version.required),
        "size": CheckedMail(version).size,
    }
    try:
        mail = _rendered(actor_of(request), version, given.get("contact", ""))
        answer |= {"subject": mail.subject, "size": len(mail.html.encode()) or len(mail.text.encode())}
    except RenderRefused as refused:
        answer["refusal"] = _refusal(refused)
    return JsonResponse(answer)


@require_POST
@reading
def frame(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The mail for the sandboxed frame: part html (default), text or source; scheme dark applies its dark styles."""
    given = request.POST.dict()
    draft = draft_of(template_of(public_id), given)
    return mail_shown(draft, actor=actor_of(request), given=given)


def mail_shown(
    draft: MailDraft, *, actor: Actor | None = None, given: Mapping[str, str] = MappingProxyType({})
) -> HttpResponse:
    """What somebody would get, or in its place what keeps it from being made. Without an actor: example data."""
    try:
        version = content_compile(draft)
        if actor is None:
            mail = preview_example(version, sender=sender_values(draft.language))
        else:
            mail = _rendered(actor, version, given.get("contact", ""))
    except ContentProblem as refused:
        return mail_response(
            _note(_("Line %(line)d: %(message)s") % {"line": refused.line, "message": refused.message})
        )
    except RenderRefused as refused:
        return mail_response(_note(_refusal(refused)))
    part = given.get("part", "html")
    if part == "source":
        return mail_response(_pre(mail.html or mail.text))
    if part == "text" or not mail.html:
        return mail_response(_pre(mail.text))
    return mail_response(in_scheme(mail.html, given.get("scheme", "light")))


@require_POST
@reading
def people(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whom to show next: ``q`` searches, ``which=random`` draws. Posted: what is searched for names people, and what
    stands in addresses lands in logs."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    template_of(public_id)
    if request.POST.get("which") == "random":
        return JsonResponse({"people": random_person(actor)})
    return JsonResponse({"people": find_people(actor, request.POST.get("q", "").strip()[:100])})


@require_POST
@reading
def risky(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The riskiest contacts for the draft in the editor."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    template = template_of(public_id)
    try:
        version = content_compile(draft_of(template, request.POST.dict()))
    except ContentProblem as refused:
        return JsonResponse({"people": [], "message": refused.message})
    found = []
    for entry in riskiest(version):
        person = person_of(actor, entry.contact_id)
        if person is not None:
            found.append(person[1] | {"why": [str(RISKS[reason]) for reason in entry.reasons]})
    return JsonResponse({"people": found})


@require_POST
@editing
def test_send(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One real mail to one address, marked as a test, with the data the preview shows."""
    template, given, actor = template_of(public_id), request.POST.dict(), actor_of(request)
    address = given.get("to", "").strip()
    try:
        validate_email(address)
        version = content_compile(draft_of(template, given))
        mail = _rendered(actor, version, given.get("contact", ""))
        marked = DirectMail(f"[{_('TEST')}] {mail.subject}", mail.html or None, mail.text)
        send_now(kind="test", origin_id=secrets.randbits(62), to=address, mail=marked)
    except ValidationError:
        return JsonResponse({"error": _("This is not an e-mail address.")}, status=422)
    except ContentProblem as refused:
        return JsonResponse({"error": refused.message}, status=422)
    except RenderRefused as refused:
        return JsonResponse({"error": _refusal(refused)}, status=422)
    except DeliveryProblem as refused:
        return JsonResponse({"error": _("It cannot be sent now: %(reason)s") % {"reason": refused}}, status=409)
    record(actor=actor, action="template.test_sent", subject_kind="template", subject_id=str(template.public_id))
    return JsonResponse({"message": _("A test mail is on its way.")})


def in_scheme(markup: str, scheme: str) -> str:
    """Forces the mail's own light or dark styles, whatever the reader's system prefers."""
    markup = _DARK.sub(lambda match: "@media all" if match.group(1).lower() == scheme else "@media not all", markup)
    if scheme != "dark":
        return markup
    # Where the mail leaves the canvas bare, a dark mail program shows its own.
    return markup.replace("</head>", "<style>html{background:#161412;color:#f1ece6}</style></head>", 1)


def _rendered(actor: Actor, version: ContentVersion, contact: str) -> RenderedMail:
    sender = sender_values(version.language)
    person = person_of(actor, _uuid(contact)) if contact else None
    if person is None:
        return preview_example(version, sender=sender)
    masked = not actor.may(Permission.CONTACT_IDENTITY)
    return preview_for(version, person[0], sender=sender, masked=masked)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _refusal(refused: RenderRefused) -> str:
    if isinstance(refused, EmptyValue) and refused.field != "subject":
        message = _("Nothing for “%(field)s” here, and no fallback: this person would not get the mail.")
        return message % {"field": refused.field}
    if isinstance(refused, EmptyValue):
        return _("The subject is empty.")
    return _("The mail cannot be made for this person.")


def _note(text: str) -> str:
    return f'<body style="font:15px/1.6 sans-serif;color:#676258;padding:32px;text-align:center"><p>{escape(text)}</p>'


def _pre(text: str) -> str:
    style = "font:13px/1.6 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;padding:20px;margin:0"
    return f'<body style="margin:0"><pre style="{style}">{escape(text)}</pre>'
