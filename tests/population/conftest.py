from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from django.conf import LazySettings
from django.db import connection
from moto.server import ThreadedMotoServer

from hongyan.audience.population import delta, reading


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(autouse=True, params=["folder", "bucket"])
def _own_place(request: pytest.FixtureRequest, tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    """Everything holds in a folder and in a bucket."""
    settings.HONGYAN_HISTORY_URL = (
        _bucket(request, tmp_path, settings) if request.param == "bucket" else str(tmp_path / "history")
    )
    delta.forget()
    yield
    delta.forget()


def _bucket(request: pytest.FixtureRequest, tmp_path: Path, settings: LazySettings) -> str:
    url, name = request.getfixturevalue("s3"), f"b{abs(hash(tmp_path)):x}"
    boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    ).create_bucket(Bucket=name)
    settings.HONGYAN_DATA_DIR = tmp_path  # copies of the bucket's files
    settings.HONGYAN_HISTORY_S3_KEY, settings.HONGYAN_HISTORY_S3_SECRET = "k", "s"
    return f"s3://{name}/here?region=us-east-1&endpoint={url}"


@pytest.fixture
def small_chunks(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four contacts a chunk, so that few people fill several. They begin at the first: a pass looks at each chunk up to
    the last, and after some thousand tests that were six thousand of nobody."""
    monkeypatch.setattr(reading, "CHUNK_BITS", 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('contacts_contact', 'id'), 1, false)")
