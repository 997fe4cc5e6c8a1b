"""What staff may do, by role. Services ask ``actor.require``; pages ask the same to decide what to show."""

from enum import StrEnum


class Permission(StrEnum):
    CONTACT_VIEW = "contact.view"  # lists and pages, identifying data masked
    CONTACT_IDENTITY = "contact.identity"  # names, addresses, phones in clear
    CONTACT_EDIT = "contact.edit"
    CONTACT_ERASE = "contact.erase"
    CONTACT_EXPORT = "contact.export"
    CONTACT_MERGE = "contact.merge"  # decide who is the same person, undo such decisions
    CONSENT_EDIT = "consent.edit"
    IMPORT_RUN = "import.run"
    SOURCE_EDIT = "source.edit"  # where data comes from: keys, schedules, quarantine, tracking plan
    AUDIENCE_EDIT = "audience.edit"  # tags, lists, saved audiences
    CONTENT_EDIT = "content.edit"
    CAMPAIGN_EDIT = "campaign.edit"
    CAMPAIGN_SEND = "campaign.send"  # schedule, start, pause, resume, cancel
    CAMPAIGN_APPROVE = "campaign.approve"
    REPORT_VIEW = "report.view"
    REPORT_PEOPLE = "report.people"  # the people behind a figure
    SETTINGS_EDIT = "settings.edit"  # senders, topics, fields, forms, approval rules
    USERS_EDIT = "users.edit"  # users, roles, API keys
    AUDIT_VIEW = "audit.view"
    SYSTEM_VIEW = "system.view"  # queues, workers, the mail catcher


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    MARKETER = "marketer"
    APPROVER = "approver"
    SALES = "sales"
    SUPPORT = "support"
    ANALYST = "analyst"
    PRIVACY_OFFICER = "privacy_officer"


P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    # Marketers work with audiences without seeing raw personal data (product 9.5).
    Role.MARKETER: frozenset(
        {
            P.CONTACT_VIEW,
            P.CONTACT_EDIT,
            P.IMPORT_RUN,
            P.AUDIENCE_EDIT,
            P.CONTENT_EDIT,
            P.CAMPAIGN_EDIT,
            P.CAMPAIGN_SEND,
        }
        | {P.REPORT_VIEW, P.REPORT_PEOPLE, P.SYSTEM_VIEW}
    ),
    Role.APPROVER: frozenset({P.CONTACT_VIEW, P.CAMPAIGN_APPROVE, P.REPORT_VIEW, P.REPORT_PEOPLE}),
    Role.SALES: frozenset({P.CONTACT_VIEW, P.CONTACT_IDENTITY, P.CONTACT_EDIT, P.REPORT_VIEW, P.REPORT_PEOPLE}),
    Role.SUPPORT: frozenset({P.CONTACT_VIEW, P.CONTACT_IDENTITY, P.CONTACT_EDIT, P.CONTACT_MERGE, P.CONSENT_EDIT}),
    Role.ANALYST: frozenset({P.CONTACT_VIEW, P.REPORT_VIEW}),
    Role.PRIVACY_OFFICER: frozenset(
        {P.CONTACT_VIEW, P.CONTACT_IDENTITY, P.CONTACT_EDIT, P.CONTACT_ERASE, P.CONTACT_EXPORT, P.CONSENT_EDIT}
        | {P.CONTACT_MERGE, P.REPORT_VIEW, P.AUDIT_VIEW}
    ),
}
