"""What can go wrong when people are merged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongyan.identity.models_merging import Merge


class MergeRefused(Exception):
    """These two cannot be merged. ``code``: same (one record given twice), choices (no such field or side)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AlreadyMerged(MergeRefused):
    """The two are one record already, or one of them was merged into somebody else meanwhile."""

    def __init__(self) -> None:
        super().__init__("already")


class UnmergeRefused(Exception):
    """A merge cannot be taken back. ``code``: undone | erased | newer_first | identifier_taken | unknown.

    blockers (newer_first): the merges made on top of it, newest first.
    """

    def __init__(self, code: str, blockers: Sequence["Merge"] = ()) -> None:
        super().__init__(code)
        self.code, self.blockers = code, tuple(blockers)


class CandidateGone(Exception):
    """Somebody else decided about the pair meanwhile, or one of the two no longer exists."""


class RuleRefused(Exception):
    """A rule of survivorship cannot be like this. ``code``: field | rule | sources"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
