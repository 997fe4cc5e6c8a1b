"""Text made from other text that still knows where each piece came from."""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Mapped:
    """text grows piece by piece. A piece copied from the source moves with it; a made piece stands for one place."""

    text: str = ""
    _starts: list[int] = field(default_factory=list)
    _origins: list[tuple[int, bool, str]] = field(default_factory=list)  # source offset, copied?, where (a snippet key)

    def copy(self, piece: str, origin: int, where: str = "") -> None:
        self._add(piece, origin, copied=True, where=where)

    def make(self, piece: str, origin: int, where: str = "") -> None:
        self._add(piece, origin, copied=False, where=where)

    def _add(self, piece: str, origin: int, *, copied: bool, where: str) -> None:
        if piece:
            self._starts.append(len(self.text))
            self._origins.append((origin, copied, where))
            self.text += piece

    def origin(self, offset: int) -> tuple[int, str]:
        """Offset in the source, and the snippet it came from, if any."""
        if not self._starts:
            return 0, ""
        index = max(bisect_right(self._starts, offset) - 1, 0)
        origin, copied, where = self._origins[index]
        return (origin + offset - self._starts[index] if copied else origin), where
