"""Ground floor: clock, ids, money, typed environment, crypto, signed tokens, SQL files, batching.

Owns the key ring (``DataKey``). Knows nothing of contacts or mail; every other room may import from here.
"""
