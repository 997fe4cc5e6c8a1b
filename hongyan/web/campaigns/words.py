"""Names of a campaign's stages, types, states, acts, findings' steps and reasons, as people read them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.campaigns.states import Act, State
from hongyan.campaigns.types import Outside, Stage
from hongyan.content.types import MailType

Words = Mapping[str, Promise]

STAGES: Mapping[Stage, Promise] = {
    Stage.AWARENESS: _("Awareness"),
    Stage.ATTRACTION: _("Attraction"),
    Stage.CONVERSION: _("Conversion"),
    Stage.RETENTION: _("Retention"),
}
STAGE_HINTS: Mapping[Stage, Promise] = {
    Stage.AWARENESS: _("They do not know you well yet: introduce, teach."),
    Stage.ATTRACTION: _("They are interested: show what suits them."),
    Stage.CONVERSION: _("They are about to decide: offer a reason to buy."),
    Stage.RETENTION: _("They are customers: keep, thank, win back."),
}
MAIL_TYPES: Mapping[MailType, Promise] = {
    MailType.PROMOTION: _("Promotion"),
    MailType.PRODUCT_UPDATE: _("Product update"),
    MailType.GREETING: _("Holiday or birthday greeting"),
    MailType.CARE: _("Customer care"),
    MailType.SERVICE_REMINDER: _("Service reminder"),
    MailType.NEWSLETTER: _("Newsletter"),
    MailType.TRANSACTIONAL: _("Transactional"),
}
STATES: Mapping[State, Promise] = {
    State.DRAFT: _("Draft"),
    State.AWAITING_APPROVAL: _("Waiting for approval"),
    State.APPROVED: _("Ready to send"),
    State.SCHEDULED: _("Scheduled"),
    State.FREEZING: _("Preparing recipients"),
    State.SENDING: _("Sending"),
    State.PAUSED: _("Paused"),
    State.FINISHED: _("Sent"),
    State.CANCELLED: _("Cancelled"),
    State.FAILED: _("Did not start"),
}
# The tone of a state's pill, by a word of the shared vocabulary.
PILLS: Mapping[State, str] = {State.FREEZING: "sending"}
ACTS: Mapping[Act, Promise] = {
    Act.EDIT: _("Changed; the approval no longer holds"),
    Act.REQUEST_APPROVAL: _("Approval requested"),
    Act.WITHDRAW: _("Request for approval withdrawn"),
    Act.APPROVE: _("Approved"),
    Act.REQUEST_CHANGES: _("Changes requested"),
    Act.REJECT: _("Rejected"),
    Act.CLEAR: _("Ready: no approval needed"),
    Act.SCHEDULE: _("Scheduled"),
    Act.UNSCHEDULE: _("Schedule taken back"),
    Act.START: pgettext_lazy("act", "Started"),
    Act.FROZEN: _("Recipients fixed, sending began"),
    Act.FAIL: _("Could not start"),
    Act.PAUSE: _("Paused"),
    Act.RESUME: _("Resumed"),
    Act.COMPLETE: _("Everybody has a final state"),
    Act.CANCEL: _("Cancelled"),
}
OUTSIDE: Mapping[Outside, Promise] = {
    Outside.EXCLUDED: _("Excluded by this campaign"),
    Outside.EMPTY_FIELD: _("Left out: a field the mail prints is empty"),
    Outside.NO_ADDRESS: _("No e-mail address"),
    Outside.UNSUBSCRIBED: _("Unsubscribed"),
    Outside.PENDING: _("Has not confirmed the subscription yet"),
    Outside.NO_CONSENT: _("No consent to this topic"),
    Outside.SUPPRESSED: _("On the suppression list"),
}
FAILURES: Words = {
    "low_disk": _("Too little free disk. Free some space, then start again."),
    "unknown_sender": _("The sender no longer exists. Choose another one."),
    "origin_cancelled": _("It had been cancelled."),
    "merged": _("The same person gets it under the record this one was merged with."),
    "bad_audience": _("The audience refers to something that no longer exists. Choose it again."),
    "nobody_left": _("Nobody was left in the audience when the time came."),
    "preflight_blocks": _("Preflight found something that stops the send. See the list and mend it."),
    "approval_missing": _("Content or audience changed after the approval, so it no longer holds."),
    "not_complete": _("Something the campaign needs is missing."),
}
# Why a message was not sent or came back; codes of the delivery room.
REASONS: Words = {
    "no_contact": _("Contact erased since"),
    "no_consent": _("No consent to this topic"),
    "unsubscribed": _("Unsubscribed"),
    "no_email": _("No e-mail address"),
    "suppressed_hard_bounce": _("Suppressed: mailbox did not exist"),
    "suppressed_complained": _("Suppressed: complained about spam"),
    "suppressed_unsubscribed": _("Unsubscribed"),
    "suppressed_manual": _("Suppressed by hand"),
    "suppressed_erased": _("Suppressed: erased on request"),
    "suppressed_import": _("Suppressed by an import"),
    "pending_confirmation": _("Has not confirmed the subscription yet"),
    "content_gone": _("The text was deleted before it left"),
    "unsendable_eai": _("Address outside ASCII that the mail server cannot take"),
    "bad_address": _("Address that cannot be used"),
    "render_failed": _("The mail could not be made for this person"),
    "empty_value": _("A field the mail prints is empty"),
    "bad_link": _("A link made from this person's data is broken"),
    "bad_header": _("A header line would be broken"),
    "too_large": _("Mail too large"),
    "origin_cancelled": _("The campaign was cancelled"),
    "unknown_recipient": _("Mailbox does not exist"),
    "disabled_recipient": _("Mailbox disabled"),
    "null_mx": _("The domain takes no mail"),
    "mailbox_full": _("Mailbox full"),
    "throttled": _("Receiving side asked to slow down"),
    "greylisted": _("Asked to come back later"),
    "recipient_flooded": _("Recipient got too much mail just now"),
    "content_refused": _("Content refused"),
    "sender_fault": _("Our sender set-up was refused"),
    "ip_blocked": _("Our sending address is blocked"),
    "message_fault": _("Message refused for its form"),
    "temporary": _("Temporary refusal"),
    "unknown_reply": _("Unknown answer"),
    "relay_down": _("Mail server not reachable"),
    "expired": _("Tried too long without success"),
    "answer_lost": _("Connection lost while waiting for the answer"),
    "worker_died": _("Interrupted while waiting for the answer"),
    "resolved": _("Settled afterwards"),
}
MESSAGE_STATES: Words = {
    "queued": _("Waiting"),
    "claimed": _("Being sent"),
    "dotted": _("Being sent"),
    "sent": pgettext_lazy("message", "Sent"),
    "deferred": _("Will be tried again"),
    "bounced": _("Bounced"),
    "failed": _("Failed"),
    "uncertain": _("Uncertain"),
    "refused": _("Not sent"),
    "cancelled": _("Cancelled"),
}


_PAIR = _("%(state)s: %(reason)s")


def reason(code: str) -> str:
    """A reason in words; an unknown code stays visible as it is."""
    return str(REASONS.get(code, code))


def state_and_reason(state: str, code: str) -> str:
    """ "Bounced: mailbox does not exist"."""
    return _PAIR % {"state": MESSAGE_STATES[state], "reason": reason(code)}


def failure(code: str) -> str:
    return str(FAILURES.get(code, code))
