"""Setting a source up: kind, connection, what to read, columns, times. Thin: services do the work."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.contacts.objects_types import object_types
from hongyan.ingest import selectors as imports
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources import fields, selectors, services
from hongyan.ingest.sources.errors import SourceFailed
from hongyan.ingest.sources.reading.base import text
from hongyan.ingest.sources.types import Every, Looked, Schedule, SourceKind, SourceState, Target
from hongyan.ingest.types import Options
from hongyan.web.imports import labels as import_labels
from hongyan.web.sources import labels
from hongyan.web.sources.shared import actor_of, number_of, source_or_404

FORM = require_http_methods(["GET", "HEAD", "POST"])
_SHOWN_COLUMNS, _SHOWN_ROWS = 12, 5


@FORM
def new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SOURCE_EDIT)
    problem = ""
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        try:
            if kind not in set(SourceKind):
                problem = _("Choose where the data lies.")
            else:
                source = services.source_create(actor=actor, kind=SourceKind(kind), name=request.POST.get("name", ""))
                return redirect("sources:connect", source.public_id)
        except IngestRefused as error:
            problem = labels.refusal(error)
    context = {
        "step": 1,
        "heading": _("New source"),
        "question": _("Where does the data lie?"),
        "kinds": labels.kinds(),
        "chosen": request.POST.get("kind", "") or request.GET.get("kind", ""),
        "name": request.POST.get("name", ""),
        "problem": problem,
    }
    return render(request, "sources/new.html", context, status=422 if problem else 200)


@FORM
def connect(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    source = source_or_404(request, public_id)
    place, problem = dict(source.place), ""
    if request.method == "POST":
        place, secrets = _connection(source, request.POST)
        try:
            services.source_connect(actor=actor_of(request), public_id=public_id, place=place, secrets=secrets)
        except (IngestRefused, SourceFailed) as error:
            problem = labels.refusal(error)
        else:
            return redirect("sources:choose", public_id)
    context = {
        **_frame(source, 2, _("Connection"), _("How is it reached?")),
        "place": place,
        "params": "\n".join(f"{name}={value}" for name, value in (place.get("params") or {}).items()),
        "has_secret": bool(source.secrets),
        "auth_kinds": _auth_kinds(),
        "paging_kinds": _paging_kinds(),
        "formats": _formats(),
        "folders": _folders() if source.kind == SourceKind.FILES else "",
        "problem": problem,
    }
    return render(request, "sources/connect.html", context, status=422 if problem else 200)


@FORM
def choose(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Which table, and by which column one knows what is new; with a look at the first records."""
    source = source_or_404(request, public_id)
    if not source.place:
        return redirect("sources:connect", public_id)
    actor, problem = actor_of(request), ""
    if request.method == "POST":
        place = {**source.place, **_chosen(source, request.POST)}
        place.pop("shown", None)
        try:
            services.source_connect(actor=actor, public_id=public_id, place=place, secrets={})
        except (IngestRefused, SourceFailed) as error:
            problem = labels.refusal(error)
        else:
            if request.POST.get("act") == "next":
                return redirect("sources:map", public_id)
            return redirect("sources:choose", public_id)
    looked = Looked([], [])
    try:
        looked = services.source_look(actor=actor, public_id=public_id)
    except (IngestRefused, SourceFailed) as error:
        problem = problem or labels.refusal(error)
    context = {
        **_frame(source, 3, _("What to read"), _("Which records, and how does one know what is new?")),
        "place": source.place,
        "looked": looked,
        "table": _table(looked),
        "more_columns": max(0, len(looked.columns) - _SHOWN_COLUMNS),
        "other_columns": [name for name in looked.columns if name not in looked.time_columns],
        "problem": problem,
    }
    return render(request, "sources/choose.html", context, status=422 if problem else 200)


