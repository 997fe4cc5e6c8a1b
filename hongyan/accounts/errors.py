from hongyan.accounts.permissions import Permission


class PermissionRefused(Exception):
    """The acting user lacks a permission. Pages answer 403 and name it."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.value)
        self.permission = permission


class ApprovalRefused(Exception):
    """The approval cannot be given or asked for; ``code`` says why (``labels.APPROVAL_REFUSALS`` in words)."""

    def __init__(self, code: str) -> None:
        """code: author | twice | changed | not_pending | comment_needed | not_a_person | not_yours."""
        super().__init__(code)
        self.code = code


class NotFound(Exception):
    """There is no such user, key, rule, view or request, or it is somebody else's: the two look the same."""


class LastAdministrator(Exception):
    """Somebody who can sign in must stay administrator, or nobody could ever grant the role again."""


class EmailTaken(Exception):
    """A user with this address exists already."""


class LinkRefused(Exception):
    """The one-time link was used, has expired, was replaced, or was never ours: all look the same."""


class BadValue(Exception):
    """A value cannot be used; ``field`` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field
