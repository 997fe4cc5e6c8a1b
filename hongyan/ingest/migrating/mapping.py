"""The mapping of a recognised export: its own knowledge first, the general guess for the rest. Pure."""

from collections.abc import Mapping, Sequence

from hongyan.ingest.mapping import CUSTOM
from hongyan.ingest.migrating.recognise import Recipe


def mapping_of(recipe: Recipe, guessed: Sequence[str], custom: Mapping[str, str]) -> list[str]:
    """No field twice. Columns that speak of consent and past are not fields, whatever their names look like."""
    spoken = {*recipe.roles.values(), *recipe.left_out}
    own = {extra.column: CUSTOM + extra.key for extra in recipe.extras if extra.key in custom}
    taken = {target for target in recipe.targets if target} | set(own.values())
    mapping = []
    for place, target in enumerate(recipe.targets):
        if target or place in spoken:
            mapping.append(target)
        elif place in own:
            mapping.append(own[place])
        elif guessed[place] and guessed[place] not in taken:
            mapping.append(guessed[place])
            taken.add(guessed[place])
        else:
            mapping.append("")
    return mapping
