"""Background work of this room."""

from hongyan.identity import tasks_merging

__all__ = ["tasks_merging"]  # registers its kinds and periodic work
