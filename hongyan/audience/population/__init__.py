"""The population: a columnar copy of what conditions ask of people beside their events, for questions about everybody.

Nouns: a *chunk* is the contacts of 65,536 neighbouring ids; a *file* holds one chunk of people, or one chunk of the
objects of one kind; the *manifest* (``PopulationFile``) says which files count and as of which transaction each is;
*stale* contacts are those touched since (``contacts.touched``): their rows in files do not count and are read *fresh*.
Promises: files without the stale contacts, together with the fresh rows, are what PostgreSQL says in the asker's
snapshot, whatever the lag (``snapshot.snapshot``). Everything here can be thrown away and is built again. No name,
address or number that identifies somebody stands in a file: only what conditions may compare.
"""
