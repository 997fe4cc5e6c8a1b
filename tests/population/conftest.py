from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from hongyan.audience.population import delta, reading


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    settings.HONGYAN_HISTORY_URL = str(tmp_path / "history")
    delta.forget()
    yield
    delta.forget()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four contacts a chunk, so that few people fill several."""
    monkeypatch.setattr(reading, "CHUNK_BITS", 2)
