"""Words for roles, second-factor policies, rules and the acts of the audit log."""

from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from hongyan.accounts.approval_states import RuleKind
from hongyan.accounts.models import ApprovalRule, OrganisationSettings
from hongyan.accounts.permissions import Permission, Role
from hongyan.web.figures import number

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ROLE_TEXTS: dict[Role, Promise] = {
    Role.ADMINISTRATOR: _("Everything, including users, keys and settings."),
    Role.MARKETER: _("Imports, audiences, mails and campaigns, without seeing raw personal data."),
    Role.APPROVER: _("Consents to campaigns that others prepared, and reads their reports."),
    Role.SALES: _("Sees and edits customers with their names and addresses."),
    Role.SUPPORT: _("Helps customers: sees and edits them and records their consent."),
    Role.ANALYST: _("Reads reports; sees contacts with identifying data masked."),
    Role.PRIVACY_OFFICER: _("Answers data-subject requests: exports, erases, records consent, reads the audit log."),
}

P = Permission
MATRIX: tuple[tuple[Promise, tuple[Permission, ...]], ...] = (
    (
        _("Contacts"),
        (
            P.CONTACT_VIEW,
            P.CONTACT_IDENTITY,
            P.CONTACT_EDIT,
            P.CONTACT_MERGE,
            P.CONSENT_EDIT,
            P.CONTACT_EXPORT,
            P.CONTACT_ERASE,
        ),
    ),
    (_("Audiences and mails"), (P.IMPORT_RUN, P.SOURCE_EDIT, P.AUDIENCE_EDIT, P.CONTENT_EDIT)),
    (_("Campaigns"), (P.CAMPAIGN_EDIT, P.CAMPAIGN_SEND, P.CAMPAIGN_APPROVE)),
    (_("Reports"), (P.REPORT_VIEW, P.REPORT_PEOPLE)),
    (_("Installation"), (P.SETTINGS_EDIT, P.USERS_EDIT, P.AUDIT_VIEW, P.SYSTEM_VIEW)),
)

SECOND_FACTOR: dict[str, Promise] = {
    OrganisationSettings.SecondFactor.OFF: _("Leave it to each person"),
    OrganisationSettings.SecondFactor.REMIND: _("Remind administrators and data-protection officers"),
    OrganisationSettings.SecondFactor.REQUIRE: _("Require it of administrators and data-protection officers"),
}

RULE_KINDS: dict[str, Promise] = {
    RuleKind.ALWAYS: _("Every campaign"),
    RuleKind.AUDIENCE_SIZE: _("Large audiences"),
    RuleKind.AUDIENCE_TAG: _("Audiences with a certain tag"),
}


def rule_sentence(rule: ApprovalRule) -> str:
    """“Campaigns to 500 people or more need the consent of 1 other person.”"""
    people = rule.approvers
    match RuleKind(rule.kind):
        case RuleKind.ALWAYS:
            text = ngettext(
                "Every campaign needs the consent of %(people)s other person.",
                "Every campaign needs the consent of %(people)s other people.",
                people,
            )
            return text % {"people": people}
        case RuleKind.AUDIENCE_SIZE:
            text = ngettext(
                "Campaigns to %(size)s people or more need the consent of %(people)s other person.",
                "Campaigns to %(size)s people or more need the consent of %(people)s other people.",
                people,
            )
            return text % {"people": people, "size": number(rule.min_size)}
        case RuleKind.AUDIENCE_TAG:
            text = ngettext(
                "Campaigns that reach anybody tagged “%(tag)s” need the consent of %(people)s other person.",
                "Campaigns that reach anybody tagged “%(tag)s” need the consent of %(people)s other people.",
                people,
            )
            return text % {"people": people, "tag": rule.tag}


BAD_VALUES: dict[str, "_StrPromise"] = {
    "email": _("This is not an e-mail address."),
    "roles": _("Choose at least one role."),
    "language": _("This language is not available."),
    "time_zone": _("Choose a time zone from the list."),
    "name": _("Give it a name."),
    "scopes": _("Choose at least one permission."),
    "expires_at": _("Choose a day in the future."),
    "approvers": _("One or two people."),
    "min_size": _("From how many people on?"),
    "tag": _("Which tag?"),
}

# What people read in the audit log; an act without a sentence here is shown by its dotted name.
ACTIONS: dict[str, Promise] = {
    "user.signed_in": _("Signed in"),
    "user.signed_out": _("Signed out"),
    "user.sign_in_failed": _("Sign-in failed"),
    "user.password_changed": _("Changed the password"),
    "user.second_factor_added": _("Added a second factor"),
    "user.second_factor_removed": _("Removed a second factor"),
    "user.second_factor_reset": _("Renewed recovery codes"),
    "user.invited": _("Invited a user"),
    "user.roles_changed": _("Changed a user’s roles"),
    "user.deactivated": _("Deactivated a user"),
    "user.reactivated": _("Reactivated a user"),
    "user.sessions_ended": _("Signed out other devices"),
    "api_key.created": _("Created an API key"),
    "api_key.revoked": _("Revoked an API key"),
    "organisation.changed": _("Changed the organisation’s settings"),
    "approval_rule.saved": _("Saved an approval rule"),
    "approval_rule.deleted": _("Deleted an approval rule"),
    "approval.requested": _("Asked for approval"),
    "approval.approved": _("Approved"),
    "approval.rejected": _("Rejected"),
    "approval.withdrawn": _("Withdrew a request for approval"),
    "approval.voided": _("Approval became void"),
    "sender.created": _("Created a sender"),
    "sender.changed": _("Changed a sender"),
    "sender.archived": _("Archived a sender"),
    "contact.viewed": _("Looked at a contact"),
    "contact.created": _("Created a contact"),
    "contact.updated": _("Changed a contact"),
    "contact.changed": _("Changed a contact"),
    "contact.erased": _("Erased a contact"),
    "object.added": _("Added an object to a contact"),
    "object.changed": _("Changed an object of a contact"),
    "object.removed": _("Removed objects"),
    "object.added_undone": _("Took back the adding of an object"),
    "object.changed_undone": _("Took back the change of an object"),
    "object.removed_undone": _("Took back the removal of an object"),
    "contact.exported": _("Exported contacts"),
    "consent.recorded": _("Recorded consent"),
    "demo.removed": _("Removed the demo data"),
    "campaign.created": _("Created a campaign"),
    "campaign.updated": _("Changed a campaign"),
    "campaign.scheduled": _("Scheduled a campaign"),
    "campaign.started": _("Started a campaign"),
    "campaign.paused": _("Paused a campaign"),
    "campaign.resumed": _("Resumed a campaign"),
    "campaign.cancelled": _("Cancelled a campaign"),
    "import.started": _("Started an import"),
    "import.finished": _("Finished an import"),
    "audit.verified": _("Verified the audit log"),
}
ACTOR_KINDS: dict[str, Promise] = {
    "user": pgettext_lazy("actor", "User"),
    "api_key": pgettext_lazy("actor", "API key"),
    "system": pgettext_lazy("actor", "System"),
    "contact": pgettext_lazy("actor", "Contact"),
    "anonymous": pgettext_lazy("actor", "Not signed in"),
}
BREAKS: dict[str, Promise] = {
    "missing": _("An entry that was sealed is missing."),
    "altered": _("This entry is not as it was written."),
    "unlinked": _("This entry does not follow from the one before it."),
    "head": _("The end of the log is not where it was."),
}


def action_label(action: str) -> str:
    return str(ACTIONS.get(action, action))
