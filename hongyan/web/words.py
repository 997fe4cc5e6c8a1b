"""Names of roles and permissions as people read them."""

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.permissions import Permission, Role

P = Permission
_PERMISSIONS = {
    P.CONTACT_VIEW: _("See contacts"),
    P.CONTACT_IDENTITY: _("See names, addresses and phone numbers"),
    P.CONTACT_EDIT: _("Edit contacts"),
    P.CONTACT_ERASE: _("Erase contacts"),
    P.CONTACT_EXPORT: _("Export contacts"),
    P.CONSENT_EDIT: _("Record consent"),
    P.IMPORT_RUN: _("Import files"),
    P.CONTACT_MERGE: _("Decide who is the same person"),
    P.SOURCE_EDIT: _("Set up where data comes from, mend what waits in quarantine"),
    P.AUDIENCE_EDIT: _("Edit audiences, lists and tags"),
    P.CONTENT_EDIT: _("Write mails"),
    P.CAMPAIGN_EDIT: _("Prepare campaigns"),
    P.CAMPAIGN_SEND: _("Send campaigns"),
    P.CAMPAIGN_APPROVE: _("Approve campaigns"),
    P.REPORT_VIEW: _("See reports"),
    P.REPORT_PEOPLE: _("See the people behind a figure"),
    P.SETTINGS_EDIT: _("Change settings"),
    P.USERS_EDIT: _("Manage users and API keys"),
    P.AUDIT_VIEW: _("Read the audit log"),
    P.SYSTEM_VIEW: _("See queues and caught mail"),
}
_ROLES = {
    Role.ADMINISTRATOR: _("Administrator"),
    Role.MARKETER: _("Marketer"),
    Role.APPROVER: _("Approver"),
    Role.SALES: _("Sales"),
    Role.SUPPORT: _("Support"),
    Role.ANALYST: _("Analyst"),
    Role.PRIVACY_OFFICER: _("Data-protection officer"),
}


def permission_label(permission: Permission) -> str:
    return str(_PERMISSIONS[permission])


def role_label(role: Role) -> str:
    return str(_ROLES[role])
