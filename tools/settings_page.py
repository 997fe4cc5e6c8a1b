"""Writes docs/settings.md from the settings themselves; a test holds the two together."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"


def page() -> str:
    import hongyan.config.settings as values
    from hongyan.core.env import settings_table

    lines = ["# Settings", "", "Environment variables; `NAME_FILE` reads the value from a file instead.", ""]
    lines += ["| name | default | what it is |", "|---|---|---|"]
    for setting in settings_table():
        default = setting.default.replace(str(values.BASE_DIR), "…")
        lines.append(f"| `{setting.name}` | {f'`{default}`' if default else 'none'} | {setting.about} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
