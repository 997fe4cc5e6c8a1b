"""``hongyan segment count|members|explain|why 'TEXT'``: the text form of an audience from the command line."""

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from hongyan.audience.why.answers import Reason

TextArgument = Annotated[str, typer.Argument(help="""For example: city = "上海" and did("email_opened") >= 3 in 90d""")]
JsonOption = Annotated[bool, typer.Option("--json", help="The JSON tree instead of words")]


def segment_count(text: TextArgument) -> None:
    """How many people a description means, exactly."""
    from hongyan.accounts.types import system_actor
    from hongyan.audience import selectors

    typer.echo(selectors.count(actor=system_actor("command line"), tree=_tree(text)))


def segment_members(
    text: TextArgument, limit: Annotated[int, typer.Option(help="At most so many; 0 for all")] = 0
) -> None:
    """Their public ids, one a line, in order of the contacts' ids."""
    from hongyan.accounts.types import system_actor
    from hongyan.audience.people import member_ids

    for public_id in member_ids(actor=system_actor("command line"), tree=_tree(text), limit=limit or None):
        typer.echo(public_id)


def segment_explain(text: TextArgument, as_json: JsonOption = False) -> None:  # noqa: FBT002 - an option of a command
    """The description as a Chinese and an English sentence."""
    from hongyan.audience import segments

    tree = _tree(text)
    if as_json:
        typer.echo(json.dumps(tree, ensure_ascii=False, indent=2))
        return
    for language in ("zh-hans", "en"):
        typer.echo(segments.explain(tree, language))


def segment_why(
    text: TextArgument,
    contact: Annotated[UUID, typer.Argument(help="The contact's public id")],
    language: Annotated[str, typer.Option(help="zh-hans or en")] = "zh-hans",
) -> None:
    """Whether a contact is meant: each condition with a tick or a cross, and what decided it."""
    from hongyan.accounts.types import system_actor
    from hongyan.audience.why.answers import why
    from hongyan.contacts.errors import ContactNotFound
    from hongyan.contacts.selectors import contact_by_public_id

    actor = system_actor("command line")
    try:
        found, _identity = contact_by_public_id(actor=actor, public_id=contact, audit=False)
    except ContactNotFound:
        typer.echo("There is no such contact.", err=True)
        raise typer.Exit(1) from None
    reason = why(actor=actor, tree=_tree(text), contact_id=found.pk, language=language)
    _show(reason, "")


def _show(reason: "Reason", indent: str) -> None:
    typer.echo(f"{indent}{'✓' if reason.holds else '✗'} {reason.sentence}")
    evidence = reason.evidence
    for event in evidence.events if evidence else ():
        typer.echo(f"{indent}    {event.at.isoformat(timespec='seconds')} {event.name} {event.id}")
    for part in reason.parts:
        _show(part, f"{indent}  ")


def _tree(text: str) -> dict[str, Any]:
    """The tree of the text; otherwise the words that are wrong, marked, and exit code 2."""
    from hongyan.audience import segments
    from hongyan.audience.errors import BadText

    try:
        return segments.from_text(text)
    except BadText as bad:
        for problem in bad.problems:
            span = problem.span
            typer.echo(_marked(text, span.start, span.end), err=True)
            typer.echo(problem.message, err=True)
        raise typer.Exit(2) from None


def _marked(text: str, start: int, end: int) -> str:
    """The line the problem is in, with the words in question between arrows.

    >>> _marked('city = ', 6, 6)
    'city =→←'
    """
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    line_end = len(text) if last < 0 else last
    return f"{text[first:start]}→{text[start:end]}←{text[end:line_end]}".rstrip()
