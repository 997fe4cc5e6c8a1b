"""One word, colour and icon for every state a thing can be in, so that “paused” looks the same everywhere."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Pill:
    """tone: ok, warn, bad, info, busy, quiet."""

    label: Promise | str
    tone: str
    icon: str


_PILLS: dict[str, Pill] = {
    # things being written
    "draft": Pill(_("Draft"), "quiet", "pencil"),
    "ready": Pill(_("Ready"), "info", "circle-check"),
    "awaiting_approval": Pill(_("Waiting for approval"), "warn", "user-check"),
    "approved": Pill(_("Approved"), "ok", "check"),
    "rejected": Pill(_("Rejected"), "bad", "x"),
    "scheduled": Pill(_("Scheduled"), "info", "calendar-time"),
    # things running
    "queued": Pill(_("Queued"), "quiet", "clock"),
    "running": Pill(_("Running"), "busy", "player-play"),
    "freezing": Pill(_("Collecting recipients"), "busy", "users"),
    "sending": Pill(_("Sending"), "busy", "send"),
    "paused": Pill(_("Paused"), "warn", "player-pause"),
    "done": Pill(_("Done"), "ok", "check"),
    "succeeded": Pill(_("Done"), "ok", "check"),
    "finished": Pill(_("Finished"), "ok", "check"),
    "failed": Pill(_("Failed"), "bad", "alert-triangle"),
    "cancelled": Pill(_("Cancelled"), "quiet", "ban"),
    # messages
    "claimed": Pill(_("Being sent"), "busy", "send"),
    "dotted": Pill(_("Being sent"), "busy", "send"),
    "sent": Pill(_("Sent"), "ok", "check"),
    "delivered": Pill(_("Delivered"), "ok", "checks"),
    "deferred": Pill(_("Will be tried again"), "warn", "refresh"),
    "bounced": Pill(_("Bounced"), "bad", "mail-x"),
    "uncertain": Pill(_("Uncertain"), "warn", "help-circle"),
    "refused": Pill(_("Not sent"), "quiet", "shield-x"),
    # consent
    "given": Pill(_("Consent given"), "ok", "check"),
    "pending": Pill(_("Confirmation pending"), "warn", "clock"),
    "withdrawn": Pill(_("Unsubscribed"), "quiet", "mail-off"),
    "none": Pill(_("No consent"), "quiet", "minus"),
    "suppressed": Pill(_("Suppressed"), "bad", "shield-x"),
    # people and keys
    "active": Pill(_("Active"), "ok", "check"),
    "inactive": Pill(_("Deactivated"), "quiet", "ban"),
    "invited": Pill(pgettext_lazy("user", "Invited"), "info", "mail-forward"),
    "uninvited": Pill(pgettext_lazy("user", "No open invitation"), "quiet", "mail-off"),
    "expired": Pill(_("Expired"), "quiet", "clock-off"),
    "revoked": Pill(_("Revoked"), "quiet", "ban"),
    # orders: their area brings the words, since a document's kind may stand in for its state
    "unpaid": Pill("", "warn", "clock"),
    "given_back": Pill("", "quiet", "receipt-refund"),
    "given_back_in_part": Pill("", "info", "receipt-refund"),
    "credit_note": Pill("", "info", "receipt-refund"),
    "adjustment": Pill("", "quiet", "adjustments"),
}


def pill_of(state: str) -> Pill:
    return _PILLS.get(str(state), Pill(str(state), "quiet", "point"))
