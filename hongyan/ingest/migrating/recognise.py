"""Which system exported a file, and what its columns mean there. Pure.

Headers: Mailchimp, "View or export audience contacts" (columns in capitals are its own, the others the audience's
fields); listmonk, ``cmd/subscribers.go`` (export); HubSpot and Salesforce, labels or API names of their standard
properties; Mautic, field aliases of its contact export and reports.
"""

# ruff: noqa: E501 - names of one column on a line

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from hongyan.ingest.headers import plain


class Origin(StrEnum):
    MAILCHIMP = "mailchimp"
    HUBSPOT = "hubspot"
    SALESFORCE = "salesforce"
    LISTMONK = "listmonk"
    MAUTIC = "mautic"


class Part(StrEnum):
    """Who is in the file."""

    ALL = ""  # each row says how the person stands
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"
    NOT_SUBSCRIBED = "nonsubscribed"


@dataclass(frozen=True, slots=True)
class Extra:
    """A column that is worth a custom field. key: of the field, type: as ``contacts.fields``."""

    column: int
    key: str
    label_zh: str
    label_en: str
    type: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """roles: what a column says about consent and past → its place. targets: the field of each column, or ""."""

    origin: Origin
    part: Part
    targets: tuple[str, ...]
    roles: Mapping[str, int] = field(default_factory=dict)
    extras: tuple[Extra, ...] = ()
    left_out: tuple[int, ...] = ()  # known, and not to be taken: birthdays without a year, a second phone

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> Self | None:
        if not raw:
            return None
        return cls(
            Origin(raw["origin"]),
            Part(raw["part"]),
            tuple(raw["targets"]),
            dict(raw["roles"]),
            tuple(Extra(**item) for item in raw["extras"]),
            tuple(raw.get("left_out", ())),
        )


@dataclass(frozen=True, slots=True)
class _System:
    """needs: all of these columns; one_of: at least one of each group. Names are plain (``headers.plain``)."""

    origin: Origin
    needs: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...]
    targets: Mapping[str, str]
    roles: Mapping[str, str]
    extras: Mapping[str, tuple[str, str, str, str]]


def _names(text: Mapping[str, str]) -> dict[str, str]:
    """ "First Name|fname" → given_name, both ways of writing it."""
    return {plain(name): target for names, target in text.items() for name in names.split("|")}


