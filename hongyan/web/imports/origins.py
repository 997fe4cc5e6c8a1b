"""Exports of other systems in the wizard: what was recognised, in words; accepting or declining it."""

# ruff: noqa: E501 - one sentence a line

import uuid
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.ingest import services
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.migrating import archive
from hongyan.ingest.migrating.recognise import Origin, Part, Recipe
from hongyan.ingest.models import Import
from hongyan.web.figures import number
from hongyan.web.imports import labels
from hongyan.web.imports.labels import Sentence
from hongyan.web.imports.shared import actor_of, import_or_404

NAMES = {
    Origin.MAILCHIMP: "Mailchimp",
    Origin.HUBSPOT: "HubSpot",
    Origin.SALESFORCE: "Salesforce",
    Origin.LISTMONK: "listmonk",
    Origin.MAUTIC: "Mautic",
}


def banner(batch: Import, actor: Actor) -> dict[str, Any] | None:
    """What the wizard says about a recognised export; None for any other file."""
    recipe = Recipe.load(batch.recipe)
    if recipe is None:
        return None
    open_extras = [extra for extra in recipe.extras if not batch.mapping[extra.column]]
    return {
        "name": NAMES[recipe.origin],
        "part": _parts().get(recipe.part, ""),
        "consent": _consent(recipe),
        "extras": ", ".join(batch.header[extra.column] for extra in open_extras),
        "may_create": actor.may(Permission.SETTINGS_EDIT),
    }


def _parts() -> dict[Part, str]:
    return {
        Part.SUBSCRIBED: _("people who subscribed"),
        Part.UNSUBSCRIBED: _("people who unsubscribed"),
        Part.CLEANED: _("addresses that bounced"),
        Part.NOT_SUBSCRIBED: _("people who never subscribed"),
    }


def _consent(recipe: Recipe) -> str:
    """What the system knows about consent; some know only who refused."""
    return {
        Origin.MAILCHIMP: _("Sign-up and confirmation times and addresses become the evidence of consent; those who unsubscribed, complained or bounced are suppressed."),
        Origin.LISTMONK: _("Enabled subscribers keep their consent, unconfirmed ones wait for confirmation, blocklisted ones are suppressed. Lists and attributes come along."),
        Origin.HUBSPOT: _("A marketing contact is one that is paid for, not one that agreed: consent is kept only where a legal basis or a confirmation says so. Opt-outs and bounces are suppressed."),
        Origin.SALESFORCE: _("Salesforce knows who opted out, not who opted in: opt-outs and bounces are suppressed, all others arrive without consent."),
        Origin.MAUTIC: _("Mautic knows who must not be contacted: unsubscribed and bounced people are suppressed, all others arrive without consent."),
    }[recipe.origin]  # fmt: skip


def sentences(standings: dict[str, int]) -> list[Sentence]:
    """What became of the people's consent."""
    made = [
        ("check", "given", ngettext("%(n)s consent kept with its evidence.", "%(n)s consents kept with their evidence.", standings.get("given", 0))),
        ("clock", "pending", ngettext("%(n)s person still has to confirm.", "%(n)s people still have to confirm.", standings.get("pending", 0))),
        ("mail-off", "withdrawn", ngettext("%(n)s unsubscribed person suppressed.", "%(n)s unsubscribed people suppressed.", standings.get("withdrawn", 0))),
        ("mail-x", "bounced", ngettext("%(n)s bounced address suppressed.", "%(n)s bounced addresses suppressed.", standings.get("bounced", 0))),
        ("flag", "complained", ngettext("%(n)s person who complained suppressed.", "%(n)s people who complained suppressed.", standings.get("complained", 0))),
        ("minus", "none", ngettext("%(n)s person without consent.", "%(n)s people without consent.", standings.get("none", 0))),
        ("equal", "kept", ngettext("%(n)s person had decided here already; that stays.", "%(n)s people had decided here already; that stays.", standings.get("kept", 0))),
        ("shield-x", "refused", ngettext("%(n)s person had unsubscribed here; that stays.", "%(n)s people had unsubscribed here; that stays.", standings.get("refused", 0))),
        ("history", "newer", ngettext("%(n)s person agreed here after leaving there; that stays.", "%(n)s people agreed here after leaving there; that stays.", standings.get("newer", 0))),
    ]  # fmt: skip
    return [Sentence(icon, text % {"n": number(standings[key])}) for icon, key, text in made if standings.get(key)]


def statement() -> str:
    """What the importer signs when consent is kept as another system has it."""
    return _(
        "I declare that these are our own contacts, that this export is unchanged, and that the consent it names was "
        "given to us for the chosen topics."
    )


def unpack(request: HttpRequest, file: Any) -> HttpResponse | None:
    """A ZIP of tables becomes several imports; None: it is no such file. Raises IngestRefused."""
    source = cast("BinaryIO", file.file)
    if not archive.is_archive(source):
        return None
    made = archive.imports_create(actor=actor_of(request), file=source)
    if len(made) == 1:
        return redirect("imports:reading", made[0].public_id)
    text = ngettext(
        "%(n)s table was unpacked.", "%(n)s tables were unpacked. Go through them one after the other.", len(made)
    )
    messages.success(request, text % {"n": len(made)})
    return redirect("imports:index")


@require_POST
def fields(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    import_or_404(request, public_id)
    try:
        services.import_fields_of_origin(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    return redirect("imports:columns", public_id)


@require_POST
def forget(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    import_or_404(request, public_id)
    try:
        services.import_forget_origin(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    return redirect("imports:reading", public_id)
