"""Words for roles, second-factor policies, rules, and who acts in the audit log (what was done: ``audit_words``)."""

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
