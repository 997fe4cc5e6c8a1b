"""The fact log: what happened, to whom, when. Owns ``Event`` (monthly partitions) and the cursors readers keep."""
