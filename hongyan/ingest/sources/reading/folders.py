"""Which folders of this server sources may look into: those that the server's administrator named, and no others."""

from pathlib import Path

from django.conf import settings

from hongyan.ingest.sources.errors import SourceRefused


def roots() -> list[Path]:
    named = [Path(part) for part in settings.HONGYAN_SOURCE_FOLDERS.split(":") if part.strip()]
    if named:
        return [path.resolve() for path in named]
    return [(settings.HONGYAN_DATA_DIR / "incoming").resolve()]


def inside(path: str) -> Path:
    """The path with all links followed. Raises SourceRefused outside the allowed folders."""
    wanted = Path(path)
    if not wanted.is_absolute():
        wanted = roots()[0] / wanted
    found = wanted.resolve()
    if not any(found == root or root in found.parents for root in roots()):
        raise SourceRefused("folder_not_allowed", folders=", ".join(map(str, roots())))
    return found
