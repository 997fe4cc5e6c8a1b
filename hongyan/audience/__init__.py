"""Tags, lists, saved audiences and the segment compiler. Owns the question who belongs to an audience.

Nouns: a ``Tag`` in a ``TagGroup`` (three levels; in an exclusive group a contact has at most one tag), a
``ContactList``, a ``SavedAudience`` with its versions. An audience is described by a JSON tree (docs/segments.md).
compiler/: JSON → nodes → checked against a catalogue → rewritten → PostgreSQL with bound values; no database touched.
Promises: what is unknown, mistyped or missing in a tree is an error at its place, never "everyone"; the SQL and the
plain Python meaning (compiler/evaluate.py) give the same answer.
"""
