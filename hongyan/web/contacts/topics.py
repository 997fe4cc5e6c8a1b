"""Topics: what people can subscribe to."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.models import Topic
from hongyan.contacts.topics import topic_about, topic_delete, topic_move, topic_name, topic_save, topics
from hongyan.web.contacts.inputs import LEGAL_CLASSES, TopicForm, refuse
from hongyan.web.settings.common import acting, needs


@require_safe
@needs(Permission.SETTINGS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    rows = [(topic, topic_name(topic), topic_about(topic), LEGAL_CLASSES[topic.legal_class]) for topic in topics()]
    return render(request, "contacts/topics.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest, key: str = "") -> HttpResponse:
    topic = _topic(key) if key else None
    form = TopicForm(request.POST or None, topic=topic)
    if request.method == "POST" and form.is_valid():
        try:
            topic_save(actor=acting(request), topic=topic, **form.cleaned_data)
        except DefinitionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved"))
            return redirect("contacts:topics")
    context = {"form": form, "topic": topic, "title": topic_name(_topic(key)) if key else ""}
    return render(request, "contacts/topic.html", context)


@require_POST
@needs(Permission.SETTINGS_EDIT)
def move(request: HttpRequest, key: str) -> HttpResponse:
    topic_move(actor=acting(request), topic=_topic(key), up=request.POST.get("direction") == "up")
    return redirect("contacts:topics")


@require_POST
@needs(Permission.SETTINGS_EDIT)
def deletion(request: HttpRequest, key: str) -> HttpResponse:
    try:
        topic_delete(actor=acting(request), topic=_topic(key))
    except DefinitionRefused as refused:
        messages.error(request, refused.message)
        return redirect("contacts:topic", key=key)
    messages.success(request, _("Deleted"))
    return redirect("contacts:topics")


def _topic(key: str) -> Topic:
    found = Topic.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found
