"""The fact log: what happened, to whom, when.

Nouns: an ``Event`` has a name, a contact, a time it happened and a time it reached us, a source and properties.
Promises: an appended event is committed with its caller's transaction; a repeated ``dedupe_key`` is dropped; readers
with a cursor see every event once, also those of transactions that were slow to commit.
"""
