"""Where files lie, and copies of them."""

import os
import time
from pathlib import Path

import pyarrow.fs as pafs

from hongyan.events.history.store import Store


def test_copies_of_files_that_are_on_no_list_are_deleted(tmp_path: Path) -> None:
    """Of a bucket: the machine that deletes a file knows nothing of the copies of others."""
    bucket, cache = tmp_path / "bucket", tmp_path / "cache"
    store = Store(pafs.LocalFileSystem(), str(bucket), cache)
    for name in ("listed", "gone", "new"):
        pafs.LocalFileSystem().create_dir(f"{bucket}/2026-01")
        (bucket / "2026-01" / name).write_bytes(b"rows")
        store.local(f"2026-01/{name}")
    long_ago = time.time() - 7200
    for name in ("listed", "gone"):
        os.utime(cache / "2026-01" / name, (long_ago, long_ago))
    assert store.prune({"2026-01/listed"}) == 1
    assert sorted(path.name for path in (cache / "2026-01").iterdir()) == ["listed", "new"]
    assert Store(pafs.LocalFileSystem(), str(bucket)).prune(set()) == 0
    assert (bucket / "2026-01" / "gone").exists()
