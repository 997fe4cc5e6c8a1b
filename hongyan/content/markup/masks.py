"""Merge tags stand aside as short marks while markup is worked on, and come back afterwards."""

import re
from collections.abc import Callable
from dataclasses import dataclass

# Printable (mrml escapes what it holds unprintable) and in nobody's habit. The first pair absent from the source wins.
_PAIRS = ("⦗⦘", "⧼⧽", "⦇⦈", "⟬⟭", "⦉⦊", "⦋⦌", "⸨⸩", "⧘⧙")


@dataclass(frozen=True, slots=True)
class Marks:
    opener: str
    closer: str

    @classmethod
    def unused_in(cls, *texts: str) -> "Marks | None":
        """None when a source uses them all, which only happens on purpose."""
        for pair in _PAIRS:
            if not any(character in text for text in texts for character in pair):
                return cls(pair[0], pair[1])
        return None

    def mark(self, number: int) -> str:
        return f"{self.opener}{number}{self.closer}"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(f"{self.opener}([0-9]+){self.closer}")

    def within(self, text: str) -> bool:
        return self.opener in text

    def restore(self, text: str, piece: Callable[[int], str]) -> str:
        return self.pattern.sub(lambda match: piece(int(match.group(1))), text)
