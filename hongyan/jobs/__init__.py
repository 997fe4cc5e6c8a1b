"""Background jobs on procrastinate, with progress and cancel that people can see. Owns ``Job``."""
