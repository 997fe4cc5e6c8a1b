from collections.abc import Sequence

from hongyan.content.types import Problem


class ContentProblem(Exception):
    """The draft cannot become a mail: every reason with its place; the first one's are the error's own."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.message)
        self.problems = tuple(problems)
        self.line, self.column, self.code, self.message = first.line, first.column, first.code, first.message


class RenderRefused(Exception):
    """One person's mail cannot be made; others' can. ``code`` is the named reason delivery records."""

    code = "render_failed"


class EmptyValue(RenderRefused):
    """A field this mail prints is empty for this person, and has no fallback."""

    code = "empty_value"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class BadLink(RenderRefused):
    """A link made from this person's data does not lead to a web address."""

    code = "bad_link"

    def __init__(self, field: str = "") -> None:
        super().__init__(field)
        self.field = field


class OutputTooLarge(RenderRefused):
    """The finished mail is larger than any mailbox should get."""

    code = "too_large"


class EditConflict(Exception):
    """Somebody else saved this since it was opened."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class NameTaken(Exception):
    """Another one of that name or key exists."""


class SnippetInUse(Exception):
    """Templates still include the snippet."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class NotFound(Exception):
    """There is no such template, version or snippet."""
