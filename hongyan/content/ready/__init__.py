"""Ready mails in both languages: what people start from, and the opt-in confirmation the product itself sends."""

from hongyan.content.ready.shelf import ReadyTemplate, ready_template, ready_templates

__all__ = ["ReadyTemplate", "ready_template", "ready_templates"]