@FORM
def map_columns(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    source = source_or_404(request, public_id)
    if not source.columns:
        return redirect("sources:choose", public_id)
    actor, problem, post = actor_of(request), "", request.POST
    wanted = post.get("target") or request.GET.get("target") or source.target
    target = Target(wanted) if wanted in set(Target) else Target(source.target)
    object_key = post.get("object_type") or request.GET.get("object_type") or source.object_type or _first_object()
    mapping = {name: post.get(f"field-{place}", "") for place, name in enumerate(source.columns)}
    if request.method == "POST":
        try:
            services.source_map(
                actor=actor,
                public_id=public_id,
                target=target,
                mapping=mapping,
                options=_options(post),
                object_type=object_key if target is Target.OBJECTS else "",
                attested=post.get("choice") == "attested" and "declared" in post,
                statement=import_labels.statement(),
            )
        except IngestRefused as error:
            problem = labels.refusal(error, target, object_key)
        else:
            return redirect("sources:schedule", public_id)
    looked = Looked([], [])
    try:
        looked = services.source_look(actor=actor, public_id=public_id)
    except (IngestRefused, SourceFailed) as error:
        problem = problem or labels.refusal(error)
    extra = selectors.extra_of(object_key if target is Target.OBJECTS else "")
    if request.method != "POST":
        same = target == source.target and (target is not Target.OBJECTS or object_key == source.object_type)
        fresh = fields.suggest(target, source.columns, looked.records, extra)
        mapping = {**fresh, **(source.mapping if same and any(source.mapping.values()) else {})}
    listed = fields.fields_of(target, extra)
    context = {
        **_frame(source, 4, _("Columns"), _("Which column is which field?")),
        "target": target.value,
        "targets": labels.targets(),
        "object_type": object_key,
        "object_types": [(kind.key, kind.label_zh if import_zh() else kind.label_en) for kind in object_types()],
        "columns": [
            {
                "index": place,
                "name": name,
                "samples": " · ".join(dict.fromkeys(text(record.get(name))[:60] for record in looked.records[:4])),
                "field": mapping.get(name, ""),
                "choices": _choices(listed, target, object_key, name),
            }
            for place, name in enumerate(source.columns)
        ],
        "options": _shown_options(source, post),
        "keys": import_labels.match_keys(),
        "regions": import_labels.regions(),
        "orders": import_labels.date_orders(),
        "policies": import_labels.policies(),
        "topics": imports.topic_choices(),
        "tags": imports.tag_choices(),
        "lists": imports.list_choices(),
        "statement": import_labels.statement(),
        "problem": problem,
    }
    return render(request, "sources/map.html", context, status=422 if problem else 200)


@FORM
def plan(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    source = source_or_404(request, public_id)
    if not any(source.mapping.values()):
        return redirect("sources:map", public_id)
    actor, problem = actor_of(request), ""
    chosen = source.plan
    if request.method == "POST":
        chosen = _schedule(request.POST)
        try:
            services.source_schedule(
                actor=actor, public_id=public_id, schedule=chosen, start=source.state == SourceState.DRAFT
            )
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            if source.state == SourceState.DRAFT:
                messages.success(request, _("The source is at work. The first run has begun."))
            return redirect("sources:show", public_id)
    trial = None
    try:
        trial = services.source_trial(actor=actor, public_id=public_id)
    except (IngestRefused, SourceFailed) as error:
        problem = problem or labels.refusal(error)
    context = {
        **_frame(source, 5, _("Times"), _("When is it read?")),
        "plan": chosen,
        "every": chosen.every,
        "time": f"{chosen.hour:02d}:{chosen.minute:02d}",
        "interval": chosen.minutes if chosen.every == Every.MINUTES else 15,
        "minute": chosen.minutes if chosen.every == Every.HOUR else 10,
        "draft": source.state == SourceState.DRAFT,
        "trial": trial,
        "taken": trial.tally.read - trial.tally.quarantined if trial else 0,
        "reasons": _reasons(trial.failures if trial else []),
        "problem": problem,
    }
    return render(request, "sources/schedule.html", context, status=422 if problem else 200)


def import_zh() -> bool:
    from hongyan.web.figures import chinese

    return chinese()


def _frame(source: Source, step: int, heading: str, question: str) -> dict[str, Any]:
    return {
        "source": source,
        "step": step,
        "heading": f"{source.name} · {heading}",
        "question": question,
        "kind": source.kind,
        "kind_label": labels.kind_label(source.kind),
        "draft": source.state == SourceState.DRAFT,
    }


def _connection(source: Source, post: QueryDict) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form says about the place, and the secrets apart. What other steps chose is kept."""
    names = {
        SourceKind.SQL: ("schema",),
        SourceKind.REST: (
            "base_url", "path", "auth", "key_name", "key_in", "username", "token_url", "paging", "page_param",
            "size_param", "page_size", "first_page", "next_path", "records_path",
        ),
        SourceKind.FILES: ("url", "pattern", "format", "endpoint_url", "region", "key_id"),
    }[SourceKind(source.kind)]  # fmt: skip
    place = {key: value for key, value in source.place.items() if key not in names and key != "shown"}
    place |= {name: post.get(name, "").strip()[:500] for name in names if post.get(name, "").strip()}
    place["private"] = "private" in post
    if source.kind == SourceKind.REST:
        lines = [line.partition("=") for line in post.get("params", "").splitlines()[:20]]
        place["params"] = {name.strip(): value.strip() for name, mark, value in lines if mark and name.strip()}
    return place, {name: post.get(name, "").strip() for name in ("url", "secret") if _is_secret(source, name, post)}


def _is_secret(source: Source, name: str, post: QueryDict) -> bool:
    expected = "url" if source.kind == SourceKind.SQL else "secret"
    return name == expected and bool(post.get(name, "").strip())


def _chosen(source: Source, post: QueryDict) -> dict[str, Any]:
    names = ("table", "cursor") if source.kind == SourceKind.SQL else ("cursor", "cursor_param", "initial_value")
    if source.kind == SourceKind.FILES:
        return {}
    chosen: dict[str, Any] = {name: post.get(name, "").strip()[:200] for name in names}
    if source.kind == SourceKind.SQL:
        if chosen["table"] != source.place.get("table"):
            chosen["cursor"] = ""
        chosen["lag_s"] = number_of(post.get("lag_minutes", ""), most=10_080) * 60
    return chosen


def _options(post: QueryDict) -> dict[str, Any]:
    single = ("match_on", "policy", "default_region", "date_order", "consent_source", "event_name", "currency")
    options: dict[str, Any] = {name: post[name] for name in single if name in post}
    return options | {name: post.getlist(name) for name in ("tags", "lists", "topics")}


def _shown_options(source: Source, post: QueryDict) -> dict[str, Any]:
    """What was typed is not lost when something else is wrong."""
    kept: dict[str, Any] = {**Options().dump(), **source.options}
    terms = kept.get("consent") or {}
    shown = {
        **kept,
        "choice": terms.get("choice") or "none",
        "topics": terms.get("topics", ()),
        "consent_source": terms.get("source", ""),
    }
    if post:
        shown |= {**_options(post), "choice": post.get("choice", "none")}
    return shown


def _choices(listed: list[str], target: Target, object_key: str, column: str) -> list[tuple[str, str]]:
    choices = [(field, labels.field_label(field, target, object_key)) for field in listed]
    if target is Target.EVENTS:
        own = fields.PROPERTY + fields.property_name(column)
        choices.append((own, labels.field_label(own, target)))
    return choices


def _schedule(post: QueryDict) -> Schedule:
    every = post.get("every", "")
    hour, _colon, minute = post.get("time", "03:00").partition(":")
    return Schedule(
        every=every if every in set(Every) else Every.HOUR,
        minutes=number_of(post.get("interval" if every == Every.MINUTES else "minute", "")),
        hour=number_of(hour, 99),
        minute=number_of(minute[:2], 99),
    )


def _table(looked: Looked) -> list[list[str]]:
    shown = looked.columns[:_SHOWN_COLUMNS]
    return [[text(record.get(name))[:60] for name in shown] for record in looked.records[:_SHOWN_ROWS]]


def _reasons(failures: list[Any]) -> list[Mapping[str, Any]]:
    counted: dict[tuple[str, str], int] = {}
    for failure in failures:
        counted[failure.code, failure.place] = counted.get((failure.code, failure.place), 0) + 1
    return [{"reason": labels.reason(code), "place": place, "count": count} for (code, place), count in counted.items()]


def _first_object() -> str:
    return next((kind.key for kind in object_types()), "")


def _folders() -> str:
    from hongyan.ingest.sources.reading.folders import roots

    return ", ".join(map(str, roots()))


def _auth_kinds() -> list[tuple[str, str]]:
    return [
        ("none", _("None")),
        ("bearer", _("Bearer token")),
        ("api_key", _("API key in a header or in the address")),
        ("basic", _("User name and password (Basic)")),
        ("oauth2", _("OAuth 2 client credentials")),
    ]


def _paging_kinds() -> list[tuple[str, str]]:
    return [
        ("auto", _("Find out by itself")),
        ("single_page", _("One page only")),
        ("page_number", _("Page number in a parameter")),
        ("offset", _("Offset and limit in parameters")),
        ("cursor", _("Cursor from the answer")),
        ("json_link", _("Link to the next page in the answer")),
        ("header_link", _("Link to the next page in the header")),
    ]


def _formats() -> list[tuple[str, str]]:
    return [
        ("", _("By the file's ending")),
        ("csv", "CSV"),
        ("xlsx", "XLSX"),
        ("jsonl", _("JSON lines")),
        ("parquet", "Parquet"),
    ]
