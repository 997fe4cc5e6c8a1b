"""Entries name staff and the ids of what they acted on, never data of contacts; they cannot be erased, by design.

An export of a person's data may quote the entries about them (``selectors.audit_of_subject``).
"""

HOLDS_PEOPLE: tuple[str, ...] = ()
KEPT = {"audit.AuditEntry": "for good; the chain would break"}
