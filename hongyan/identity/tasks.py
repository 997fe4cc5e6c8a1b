"""Background work of this room."""

from hongyan.identity import tasks_matching, tasks_merging

__all__ = ["tasks_matching", "tasks_merging"]  # registers its kinds and periodic work
