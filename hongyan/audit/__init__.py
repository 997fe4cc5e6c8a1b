"""Append-only, hash-chained record of who did what: no entry is altered, removed or slipped in unnoticed.

``services.record`` writes an entry inside the caller's transaction and blocks nobody. ``services.seal`` (every minute)
gives committed entries their place in one SHA-256 chain; ``services.verify`` recomputes it. Whoever keeps a
``chain_head`` elsewhere can also tell that the newest entries are still there.
"""
