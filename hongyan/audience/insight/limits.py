"""What rows and columns agree on when they tell how people differ."""

from typing import Final

TAGS: Final = "tags"  # asked for like a field: which tags they hold
VALUES: Final = 300  # of one field; rarer ones are counted together as others
AGES: Final = (7, 30, 90, 365)  # days; times are compared by how long ago they were
FIFTHS: Final = (0.2, 0.4, 0.6, 0.8)
