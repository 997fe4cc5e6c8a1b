"""The front-end build: where Vite put things, and the icons it copied."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Required, TypedDict

from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(settings.PACKAGE_DIR) / "web" / "static" / "build"


class FrontendNotBuilt(Exception):
    """The front end has not been built: run `npm ci && npm run build` (`make run` does it)."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(" ".join(filter(None, (self.__doc__, detail))))


class UnknownIcon(Exception):
    """There is no such icon; names are those of tabler.io/icons (outline)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{self.__doc__} Asked for: {name}")


class Chunk(TypedDict, total=False):
    """One line of Vite's manifest."""

    file: Required[str]
    css: list[str]
    imports: list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


def entry(name: str) -> Entry:
    manifest = _manifest(_stamp(FOLDER / "manifest.json"))
    chunk = manifest.get(f"src/{name}.ts")
    if chunk is None:
        raise FrontendNotBuilt(f"The manifest has no entry {name!r}.")
    styles = list(chunk.get("css", ()))
    preloads: list[str] = []
    for imported in chunk.get("imports", ()):
        preloads.append(manifest[imported]["file"])
        styles.extend(manifest[imported].get("css", ()))
    return Entry(chunk["file"], tuple(styles), tuple(preloads))


def tags(name: str) -> SafeString:
    built = entry(name)
    return mark_safe(  # noqa: S308  put together from escaped parts
        format_html_join("\n", '<link rel="stylesheet" href="{}">', ((_url(path),) for path in built.styles))
        + "\n"
        + format_html_join("\n", '<link rel="modulepreload" href="{}">', ((_url(path),) for path in built.preloads))
        + format_html('\n<script type="module" src="{}"></script>', _url(built.script))
    )


def icon_body(name: str) -> str:
    """The inside of the SVG of one icon."""
    icons = _icons(_stamp(FOLDER / "icons.json"))
    try:
        return icons[name]
    except KeyError:
        raise UnknownIcon(name) from None


def _url(path: str) -> str:
    return static(f"build/{path}")


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        raise FrontendNotBuilt from None


@cache
def _manifest(stamp: int) -> dict[str, Chunk]:  # keyed by stamp: a rebuild is seen at once
    del stamp
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@cache
def _icons(stamp: int) -> dict[str, str]:
    del stamp
    return json.loads((FOLDER / "icons.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


_NAME = re.compile(r"^[a-z0-9-]+$")


def check_icon_name(name: str) -> None:
    if not _NAME.match(name):
        raise UnknownIcon(name)
