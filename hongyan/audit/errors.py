class UnfitAuditData(ValueError):
    """The data of an entry is too big or looks like personal data. Entries stay for years and cannot be erased."""
