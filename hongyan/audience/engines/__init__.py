"""Who fulfils a segment, asked of everybody at once: the same answer from PostgreSQL, DuckDB or Spark.

Nouns: a *leaf* is a condition that one statement answers; its answer is a set of dense contact ids, held as *bits*.
And, or and not work on bits, so a condition that stands in many places is asked once, and counting every part of a
tree costs hardly more than counting the tree (``ask.ask_many``). A *reader* runs statements on one engine: DuckDB in
this process or Spark through Spark Connect, both over the files of ``events.history`` and ``audience.population``.
What files cannot say exactly (a property that has no column yet, what the things of a list are, a number too long for
a decimal) PostgreSQL answers for that leaf, in the same snapshot.
Promises: every engine means what ``compiler.evaluate`` means, as of one PostgreSQL snapshot, whatever the lag of the
files.
"""