_SYSTEMS: tuple[_System, ...] = (
    _System(
        Origin.LISTMONK,
        ("uuid", "email", "name", "attributes", "status"),
        (),
        _names({"email": "email", "name": "full_name", "uuid": "external_id"}),
        _names(
            {
                "status": "status",
                "created_at": "since",
                "updated_at": "changed",
                "lists": "lists",
                "subscription_status": "subscription",
                "attributes": "attributes",
            }
        ),
        {},
    ),
    _System(
        Origin.MAILCHIMP,
        ("memberrating", "leid", "euid"),
        (("emailaddress", "email"),),
        _names(
            {
                "Email Address|Email": "email",
                "First Name|FNAME": "given_name",
                "Last Name|LNAME": "family_name",
                "Phone Number|PHONE": "phone",
                "Address": "street",
                "Birthday": "",
                "Company": "company",
                "TIMEZONE": "time_zone",
                "CC": "country",
                "TAGS": "tags",
                "NOTES": "notes",
                "REGION": "",
                "EUID": "external_id",
            }
        ),
        _names(
            {
                "OPTIN_TIME": "since",
                "OPTIN_IP": "ip",
                "CONFIRM_TIME": "confirmed",
                "CONFIRM_IP": "confirmed_ip",
                "UNSUB_TIME": "withdrawn_at",
                "UNSUB_CAMPAIGN_TITLE": "withdrawn_by",
                "UNSUB_REASON": "withdrawn_why",
                "CLEAN_TIME": "bounced_at",
                "CLEAN_CAMPAIGN_TITLE": "bounced_by",
                "LAST_CHANGED": "changed",
                "Status": "status",
            }
        ),
        {"memberrating": ("mailchimp_rating", "Mailchimp 评级", "Mailchimp rating", "number")},
    ),
    _System(
        Origin.HUBSPOT,
        (),
        (("recordid", "hsobjectid", "contactid"), ("email",), ("marketingcontactstatus", "unsubscribedfromallemail", "lifecyclestage", "hsmarketablestatus", "hsemailoptout")),
        _names(
            {
                "Record ID|Contact ID|hs_object_id": "external_id",
                "Email": "email",
                "First Name|firstname": "given_name",
                "Last Name|lastname": "family_name",
                "Phone Number|phone": "phone",
                "Company Name|company|Associated Company": "company",
                "Street Address|address": "street",
                "City": "city",
                "State/Region|state": "region",
                "Postal Code|zip": "postal_code",
                "Country/Region|country": "country",
                "Preferred language|hs_language": "language",
                "Time Zone|hs_timezone": "",
                "Date of birth|date_of_birth": "birth_date",
                "Mobile Phone Number|mobilephone": "",
                "List memberships": "",
                "Tags": "tags",
            }
        ),
        _names(
            {
                "Unsubscribed from all email|hs_email_optout|Opted out of all email": "opt_out",
                "Marketing contact status|hs_marketable_status": "marketing",
                "Email hard bounce reason|hs_email_hard_bounce_reason_enum|Email hard bounce reason enum": "bounce_reason",
                "Invalid email address|hs_email_bad_address": "bounced",
                "Marked as spam|Sends since marked as spam": "complained",
                "Create Date|createdate": "since",
                "Last Modified Date|lastmodifieddate": "changed",
                "Legal basis for processing contact's data|hs_legal_basis": "basis",
                "Email Confirmation Status|hs_emailconfirmationstatus": "confirmation",
                "List memberships": "lists",
            }
        ),
        {
            "lifecyclestage": ("hubspot_lifecycle_stage", "HubSpot 生命周期阶段", "HubSpot lifecycle stage", "text"),
            "leadstatus": ("hubspot_lead_status", "HubSpot 线索状态", "HubSpot lead status", "text"),
            "jobtitle": ("job_title", "职位", "Job title", "text"),
        },
    ),
    _System(
        Origin.SALESFORCE,
        ("lastname",),
        (
            ("hasoptedoutofemail", "emailoptout"),
            ("id", "contactid", "leadid"),
            ("isdeleted", "ownerid", "leadsource", "accountid", "donotcall", "contactowner", "leadowner", "isconverted"),
        ),
        _names(
            {
                "Id|Contact ID|Lead ID": "external_id",
                "Email": "email",
                "FirstName|First Name": "given_name",
                "LastName|Last Name": "family_name",
                "MobilePhone|Mobile": "",
                "Phone": "phone",
                "Company|Company / Account|Account Name": "company",
                "MailingStreet|Mailing Street|Street": "street",
                "MailingCity|Mailing City|City": "city",
                "MailingState|Mailing State/Province|State|State/Province": "region",
                "MailingPostalCode|Mailing Zip/Postal Code|PostalCode|Zip/Postal Code": "postal_code",
                "MailingCountry|Mailing Country|Country": "country",
                "Birthdate": "birth_date",
                "Description": "notes",
                "Name": "",
            }
        ),
        _names(
            {
                "HasOptedOutOfEmail|Email Opt Out": "opt_out",
                "DoNotCall|Do Not Call": "no_calls",
                "EmailBouncedDate|Email Bounced Date": "bounced_at",
                "EmailBouncedReason|Email Bounced Reason": "bounce_reason",
                "IsEmailBounced": "bounced",
                "CreatedDate|Created Date": "since",
                "LastModifiedDate|Last Modified Date": "changed",
                "IsDeleted": "deleted",
            }
        ),
        {
            "leadsource": ("salesforce_lead_source", "Salesforce 线索来源", "Salesforce lead source", "text"),
            "status": ("salesforce_status", "Salesforce 状态", "Salesforce status", "text"),
            "title": ("job_title", "职位", "Job title", "text"),
            "donotcall": ("do_not_call", "不接受电话", "Do not call", "boolean"),
        },
    ),
    _System(
        Origin.MAUTIC,
        ("email", "points"),
        (
            ("firstname", "lastname"),
            ("stage", "preferredlocale", "lastactive", "dateidentified", "attribution", "donotcontact", "dnc", "dncreason", "dateadded"),
        ),
        _names(
            {
                "id|contact id": "external_id",
                "email": "email",
                "firstname|First Name": "given_name",
                "lastname|Last Name": "family_name",
                "company|Primary company": "company",
                "mobile": "phone",
                "phone": "",
                "address1|Address Line 1": "street",
                "city": "city",
                "state": "region",
                "zipcode|Zip Code": "postal_code",
                "country": "country",
                "preferred_locale|Preferred Locale": "language",
                "timezone": "time_zone",
                "tags": "tags",
            }
        ),
        _names(
            {
                "dnc|do not contact|donotcontact|dnc_reason|DNC reason": "dnc",
                "date_added|Date added": "since",
                "date_identified|Date identified": "identified",
                "date_modified": "changed",
                "segments|lists": "lists",
            }
        ),
        {
            "points": ("mautic_points", "Mautic 积分", "Mautic points", "number"),
            "stage": ("mautic_stage", "Mautic 阶段", "Mautic stage", "text"),
            "position": ("job_title", "职位", "Job title", "text"),
        },
    ),
)  # fmt: skip


def recognise(header: Sequence[str], file_name: str = "") -> Recipe | None:
    """The recipe for an export, or None for any other file.

    >>> recognise(["uuid", "email", "name", "attributes", "status", "created_at", "updated_at"]).origin
    <Origin.LISTMONK: 'listmonk'>
    """
    names = [plain(cell) for cell in header]
    present = set(names)
    for system in _SYSTEMS:
        if set(system.needs) <= present and all(set(group) & present for group in system.one_of):
            return _recipe(system, names, _part(system, present, plain(file_name)))
    return None


def _part(system: _System, present: set[str], file_name: str) -> Part:
    """Mailchimp puts each standing into a file of its own; its own columns say better than the name which one."""
    if system.origin is not Origin.MAILCHIMP:
        return Part.ALL
    if "cleantime" in present or file_name.startswith("cleaned"):
        return Part.CLEANED
    if "unsubtime" in present or file_name.startswith("unsubscribed"):
        return Part.UNSUBSCRIBED
    if file_name.startswith(("nonsubscribed", "nonsub", "transactional")):
        return Part.NOT_SUBSCRIBED
    return Part.SUBSCRIBED


def _recipe(system: _System, names: Sequence[str], part: Part) -> Recipe:
    targets: list[str] = []
    for name in names:
        target = system.targets.get(name, "")
        targets.append(target if target not in targets else "")
    roles: dict[str, int] = {}
    for place, name in enumerate(names):
        if role := system.roles.get(name):
            roles.setdefault(role, place)
    extras = tuple(
        Extra(place, *system.extras[name])
        for place, name in enumerate(names)
        if name in system.extras and not targets[place]
    )
    left_out = tuple(place for place, name in enumerate(names) if system.targets.get(name) == "")
    return Recipe(system.origin, part, tuple(targets), roles, extras, left_out)
