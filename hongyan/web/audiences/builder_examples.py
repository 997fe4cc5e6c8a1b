"""What a new audience can begin with: the ready segments, as far as this installation can speak of them."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.ready import READY
from hongyan.audience.segments import check
from hongyan.core import clock


def examples(catalogue: Catalogue, language: str) -> list[dict[str, Any]]:
    now = clock.now()
    with translation.override(language):
        return [
            {"name": segment.name(language), "about": gettext(segment.hint), "tree": tree}
            for segment in READY
            if not check(tree := segment.tree(now, topics=catalogue.topics), catalogue=catalogue)
        ]
