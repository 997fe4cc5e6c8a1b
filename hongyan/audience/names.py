"""Countries and languages as people call them."""

from functools import cache

from babel import Locale, UnknownLocaleError


def name_of_code(kind: str, code: str, language: str) -> str:
    """The name of a country or language code in the reader's language; the code itself when it has none, or when
    ``kind`` is neither."""
    if kind not in {"country", "language"} or not code:
        return code
    return _names(kind, language).get(code.lower() if kind == "language" else code.upper()) or _tag(
        kind, code, language
    )


@cache
def _names(kind: str, language: str) -> dict[str, str]:
    locale = Locale.parse("zh_Hans" if language.startswith("zh") else "en")
    found = locale.territories if kind == "country" else locale.languages
    return {code.lower() if kind == "language" else code: name for code, name in found.items()}


@cache
def _tag(kind: str, code: str, language: str) -> str:
    """Language tags with script or region ("zh-Hans", "pt-BR")."""
    if kind == "country":
        return code
    try:
        name = Locale.parse(code, sep="-").get_display_name("zh_Hans" if language.startswith("zh") else "en")
    except (UnknownLocaleError, ValueError):
        return code
    return name or code
