"""Segment trees: parse → check → rewrite → emit, over small immutable nodes; values in, values out, no database.

parse.py      JSON to nodes, collecting every problem with its place
catalogue.py  what may be spoken of: fields, tags, lists, topics, events, audiences; an argument, never fetched here
check.py      nodes against the catalogue
rewrite.py    other audiences put in place, negation pushed to the leaves, empty nesting removed
emit.py       nodes to PostgreSQL, every value bound
evaluate.py   the slow, obvious meaning, in Python
explain.py    the tree as a sentence
canonical.py  one spelling for each meaning, and its hash
"""
