"""Kinds, types and reasons as people read them."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.content.types import Level, MailType, SourceKind

KINDS: dict[str, Promise | str] = {SourceKind.MJML: "MJML", SourceKind.HTML: "HTML", SourceKind.TEXT: _("Plain text")}
MAIL_TYPES: dict[str, Promise] = {
    MailType.PRODUCT_UPDATE: _("Product update"),
    MailType.PROMOTION: _("Promotion"),
    MailType.GREETING: _("Greeting"),
    MailType.CARE: _("Customer care"),
    MailType.SERVICE_REMINDER: _("Service reminder"),
    MailType.NEWSLETTER: _("Newsletter"),
    MailType.TRANSACTIONAL: _("Transactional"),
}
LANGUAGES = {"zh-hans": "简体中文", "en": "English"}
GROUPS: dict[str, Promise] = {
    "contact": _("Contact"),
    "custom": _("Custom fields"),
    "today": _("Today"),
    "sender": _("Sender"),
    "links": _("Links"),
    "mail": _("This mail"),
}
LEVELS: dict[str, Promise] = {
    Level.ERROR: _("Error"),
    Level.WARNING: _("Warning"),
    Level.NOTE: pgettext_lazy("level", "Note"),
}
RISKS: dict[str, Promise] = {
    "empty": _("empty fields"),
    "long": _("very long values"),
    "script": _("rare scripts"),
    "symbol": _("special characters"),
}
EMPTY_SOURCES = {
    SourceKind.MJML: """<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text></mj-text>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" color="#6b6560">
          <a href="{{ unsubscribe_url }}">%(unsubscribe)s</a><br />{{ sender.company }} · {{ sender.address }}
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
""",
    SourceKind.HTML: """<!doctype html>
<html lang="%(language)s">
  <head>
    <meta charset="utf-8">
    <title>{{ mail.subject }}</title>
  </head>
  <body>
    <p></p>
    <p><a href="{{ unsubscribe_url }}">%(unsubscribe)s</a><br>{{ sender.company }} · {{ sender.address }}</p>
  </body>
</html>
""",
    SourceKind.TEXT: """

%(unsubscribe)s: {{ unsubscribe_url }}
{{ sender.company }} · {{ sender.address }}
""",
}
