"""Append-only, hash-chained record of who did what: no entry is altered unnoticed. Owns ``AuditEntry``."""
