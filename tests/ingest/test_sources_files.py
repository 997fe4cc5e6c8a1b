"""Files in a folder and in a bucket: only new and changed ones, each row once."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from hongyan.contacts.models import Contact
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source, SourceFile
from hongyan.ingest.sources import runner
from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.types import RunState, SourceKind
from tests.ingest.source_factory import begin, emails, run, source

pytestmark = pytest.mark.django_db
HEADER = "email,name,city\n"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.HONGYAN_SOURCE_FOLDERS = str(tmp_path / "in")
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def of(folder: Path, pattern: str = "*") -> Source:
    return source(SourceKind.FILES, {"url": str(folder), "pattern": pattern})


def csv(*addresses: str) -> str:
    return HEADER + "".join(f"{address},王小,上海\n" for address in addresses)


class TestFolder:
    def test_new_and_changed_files_only(self, folder: Path) -> None:
        (folder / "a.csv").write_text(csv("a@example.cn", "b@example.cn"))
        made = of(folder, "*.csv")
        assert run(made).created == 2
        assert run(made).read == 0
        (folder / "b.csv").write_text(csv("c@example.cn"))
        os.utime(folder / "b.csv", (1_000_000_000, 1_000_000_000))  # copied with its old time: still new here
        assert run(made).created == 1
        (folder / "a.csv").write_text(csv("a@example.cn", "b@example.cn", "d@example.cn"))
        again = run(made)
        assert (again.read, again.created, again.unchanged) == (3, 1, 2)
        assert (folder / "a.csv").exists()

    def test_every_format_and_encoding(self, folder: Path) -> None:
        (folder / "gb.csv").write_bytes("邮箱;姓名\ngb@example.cn;李雷\n".encode("gb18030"))
        (folder / "l.jsonl").write_text('{"email": "j@example.cn", "address": {"city": "北京"}}\nnot json\n')
        pq.write_table(pa.table({"email": ["q@example.cn"], "city": ["广州"]}), folder / "p.parquet")
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["email", "name"])
        sheet.append(["x@example.cn", "韩梅梅"])
        book.save(folder / "x.xlsx")
        made = of(folder)
        Source.objects.filter(pk=made.pk).update(columns=["email", "邮箱"], mapping={"email": "email"})
        done = run(made)
        assert (done.read, done.quarantined) == (5, 2)
        assert emails() == ["j@example.cn", "q@example.cn", "x@example.cn"]
        assert set(QuarantinedRecord.objects.values_list("reason", flat=True)) == {"not_json", "key_missing"}

    def test_a_run_that_dies_inside_a_file_goes_on_there(self, folder: Path) -> None:
        (folder / "big.csv").write_text(csv(*(f"p{n}@example.cn" for n in range(2_500))))
        made = of(folder)
        begun = begin(made)

        def die(read: int) -> None:
            if read == 1_000:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            runner.source_run(begun.pk, die)
        assert SourceFile.objects.get().rows == 1_000
        runner.source_run(begun.pk, lambda _read: None)
        begun.refresh_from_db()
        assert (begun.read, begun.created, Contact.objects.count()) == (2_500, 2_500, 2_500)

    def test_a_folder_that_was_not_opened_and_links_out_of_one(self, folder: Path, tmp_path: Path) -> None:
        for wanted in (tmp_path, Path("/etc"), folder / ".." / "other"):
            with pytest.raises(SourceRefused):
                of(wanted)
        secret = tmp_path / "secret.csv"
        secret.write_text(csv("secret@example.cn"))
        (folder / "link.csv").symlink_to(secret)
        (folder / "a.csv").write_text(csv("a@example.cn"))
        run(of(folder))
        assert emails() == ["a@example.cn"]

    def test_a_broken_workbook_stops_the_run_with_its_name(self, folder: Path) -> None:
        (folder / "a.csv").write_text(csv("a@example.cn"))
        made = of(folder)
        (folder / "z.xlsx").write_bytes(b"PK\x03\x04 this is no workbook")
        done = run(made)
        assert (done.state, done.error_detail) == (RunState.FAILED, "z.xlsx")
        assert emails() == ["a@example.cn"]

    def test_nothing_is_left_behind(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        (folder / "a.csv").write_text(csv("a@example.cn"))
        run(of(folder))
        assert (list(home.iterdir()), [path.name for path in folder.iterdir()]) == ([], ["a.csv"])


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, Any]]:
    """A server that speaks S3 over HTTP, with one bucket."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    client.create_bucket(Bucket="incoming")
    yield {"client": client, "url": url}
    server.stop()


class TestBucket:
    def place(self, bucket: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "url": "s3://incoming/shop",
            "pattern": "**/*.csv",
            "endpoint_url": bucket["url"],
            "key_id": "k",
            "private": True,
            **more,
        }

    def test_new_files_only(self, bucket: dict[str, Any]) -> None:
        put = bucket["client"].put_object
        put(Bucket="incoming", Key="shop/2026/a.csv", Body=csv("a@example.cn", "b@example.cn").encode())
        put(Bucket="incoming", Key="shop/readme.txt", Body=b"nothing")
        made = source(SourceKind.FILES, self.place(bucket), secrets={"secret": "s"})
        assert run(made).created == 2
        put(Bucket="incoming", Key="shop/2026/b.csv", Body=csv("c@example.cn").encode())
        done = run(made)
        assert (done.read, done.created, emails()) == (1, 1, ["a@example.cn", "b@example.cn", "c@example.cn"])
        client = bucket["client"].get_object(Bucket="incoming", Key="shop/2026/a.csv")
        assert io.BytesIO(client["Body"].read()).getvalue() == csv("a@example.cn", "b@example.cn").encode()

    def test_a_private_endpoint_needs_the_administrator_s_word(self, bucket: dict[str, Any]) -> None:
        with pytest.raises(SourceFailed) as failed:
            source(SourceKind.FILES, self.place(bucket, private=False), secrets={"secret": "s"})
        assert failed.value.code == "address_private"
