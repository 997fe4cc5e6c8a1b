"""Word catalogues of both languages: ``collect`` from the sources, ``check`` completeness, ``compile`` for run time.

English is the language of the sources; every room keeps its Chinese in ``locale/zh_Hans``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree, ignore_patterns

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


def collect(root: Path = ROOT) -> int:
    for room in rooms():
        home = root / room.relative_to(ROOT)
        nested = [f"{path.parent.relative_to(home)}/*" for path in home.rglob("apps.py") if path.parent != home]
        ignores = [argument for pattern in nested for argument in ("-i", pattern)]
        (home / "locale").mkdir(exist_ok=True)
        command = [sys.executable, str(ROOT / "manage.py"), "makemessages", "-l", "zh_Hans"]
        command += ["--no-location", "--no-wrap", "--no-obsolete", *ignores]
        subprocess.run(command, cwd=home, check=True, capture_output=True)  # noqa: S603  our own interpreter
    return 0


def check() -> int:
    """Collect into a copy and compare: nothing may be missing, fuzzy, left over or empty."""
    import polib

    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        copytree(ROOT / "hongyan", Path(folder) / "hongyan", ignore=ignore_patterns("build", "__pycache__", "*.mo"))
        collect(Path(folder))
        for room in rooms():
            name = str(room.relative_to(ROOT))
            fresh_file = Path(folder) / name / CATALOGUE
            if not fresh_file.exists():
                continue
            problems += [
                f"{name}: no Chinese for {entry.msgid[:80]!r}"
                for entry in polib.pofile(str(fresh_file))
                if not entry.obsolete and (entry.fuzzy or not entry.translated())
            ]
    print("\n".join(problems) or "Both languages are complete.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit({"compile": compile_all, "collect": collect, "check": check}[sys.argv[1]]())
