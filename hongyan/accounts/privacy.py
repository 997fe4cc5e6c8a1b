"""People in this room are staff. Contacts appear nowhere here."""

# Tables about staff, and what an export of a member of staff's own data contains.
HOLDS_PEOPLE = ("accounts.User", "accounts.SavedView", "accounts.OneTimeLink", "accounts.ApiKey")
KEPT = {
    "accounts.User": "while employed; deactivated, not deleted, because the audit log speaks of them",
    "accounts.SavedView": "until deleted by their owner",
    "accounts.OneTimeLink": "30 days after expiry",
    "accounts.ApiKey": "for good, without the secret; the audit log speaks of them",
    "accounts.ApprovalRequest": "for good: evidence of who consented to what",
    "accounts.ApprovalDecision": "for good: evidence of who consented to what",
}
