from hongyan.accounts.permissions import Permission


class PermissionRefused(Exception):
    """The acting user lacks a permission. Pages answer 403 and name it."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.value)
        self.permission = permission


class ApprovalRefused(Exception):
    """The approval cannot be given: by its own author, twice by the same person, or for something changed since."""
