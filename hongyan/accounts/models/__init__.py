from hongyan.accounts.models.approvals import ApprovalDecision, ApprovalRequest, ApprovalRule
from hongyan.accounts.models.keys import ApiKey
from hongyan.accounts.models.organisation import OrganisationSettings
from hongyan.accounts.models.users import OneTimeLink, RoleGrant, SavedView, User, UserManager

__all__ = [
    "ApiKey",
    "ApprovalDecision",
    "ApprovalRequest",
    "ApprovalRule",
    "OneTimeLink",
    "OrganisationSettings",
    "RoleGrant",
    "SavedView",
    "User",
    "UserManager",
]
