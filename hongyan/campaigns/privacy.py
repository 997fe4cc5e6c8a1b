"""This room keeps nothing about contacts: audiences are definitions, recipients and engagement are other rooms'.

``Transition`` and ``Campaign.author_ids`` name staff, as records of who decided what.
"""

from collections.abc import Iterator

from hongyan.accounts.types import Actor

TABLES_ABOUT_PEOPLE: tuple[str, ...] = ()


def export(*, actor: Actor, contact_id: int) -> Iterator[object]:
    del actor, contact_id
    return iter(())


def erase(*, contact_id: int) -> int:
    del contact_id
    return 0
