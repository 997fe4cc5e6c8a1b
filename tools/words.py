"""Word catalogues of both languages: ``collect`` from the sources, ``check`` completeness, ``compile`` for run time.

English is the language of the sources; every room keeps its Chinese in ``locale/zh_Hans``. At run time all catalogues
become one, so the same English in the same sense (context) must have the same Chinese everywhere.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polib import POEntry

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = Path("locale/zh_Hans/LC_MESSAGES/django.po")


def rooms() -> list[Path]:
    """Every Django app of the product: the folders with an ``apps.py``."""
    return sorted(path.parent for path in (ROOT / "hongyan").rglob("apps.py"))


def compile_all() -> int:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for path in (ROOT / "hongyan").rglob("*.po"):
        with path.open("rb") as file:
            catalogue = read_po(file, locale="zh_Hans")
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
    return 0


def collect(root: Path = ROOT, *, guess: bool = True) -> int:
    """Into the catalogues below ``root``. guess: a changed text keeps the Chinese of a similar one, marked fuzzy."""
    tasks = [(root / room.relative_to(ROOT), guess) for room in rooms()]
    # Each room by a process of its own turn: they share no file, and starting anew for each took most of the time.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_configure) as pool:
        list(pool.map(_collect_room, tasks))
    return 0


def _configure() -> None:
    """What reading sources needs of the settings; the product itself is not loaded."""
    from django.conf import settings

    settings.configure(USE_I18N=True, LOCALE_PATHS=[], MEDIA_ROOT="", STATIC_ROOT="")


def _collect_room(task: tuple[Path, bool]) -> None:
    from django.core.management import call_command
    from django.core.management.commands.makemessages import Command

    home, guess = task
    (home / "locale").mkdir(exist_ok=True)
    os.chdir(home)
    command = Command()
    if not guess:  # most of the time goes into comparing each new text with all others
        command.msgmerge_options = [*command.msgmerge_options, "--no-fuzzy-matching"]
    nested = [f"{path.parent.relative_to(home)}/*" for path in home.rglob("apps.py") if path.parent != home]
    options = {"no_location": True, "no_wrap": True, "no_obsolete": True, "verbosity": 0}
    call_command(command, locale=["zh_Hans"], ignore_patterns=nested, **options)


def check() -> int:
    """Collect into a copy and compare: nothing may be missing, fuzzy or empty, and nothing said in two ways."""
    with tempfile.TemporaryDirectory() as folder:
        copytree(ROOT / "hongyan", Path(folder) / "hongyan", ignore=ignore_patterns("build", "__pycache__", "*.mo"))
        collect(Path(folder), guess=False)
        catalogues = dict(_catalogues(Path(folder)))
    problems = [*chain.from_iterable(missing(name, entries) for name, entries in catalogues.items())]
    problems += disagreeing(catalogues)
    print("\n".join(problems) or "Both languages are complete.")
    return 1 if problems else 0


def missing(room: str, entries: "list[POEntry]") -> Iterator[str]:
    for entry in entries:
        if entry.fuzzy or not entry.translated():
            yield f"{room}: no Chinese for {entry.msgid[:80]!r}"


def disagreeing(catalogues: "dict[str, list[POEntry]]") -> Iterator[str]:
    """The same English in the same sense, and other Chinese: at run time one of the two is seen in both places."""
    said: dict[tuple[str, str], dict[str, list[str]]] = {}
    for room, entries in catalogues.items():
        for entry in entries:
            chinese = entry.msgstr or " | ".join(entry.msgstr_plural.values())
            said.setdefault((entry.msgctxt or "", entry.msgid), {}).setdefault(chinese, []).append(room)
    for (sense, english), ways in sorted(said.items()):
        if len(ways) > 1:
            told = "; ".join(f"{chinese[:40]!r} in {', '.join(places)}" for chinese, places in ways.items())
            yield f"{english[:60]!r}{f' ({sense})' if sense else ''} is said in {len(ways)} ways: {told}"


def _catalogues(root: Path) -> "Iterator[tuple[str, list[POEntry]]]":
    import polib

    for room in rooms():
        name = str(room.relative_to(ROOT))
        path = root / name / CATALOGUE
        if path.exists():
            yield name, [entry for entry in polib.pofile(str(path)) if not entry.obsolete]


if __name__ == "__main__":
    sys.exit({"compile": compile_all, "collect": collect, "check": check}[sys.argv[1]]())
