from collections.abc import Mapping, Sequence

from hongyan.audience.types import Problem, TextProblem, Use


class BadTree(Exception):
    """The description of an audience is wrong; ``problems`` say where and what."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path or '/'} {problem.code}" for problem in problems))
        self.problems = tuple(problems)


class BadText(Exception):
    """The text form of an audience cannot be read; ``problems`` say where and what."""

    def __init__(self, *problems: TextProblem) -> None:
        super().__init__("; ".join(f"{problem.span.start} {problem.code}" for problem in problems))
        self.problems = problems


class BadValue(Exception):
    """A name or setting cannot be stored. field: which; message: why, in the reader's words."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class RuleDecides(BadValue):
    """A published rule decides who holds the tag; nobody gives or takes it by hand."""


class Frozen(BadValue):
    """The list is a snapshot; nobody is put on it or taken off."""


class NotFound(Exception):
    """There is no such tag, group, list or audience."""


class InUse(Exception):
    """Something depends on what was to be deleted. by_key: of several, what depends on which."""

    def __init__(self, uses: Sequence[Use], *, by_key: Mapping[str, Sequence[Use]] | None = None) -> None:
        super().__init__(f"{len(uses)} uses")
        self.uses = tuple(uses)
        self.by_key = dict(by_key or {})


class HoldsSeveral(Exception):
    """The group cannot become exclusive: these many contacts hold more than one of its tags."""

    def __init__(self, contacts: int) -> None:
        super().__init__(f"{contacts} contacts")
        self.contacts = contacts
