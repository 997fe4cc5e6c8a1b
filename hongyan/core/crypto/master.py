"""The master key wraps all data keys. It comes from the environment or from a file that only its owner can read."""

import base64
import binascii
import os
import stat
from pathlib import Path


class MasterKeyProblem(Exception):
    """The master key is missing, malformed or readable by others; the text says the remedy."""


def parse(raw: str) -> bytes:
    """32 bytes from base64 or hex text."""
    raw = raw.strip()
    try:
        key = bytes.fromhex(raw) if len(raw) == 64 else base64.b64decode(raw, validate=True)
    except (ValueError, binascii.Error) as error:
        raise MasterKeyProblem("the master key is neither base64 nor hex") from error
    if len(key) != 32:
        raise MasterKeyProblem(f"the master key must be 32 bytes, not {len(key)}")
    return key


def read_or_create(path: Path) -> bytes:
    """The key in ``path`` (mode 0600), made on first use. Creation is atomic: a crash leaves no half key."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # fails if another process was first: then theirs counts
        except FileExistsError:
            pass
        finally:
            part.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise MasterKeyProblem(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        return parse(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyProblem(f"{path} cannot be read as a key ({type(error).__name__}); restore it") from error
