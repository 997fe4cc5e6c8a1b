"""The history: a columnar copy of everybody's facts, for questions about everybody.

Nouns: a *file* holds one event name in one month, a row a contact with sorted arrays; a *cell* is all files of one name
in one month; the *manifest* (``HistoryFile``) says which files count; the *tail* is what PostgreSQL still answers
itself; *stale* contacts are those whose rows in files are no longer right.
Promises: files plus tail, without the stale contacts' rows in files, are exactly the rows of ``events_event`` that
belong to somebody, in the asker's snapshot, whatever the lag (``snapshot.snapshot``). Everything here can be thrown
away and is built again from PostgreSQL. Nothing that the tracking plan seals or drops, and no name, address or number
that gives itself away, stands in a file.
"""
