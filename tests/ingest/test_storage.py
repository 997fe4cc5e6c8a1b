import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hongyan.ingest.storage import SealedReader, StoredFileBroken, new_key, store

MIB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 77])
def test_what_was_stored_is_read_back_from_anywhere(tmp_path: Path, size: int) -> None:
    key, data = new_key(), random.Random(size).randbytes(size)
    path = tmp_path / "x"
    assert store(path, key, (data[start : start + 70_001] for start in range(0, size, 70_001))) == size
    with SealedReader(path, key) as reader:
        assert reader.size == size
        assert reader.read() == data
        for _ in range(20):
            start = random.Random(size).randrange(size + 1)
            reader.seek(start)
            assert reader.read(100_000) == data[start : start + 100_000]
        assert reader.seek(0, 2) == size


def test_files_are_private_and_not_readable_as_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "imports" / "x"
    store(path, new_key(), [b"wang@example.com" * 100])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"wang@" not in path.read_bytes()


@pytest.mark.parametrize("damage", ["cut", "flip", "swap", "key"])
def test_damage_is_noticed(tmp_path: Path, damage: str) -> None:
    key, path = new_key(), tmp_path / "x"
    store(path, key, [b"a" * MIB, b"b" * MIB, b"c" * 10])
    raw, frame = bytearray(path.read_bytes()), MIB + 28
    if damage == "cut":
        raw = raw[: 2 * frame]
    elif damage == "flip":
        raw[500] ^= 1
    elif damage == "swap":
        raw[:frame], raw[frame : 2 * frame] = raw[frame : 2 * frame], raw[:frame]
    else:
        key = new_key()
    path.write_bytes(raw)
    with SealedReader(path, key) as reader, pytest.raises(StoredFileBroken):
        reader.read()


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store(tmp_path / "x", new_key(), broken())
    assert list(tmp_path.iterdir()) == []
