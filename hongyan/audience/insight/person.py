"""One person and all saved audiences: which they are in, and since when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.emit import emit_among
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.errors import BadTree
from hongyan.audience.models import AudienceVersion, SavedAudience
from hongyan.audience.models_membership import Member
from hongyan.audience.segments import checked
from hongyan.core import clock

MOST: Final = 200  # audiences asked in one statement
_NAMES = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Belonging:
    """inside: None where the definition is no longer right. since: known of followed audiences only."""

    audience: SavedAudience
    inside: bool | None
    since: datetime | None


def belongings(
    *, actor: Actor, contact_id: int, versions: Sequence[AudienceVersion], catalogue: Catalogue
) -> list[Belonging]:
    """In the order given; two questions for all of them."""
    actor.require(Permission.CONTACT_VIEW)
    now = clock.now()
    asked = list(versions)[:MOST]
    texts: list[str] = []
    params: dict[str, Any] = {}
    places: list[int] = []
    for place, version in enumerate(asked):
        try:
            node = rewrite(checked(version.tree, catalogue=catalogue), catalogue)
        except BadTree:
            continue
        members = emit_among(node, catalogue, now=now, contact_ids=[contact_id])
        places.append(place)
        # Each statement has its values under names of its own.
        own = _NAMES.sub(rf"%(v{place}_\1)s", members.text)
        texts.append(f"EXISTS ({own})")
        params |= {f"v{place}_{name}": value for name, value in members.params.items()}
    answers = rows.query(f"SELECT {', '.join(texts)}", params)[0] if texts else ()
    inside = dict(zip(places, answers, strict=True))
    since = dict(Member.objects.filter(contact_id=contact_id).values_list("audience_id", "since"))
    return [
        Belonging(version.audience, inside.get(place), since.get(version.audience_id) if inside.get(place) else None)
        for place, version in enumerate(asked)
    ]
