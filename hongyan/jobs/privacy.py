"""Jobs hold ids and counts only. ``owner`` is a member of staff; ended jobs are forgotten after a year."""

HOLDS_PEOPLE: tuple[str, ...] = ()
KEPT = {"jobs.Job": "365 days after its end", "jobs.Worker": "1 day after its last sign of life"}
