"""Errors as problem+json (RFC 9457): what is wrong, where (JSON pointer), and the remedy, in the caller's language."""

import logging
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from hongyan.accounts.errors import ApprovalRefused, PermissionRefused
from hongyan.accounts.errors import NotFound as AccountNotFound
from hongyan.audience.errors import BadText, BadTree, BadValue, HoldsSeveral, InUse
from hongyan.audience.errors import NotFound as AudienceNotFound
from hongyan.campaigns.errors import (
    ActRefused,
    ApprovalMissing,
    CampaignMissing,
    CountMismatch,
    EditConflict,
    NotComplete,
    PreflightBlocks,
)
from hongyan.commerce import words as commerce_words
from hongyan.commerce.errors import CommerceMissing, CommerceRefused
from hongyan.contacts.errors import ContactMerged, ContactNotFound, IdentifierTaken, InvalidValues
from hongyan.content.errors import ContentProblem, NameTaken
from hongyan.content.errors import EditConflict as ContentConflict
from hongyan.content.errors import NotFound as ContentNotFound
from hongyan.delivery.errors import LowDisk
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.words import refusal

log = logging.getLogger("hongyan.api")


class Part(Schema):
    """One thing wrong: where in the body, a stable code, a sentence."""

    pointer: str
    code: str
    message: str


class ProblemBody(Schema):
    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[Part] = []


class Problem(Exception):
    """Raised by routes for what no room knows."""

    def __init__(self, status: int, code: str, title: str, errors: Sequence[Part] = ()) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.errors = status, code, title, list(errors)

    @classmethod
    def bad_cursor(cls) -> "Problem":
        return cls(422, "cursor", _("This cursor is not one of ours; start again without it."))


