"""Who is the same person: exact keys, probabilistic matching with explained weights, merging that can be undone.

Promises: a merge restores both profiles exactly when undone; consent takes the stricter of two; nothing is merged below
the threshold that the precision target sets; why two records were joined, or a value was chosen, can always be told.
"""
