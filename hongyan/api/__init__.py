"""The public JSON API (django-ninja), under /api/v1. Thin: parse, call the service the pages call, answer.

Keys of limited scope; lists by cursor; ``Idempotency-Key`` on every POST; errors as problem+json (RFC 9457) in the
caller's language, with a JSON pointer to the part that is wrong.
"""
