from django.conf import settings
from django.db import models

from hongyan.content.types import MailType, SourceKind
from hongyan.core.ids import uuid7

KINDS = [(kind.value, kind.value) for kind in SourceKind]
MAIL_TYPES = [(kind.value, kind.value) for kind in MailType]


class Template(models.Model):
    """A mail people edit. What it says is in its newest version."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=8, choices=KINDS)
    language = models.CharField(max_length=16, default="zh-hans")
    mail_type = models.CharField(max_length=24, choices=MAIL_TYPES)
    ready_key = models.CharField(max_length=64, blank=True)  # the ready template it was started from
    version = models.PositiveIntegerField(default=1)  # number of the newest version
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-updated_at"], name="template_newest_first")]


class TemplateVersion(models.Model):
    """One state of a template. Autosaves of one person within minutes share a version; a restore makes a new one."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.TextField(blank=True)
    preheader = models.TextField(blank=True)
    source = models.TextField(blank=True)
    text_source = models.TextField(blank=True)
    fallbacks = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]


class Snippet(models.Model):
    """A piece of mail written once and included by key: ``{% include "snippet:key" %}``."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=8, choices=KINDS, default=SourceKind.MJML.value)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)


class SnippetVersion(models.Model):
    snippet = models.ForeignKey(Snippet, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField(blank=True)
    note = models.CharField(max_length=200, blank=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snippet", "number"], name="snippet_version_once")]


class ContentVersion(models.Model):
    """What goes out. Equal drafts share one row (sha256 covers everything a recipient could see), and the database
    refuses to change it: approvals and send logs rest on it."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    # as written
    kind = models.CharField(max_length=8, choices=KINDS)
    language = models.CharField(max_length=16)
    mail_type = models.CharField(max_length=24, choices=MAIL_TYPES)
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    source = models.TextField()
    text_source = models.TextField(blank=True)
    fallbacks = models.JSONField(default=dict)
    utm_campaign = models.CharField(max_length=120, blank=True)
    # compiled: what MiniJinja renders for each person
    compiled_subject = models.TextField()
    compiled_html = models.TextField(blank=True)
    compiled_text = models.TextField()
    variables = models.JSONField(default=list)  # field paths read anywhere
    required = models.JSONField(default=list)  # of those, printed somewhere without a fallback
    replaced = models.JSONField(default=dict)  # of those, printed with a fallback: path → the fallback
    links = models.JSONField(default=list)  # [{index, url, label}]
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
