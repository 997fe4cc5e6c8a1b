"""``python -m hongyan.config.follow PARENT COMMAND …``: become COMMAND, and end when the parent ends.

Without it, killing the supervisor would leave web and workers running beside those of the next start.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2); kept across exec

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)  # it ended before we could ask to be told
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  the supervisor names the command