def answer(status: int, code: str, title: str, *, detail: str = "", errors: Sequence[Part] = ()) -> HttpResponse:
    body: dict[str, Any] = {"type": f"urn:hongyan:problem:{code}", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = [part.dict() for part in errors]
    return JsonResponse(body, status=status, content_type="application/problem+json")


def pointer(*steps: object) -> str:
    """A JSON pointer (RFC 6901).

    >>> pointer("audience", 0, "a/b")
    '/audience/0/a~1b'
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def install(api: NinjaAPI) -> None:
    """Every expected refusal of every room has one answer here; the rest is a 500 without details."""
    for error_class, handler in _HANDLERS.items():
        api.add_exception_handler(error_class, handler)


def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    del request
    parts = [
        Part(pointer=pointer(*_body_path(item["loc"])), code=str(item["type"]), message=_sentence(item))
        for item in error.errors
    ]
    return answer(422, "validation", _("Some values cannot be used."), errors=parts)


def _sentence(item: dict[str, Any]) -> str:
    """In the caller's language; pydantic speaks English only."""
    kind, about = str(item["type"]), item.get("ctx") or {}
    if kind == "missing":
        return _("This is needed.")
    if kind == "extra_forbidden":
        return _("There is no field of this name.")
    if kind in {"enum", "literal_error"}:
        return _("It has to be one of: %(names)s.") % {"names": about.get("expected", "")}
    if kind == "too_long":
        return _("At most %(most)s entries are allowed.") % {"most": about.get("max_length", "")}
    if kind.endswith(("_type", "_parsing")):
        return _("A value of another type belongs here.")
    return _("This value cannot be used.")


def _body_path(loc: Sequence[object]) -> Sequence[object]:
    """Pydantic says ("body", "data", "email"); the caller wrote {"email": …}."""
    return loc[2:] if len(loc) > 2 and loc[0] == "body" else loc[1:]


def _unknown(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return answer(404, "not-found", _("There is no such thing, or this key may not see it."))


def _merged(request: HttpRequest, error: ContactMerged) -> HttpResponse:
    """The same request under the id of the record it is now. Never to be cached: a merge can be undone."""
    old = next((part for part in request.path.split("/") if len(part) == 36), "")
    title = _("This contact was merged into another one.")
    if not old:  # named in the body
        return answer(409, "merged", title, detail=str(error.into))
    response = answer(301 if request.method in {"GET", "HEAD"} else 308, "merged", title, detail=str(error.into))
    query = request.META.get("QUERY_STRING", "")
    response["Location"] = request.path.replace(old, str(error.into)) + (f"?{query}" if query else "")
    response["Cache-Control"] = "no-store"
    return response


def _permission(request: HttpRequest, error: PermissionRefused) -> HttpResponse:
    del request
    title = _("This key lacks the permission %(name)s.") % {"name": error.permission.value}
    return answer(403, "permission", title)


def _authentication(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    del request, error
    response = answer(401, "key", _("Send a valid key: Authorization: Bearer …"))
    response["WWW-Authenticate"] = 'Bearer realm="hongyan"'
    return response


def _values(request: HttpRequest, error: InvalidValues) -> HttpResponse:
    del request
    texts = error.messages()
    parts = [Part(pointer=pointer(key), code=code, message=texts[key]) for key, code in error.problems.items()]
    status = 409 if isinstance(error, IdentifierTaken) else 422
    return answer(status, "taken" if status == 409 else "values", _("Some values cannot be used."), errors=parts)


def _tree(request: HttpRequest, error: BadTree) -> HttpResponse:
    del request
    parts = [Part(pointer=item.path, code=item.code, message=item.message) for item in error.problems]
    return answer(422, "audience", _("The description of the audience is wrong."), errors=parts)


def _text(request: HttpRequest, error: BadText) -> HttpResponse:
    """Places are characters of the text, counted from 0."""
    del request
    parts = [
        Part(pointer="/text", code=item.code, message=f"{item.span.start}-{item.span.end} {item.message}")
        for item in error.problems
    ]
    return answer(422, "audience", _("The description of the audience is wrong."), errors=parts)


def _content(request: HttpRequest, error: ContentProblem) -> HttpResponse:
    del request
    parts = [
        Part(pointer=pointer(str(item.part)), code=item.code, message=f"{item.line}:{item.column} {item.message}")
        for item in error.problems
    ]
    return answer(422, "content", _("The mail cannot be made as written."), errors=parts)


def _incomplete(request: HttpRequest, error: NotComplete) -> HttpResponse:
    del request
    texts = {
        "missing": _("This is needed."),
        "past": _("This time has passed."),
        "far": _("This time is too far away."),
    }
    parts = [Part(pointer=pointer(name), code="values", message=why) for name, why in error.fields.items()]
    for part in parts:
        if part.message in texts:
            part.code, part.message = part.message, texts[part.message]
    return answer(422, "incomplete", _("Something the campaign needs is missing."), errors=parts)


def _preflight(request: HttpRequest, error: PreflightBlocks) -> HttpResponse:
    del request
    parts = [
        Part(
            pointer=pointer(found.step.value, found.place) if found.place else pointer(found.step.value),
            code=found.code,
            message=f"{found.title} {found.remedy}".strip(),
        )
        for found in error.findings
    ]
    return answer(409, "preflight", _("Preflight has findings that stop the send."), errors=parts)


def _state(request: HttpRequest, error: ActRefused) -> HttpResponse:
    del request
    title = _("Not possible while the campaign is in the state %(state)s.") % {"state": error.state}
    return answer(409, "state", title)


def _count(request: HttpRequest, error: CountMismatch) -> HttpResponse:
    del request
    title = _("The campaign would reach %(count)s people; confirm exactly that number.") % {"count": error.expected}
    return answer(409, "count", title)


def _approval(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return answer(409, "approval", _("This send needs an approval of exactly this content and audience."))


def _conflict(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return answer(409, "conflict", _("Somebody else changed it meanwhile; read it again."))


def _bad_value(request: HttpRequest, error: BadValue) -> HttpResponse:
    del request
    part = Part(pointer=pointer(error.field), code="value", message=error.message)
    return answer(422, "values", _("Some values cannot be used."), errors=[part])


def _commerce(request: HttpRequest, error: CommerceRefused) -> HttpResponse:
    del request
    text = commerce_words.problem(error.code)
    return answer(422, "values", text, errors=[Part(pointer=pointer(error.field), code=error.code, message=text)])


def _in_use(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return answer(409, "in-use", _("Something else depends on it."))


def _name_taken(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return answer(409, "taken", _("Another one has this name."))


def _file(request: HttpRequest, error: IngestRefused) -> HttpResponse:
    del request
    return answer(error.status, error.code.replace("_", "-"), refusal(error))


def _disk(request: HttpRequest, error: LowDisk) -> HttpResponse:
    del request, error
    return answer(507, "disk", _("Too little free disk for new work; opt-outs are still taken."))


def _fault(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_failed", exc_info=error, extra={"method": request.method})
    return answer(500, "fault", _("Something went wrong on our side; the fault was recorded. Try again in a moment."))


def _unfit(request: HttpRequest, error: Exception) -> HttpResponse:
    """NUL, half a character, a year or number no database has. The error's own text may quote the value."""
    log.warning("api_value_refused", exc_info=error, extra={"method": request.method})
    return answer(422, "values", _("Some values cannot be used."))


def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    del request
    return answer(error.status, error.code, error.title, errors=error.errors)


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    del request
    return answer(error.status_code, "request", _("The request cannot be read."))


_HANDLERS: dict[type[Exception], Any] = {
    ValidationError: _validation,
    AuthenticationError: _authentication,
    HttpError: _http,
    Problem: _problem,
    PermissionRefused: _permission,
    ObjectDoesNotExist: _unknown,
    AccountNotFound: _unknown,
    AudienceNotFound: _unknown,
    ContactMerged: _merged,
    ContactNotFound: _unknown,
    ContentNotFound: _unknown,
    CampaignMissing: _unknown,
    CommerceMissing: _unknown,
    CommerceRefused: _commerce,
    InvalidValues: _values,
    BadTree: _tree,
    BadText: _text,
    BadValue: _bad_value,
    InUse: _in_use,
    HoldsSeveral: _in_use,
    ContentProblem: _content,
    NameTaken: _name_taken,
    ContentConflict: _conflict,
    EditConflict: _conflict,
    NotComplete: _incomplete,
    PreflightBlocks: _preflight,
    ActRefused: _state,
    CountMismatch: _count,
    ApprovalMissing: _approval,
    ApprovalRefused: _approval,
    IngestRefused: _file,
    LowDisk: _disk,
    DataError: _unfit,
    UnicodeEncodeError: _unfit,
    OverflowError: _unfit,
    Exception: _fault,
}
