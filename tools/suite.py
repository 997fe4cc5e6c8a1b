"""The whole suite in two halves side by side: what drives a browser or waits for processes it killed, and the rest,
which fills the other core meanwhile. Each half has a database and a folder of its own.

    python -m tools.suite [what pytest understands]
"""

import subprocess
import sys
import tempfile
import time

NO_TESTS = 5  # pytest's answer where nothing was chosen
HALVES = ("not browser and not fault", "browser or fault")


def main(arguments: list[str]) -> int:
    """The worse of the two answers. The first half is seen while it runs, the second when both are done."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as later:
        seen = subprocess.Popen(_command(HALVES[0], arguments))  # noqa: S603
        kept = subprocess.Popen(_command(HALVES[1], arguments), stdout=later, stderr=subprocess.STDOUT)  # noqa: S603
        answers = [half.wait() for half in (seen, kept)]
        later.seek(0)
        print(f"\n——— {HALVES[1]}\n{later.read()}")
    print(f"Both halves in {time.monotonic() - began:.0f} s")
    return max(0 if answer == NO_TESTS else abs(answer) for answer in answers)


def _command(marked: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-m", marked, *arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
