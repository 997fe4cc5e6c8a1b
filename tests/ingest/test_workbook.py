"""Workbooks: real ones are read as text with their row numbers, hostile ones are refused before they cost anything."""

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.preview import look
from hongyan.ingest.files.types import Dialect
from hongyan.ingest.files.workbook import copy_sheet


def workbook(rows: list[list[object]], **sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def copied(data: bytes, sheet: str = "") -> list[tuple[int, object]]:
    out = bytearray()
    copy_sheet(io.BytesIO(data), sheet, out.extend)
    return list(DelimitedReader(io.BytesIO(bytes(out)), Dialect(from_workbook=True)).rows())


def test_values_become_text_and_rows_keep_their_numbers() -> None:
    data = workbook(
        [
            ["姓名", "生日", "分数", "会员", "备注"],
            ["王小明", date(1990, 5, 1), 12.0, True, "两行\n备注"],
            [],
            ["李雷", datetime(2024, 2, 29, 13, 5), 1.5, False],  # noqa: DTZ001 - sheets know no zones
            ["韩梅梅", None, 13800138000, None, '=HYPERLINK("http://x")'],
        ]
    )
    assert copied(data) == [
        (2, ["王小明", "1990-05-01", "12", "true", "两行\n备注"]),
        (4, ["李雷", "2024-02-29 13:05:00", "1.5", "false", ""]),
        (5, ["韩梅梅", "", "13800138000", "", ""]),  # a formula without a stored result has no value
    ]


def test_the_preview_names_the_sheets_and_reads_the_chosen_one() -> None:
    data = workbook([["a"], ["1"]], 第二张=[["b"], ["2"]])
    assert look(io.BytesIO(data)).sheets == ("Sheet", "第二张")
    assert look(io.BytesIO(data), sheet="第二张").rows == [(2, ["2"])]
    assert copied(data, "第二张") == [(2, ["2"])]


def patched(data: bytes, name: str, change: "object") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            body = old.read(entry)
            new.writestr(entry.filename, change(body) if entry.filename == name else body)  # type: ignore[operator]
    return buffer.getvalue()


SIMPLE = workbook([["name", "email"], ["A", "a@x.example"]])
SHEET = "xl/worksheets/sheet1.xml"


def bomb() -> bytes:
    buffer = io.BytesIO(SIMPLE)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/big", "w") as entry:
        for _ in range(64):
            entry.write(bytes(1 << 20))
    return buffer.getvalue()


def many_entries() -> bytes:
    buffer = io.BytesIO(SIMPLE)
    with zipfile.ZipFile(buffer, "a") as archive:
        for number in range(2_100):
            archive.writestr(f"xl/x{number}", b"")
    return buffer.getvalue()


def entities(body: bytes) -> bytes:
    return body.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet', 1)


def late_entities(body: bytes) -> bytes:
    comment = b"<!--" + b"x" * 70_000 + b"-->"
    declared = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet'
    return body.replace(b"<worksheet", comment + declared, 1)


def plain_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../x.csv", "a,b\n1,2\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (bomb(), {"workbook_bomb"}),
        (many_entries(), {"workbook_bomb"}),
        (patched(SIMPLE, SHEET, entities), {"workbook_entities"}),
        (patched(SIMPLE, SHEET, late_entities), {"workbook_entities", "workbook_damaged"}),
        (patched(SIMPLE, SHEET, lambda body: body[:200]), {"workbook_damaged"}),
        (patched(SIMPLE, "xl/workbook.xml", lambda _: b"not xml"), {"workbook_damaged"}),
        (SIMPLE[: len(SIMPLE) // 2], {"workbook_damaged"}),
        (plain_zip(), {"file_zip"}),
        (workbook([]), {"file_empty"}),
        (workbook([["only", "header"]]), {"file_header_only"}),
        (workbook([[f"c{n}" for n in range(501)], ["x"]]), {"too_many_columns"}),
    ],
)
def test_hostile_workbooks_are_refused(data: bytes, codes: set[str]) -> None:
    with pytest.raises(FileRefused) as refused:
        look(io.BytesIO(data))
    assert refused.value.code in codes


def test_a_declared_size_of_the_whole_sheet_costs_nothing() -> None:
    def claim(body: bytes) -> bytes:
        return body.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')

    data = patched(SIMPLE, SHEET, claim)
    assert b"XFD1048576" in zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    assert copied(data) == [(2, ["A", "a@x.example"])]


def test_a_workbook_called_csv_is_still_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(SIMPLE)
    with path.open("rb") as file:
        assert look(file).dialect.from_workbook
