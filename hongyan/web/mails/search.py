"""Templates in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.content.selectors import TemplateFilters, template_rows
from hongyan.web.mails.common import READERS
from hongyan.web.mails.words import MAIL_TYPES
from hongyan.web.search import SearchHit, provider


@provider("mails", order=25)
def mails(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    if not any(actor.may(permission) for permission in READERS):
        return []
    return [
        SearchHit(
            title=row.name,
            url=reverse("mails:edit", args=[row.public_id]),
            kind=_("Mails"),
            icon="mail",
            detail=str(MAIL_TYPES.get(row.mail_type, row.mail_type)),
        )
        for row in template_rows(TemplateFilters(text=text), limit=limit)
    ]
