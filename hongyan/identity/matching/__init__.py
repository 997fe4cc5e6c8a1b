"""The engine of matching: records, comparisons, weights, pairs, people. Pure but for ``engine``, which holds a DuckDB
in memory; knows no database tables.

record → features (plain columns) → blocking (which pairs) → comparisons (levels) → weights (learned or shipped) →
probability → clusters.
"""
