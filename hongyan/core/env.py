"""The typed environment: every setting of an installation, read once, failing loudly on a malformed value.

``settings_table()`` lists them all; a test asserts that each is documented.
"""

import os
from dataclasses import dataclass
from pathlib import Path


class BadSetting(Exception):
    """A setting has a value that cannot be used; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str
    about: str


_TABLE: dict[str, Setting] = {}


def _register(name: str, default: str, about: str) -> str:
    _TABLE[name] = Setting(name, default, about)
    return given(name, default)


def given(name: str, default: str = "") -> str:
    """The value of one setting, before the settings are there."""
    path = os.environ.get(name + "_FILE")
    if path:  # secrets may come from a file
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE points to a file that cannot be read: {error.strerror}") from error
    return os.environ.get(name, default)


def text(name: str, default: str, about: str) -> str:
    return _register(name, default, about)


def integer(name: str, default: int, about: str, *, low: int = 0, high: int = 2**31) -> int:
    raw = _register(name, str(default), about)
    try:
        value = int(raw)
    except ValueError as error:
        raise BadSetting(f"{name} must be a whole number, not {raw!r}") from error
    if not low <= value <= high:
        raise BadSetting(f"{name} must be between {low} and {high}, not {value}")
    return value


def flag(name: str, about: str, *, default: bool) -> bool:
    raw = _register(name, "1" if default else "0", about).lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off", ""}:
        return False
    raise BadSetting(f"{name} must be 1 or 0, not {raw!r}")


def settings_table() -> list[Setting]:
    return sorted(_TABLE.values(), key=lambda setting: setting.name)
