"""Tags, lists, saved audiences and the segment compiler. Owns the question who belongs to an audience.

Nouns: a ``Tag`` in a ``TagGroup`` (three levels; in an exclusive group a contact has at most one tag), a
``ContactList``, a ``SavedAudience`` with its versions. An audience is described by a JSON tree (docs/segments.md).
tagging/: tags and their rules. standing/: stages and RFM. membership/: who is in which live audience. engines/: who
it is of everybody. population/: people as columns. insight/, why/, suggest/: what pages tell about an audience.
compiler/: JSON → nodes → checked against a catalogue → rewritten → PostgreSQL with bound values; no database touched.
Promises: what is unknown, mistyped or missing in a tree is an error at its place, never "everyone"; the SQL and the
plain Python meaning (compiler/evaluate.py) give the same answer.
"""
