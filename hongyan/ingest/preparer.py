"""The other side of ``pool``: reads chunks from standard input, writes prepared ones to standard output."""

import gc
import os

from hongyan.ingest.pool import receive, send
from hongyan.ingest.prepare import Plan, Preparer


def main() -> None:
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not break the pipe
    plan = receive(source)
    if not isinstance(plan, Plan):
        return
    # Chunks are many small objects without cycles: looking for cycles every 700 of them is time for nothing.
    gc.set_threshold(100_000, 50, 100)
    preparer = Preparer(plan)
    while (chunk := receive(source)) is not None:
        try:
            send(target, preparer.chunk(chunk))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
