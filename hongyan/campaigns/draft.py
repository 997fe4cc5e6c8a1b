"""What a campaign would send as it stands: the mail compiled and unchangeable, and the hashes an approval binds to."""

import hashlib
import json
from dataclasses import dataclass, replace

from django.utils.text import slugify

from hongyan.accounts.types import system_actor
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.people import audience_digest, excluded_fields
from hongyan.campaigns.types import EmptyChoice
from hongyan.content.models import ContentVersion
from hongyan.content.selectors import template_draft
from hongyan.content.services import content_compile, content_version_create
from hongyan.content.types import MailDraft, MailType

MAX_UTM = 80


@dataclass(frozen=True, slots=True)
class Prepared:
    """Equal campaigns give equal hashes, on any machine."""

    version: ContentVersion
    content_hash: str
    audience_hash: str


def draft_of(campaign: Campaign) -> MailDraft:
    """The template's newest state with this campaign's wording and fallbacks. Raises NotComplete without a template."""
    if campaign.template is None:
        raise NotComplete({"template": "missing"})
    chosen = {
        path: choice["text"]
        for path, choice in campaign.choices.items()
        if choice["choice"] == EmptyChoice.FALLBACK.value
    }
    draft = template_draft(
        campaign.template,
        subject=campaign.subject.strip(),
        preheader=campaign.preheader.strip(),
        fallbacks=chosen,
        utm_campaign=utm_name(campaign),
    )
    return replace(draft, mail_type=MailType(campaign.mail_type))


def utm_name(campaign: Campaign) -> str:
    """utm_campaign of every link: the name people will look for in their web analytics."""
    return slugify(campaign.name, allow_unicode=True)[:MAX_UTM] or campaign.public_id.hex[-12:]


def compile_campaign(campaign: Campaign) -> ContentVersion:
    """The mail as it stands, not kept: for looking at it. Raises NotComplete, ContentProblem."""
    return content_compile(draft_of(campaign))


def prepare_campaign(campaign: Campaign) -> Prepared:
    """Raises NotComplete, ContentProblem (content), BadTree (audience)."""
    version = content_version_create(actor=system_actor("campaigns"), draft=draft_of(campaign))
    return Prepared(version, content_hash(campaign, version), audience_hash(campaign))


def content_hash(campaign: Campaign, version: ContentVersion) -> str:
    """The mail as compiled, who it comes from, and under which topic."""
    sender = campaign.sender
    named = (
        [sender.from_name, sender.from_email, sender.reply_to, sender.company_name, sender.postal_address, sender.phone]
        if sender is not None
        else None
    )
    return _sha256([version.sha256, named, campaign.topic_id, campaign.mail_type])


def audience_hash(campaign: Campaign) -> str:
    """Who is asked for, who is excepted, and whose empty fields leave them out."""
    return _sha256([audience_digest(campaign).hex(), excluded_fields(campaign)])


def _sha256(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
