"""Reading delimited files: dialects, faults with exact places, and resuming from any chunk."""

import csv
import io
import itertools
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.dialect import guess
from hongyan.ingest.files.encoding import detect
from hongyan.ingest.files.preview import look
from hongyan.ingest.files.types import Dialect, FaultCode, RowFault

CHINESE = "姓名,邮箱,城市\n王小明,wang@example.com,上海\n欧阳娜娜,ouyang@example.org,乌鲁木齐\n" * 3
TRADITIONAL = "姓名,郵箱,城市\n陳大文,chan@example.com,臺北市\n黃麗華,wong@example.org,高雄市\n" * 3
JAPANESE = "氏名,メール,都市\n山田太郎,yamada@example.jp,とうきょう\n佐藤ハナコ,sato@example.jp,よこはま\n" * 3
WESTERN = "Name;Email;City\nJosé Müller;jose@example.com;Zürich\nÅsa Öberg;asa@example.org;Malmö\n" * 3


def read(data: bytes, dialect: Dialect | None = None) -> list[tuple[int, "list[str] | RowFault"]]:
    return list(DelimitedReader(io.BytesIO(data), dialect or guess(data)).rows())


def faults(data: bytes, dialect: Dialect | None = None) -> list[tuple[int, FaultCode]]:
    return [(line, row.code) for line, row in read(data, dialect) if isinstance(row, RowFault)]


@pytest.mark.parametrize(
    ("text", "codec", "expected"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8"),
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gbk", "gb18030"),
        (CHINESE, "utf-16", "utf-16-le"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "utf-16-be", "utf-16-be"),
        (CHINESE, "utf-32", "utf-32-le"),
        (TRADITIONAL, "big5", "big5hkscs"),
        (JAPANESE, "shift-jis", "cp932"),
        (WESTERN, "cp1252", "cp1252"),
        ("a,b\n1,2\n", "ascii", "utf-8"),
    ],
)
def test_encodings_are_detected_and_read_without_mojibake(text: str, codec: str, expected: str) -> None:
    data = text.encode(codec)
    assert detect(data) == expected
    rows = read(data)
    delimiter = ";" if ";" in text else ","
    assert rows[0][1] == text.splitlines()[1].split(delimiter)


def test_big_endian_mark_and_resume_offsets_in_wide_files() -> None:
    data = b"\xfe\xff" + CHINESE.encode("utf-16-be")
    reader = DelimitedReader(io.BytesIO(data), guess(data))
    chunks = list(reader.chunks(2))
    again = DelimitedReader(io.BytesIO(data), guess(data), start=chunks[0].end)
    assert [row for chunk in chunks[1:] for row in chunk.rows] == list(again.rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    text = end.join(
        delimiter.join(row)
        for row in (["姓名", "email", "note"], ["王", "a@x.example", "hi"], ["李", "b@x.example", "ho"])
    )
    assert read(text.encode()) == [(2, ["王", "a@x.example", "hi"]), (3, ["李", "b@x.example", "ho"])]


def test_sep_line_of_spreadsheets_is_obeyed() -> None:
    assert read(b"sep=;\r\nname;email\r\nA,B;a@x.example\r\n") == [(3, ["A,B", "a@x.example"])]


def test_line_numbers_are_physical_after_quoted_newlines_and_blank_lines() -> None:
    data = b'name,note\r\nA,"one\r\ntwo\r\nthree"\r\n\r\nB,x\r\n'
    assert read(data) == [(2, ["A", "one\r\ntwo\r\nthree"]), (6, ["B", "x"])]


def test_bad_lines_are_faults_with_byte_offsets_and_the_rest_is_read() -> None:
    good = "姓名,城市\n王,上海\n".encode()
    bad = "李,北京\n".encode("gb18030")
    data = good + bad + "赵,广州\n".encode() * 20
    rows = read(data)
    fault = rows[1][1]
    assert isinstance(fault, RowFault)
    assert (rows[1][0], fault.code, fault.offset) == (3, FaultCode.BAD_ENCODING, len(good))
    assert len(rows) == 22
    assert rows[2] == (4, ["赵", "广州"])


def test_offsets_count_the_byte_order_mark() -> None:
    data = b"\xef\xbb\xbfname,x\na,\xff\n" + b"b,c\n" * 20
    fault = read(data, Dialect())[0][1]
    assert isinstance(fault, RowFault)
    assert data[fault.offset or 0] == 0xFF


def test_nul_ragged_and_long_cells() -> None:
    data = b"a,b,c\n1,2\x00,3\n1,2\n1,2,3,4\n1,2,3,,\n1," + b"x" * 40_000 + b",3\n4,5,6\n"
    rows = read(data)
    assert [(line, row.code if isinstance(row, RowFault) else row) for line, row in rows] == [
        (2, FaultCode.NUL_CHARACTER),
        (3, FaultCode.TOO_FEW_CELLS),
        (4, FaultCode.TOO_MANY_CELLS),
        (5, ["1", "2", "3"]),
        (6, FaultCode.FIELD_TOO_LONG),
        (7, ["4", "5", "6"]),
    ]
    assert isinstance(rows[0][1], RowFault)
    assert rows[0][1].column == 1


def test_unclosed_quotes_reject_one_line_each() -> None:
    data = b'a,b\n1,"never closed\n' + b"2,ok\n" * 3000
    found = faults(data)
    assert found == [(2, FaultCode.UNCLOSED_QUOTE)]
    assert len(read(data)) == 3001
    assert faults(b'a,b\n1,2\n3,"open at the end\n') == [(3, FaultCode.UNCLOSED_QUOTE)]


def test_a_file_full_of_broken_quotes_is_refused_not_read_for_ever() -> None:
    data = b"a,b\n" + b'5"x,"\n' * 600_000
    with pytest.raises(FileRefused) as refused:
        for _ in DelimitedReader(io.BytesIO(data), Dialect()).rows():
            pass
    assert refused.value.code == "quotes_broken"


def test_one_endless_line_costs_one_row_and_little_memory() -> None:
    data = b"a,b\n1,2\n" + b"x" * 20_000_000 + b",1\n3,4\n"
    rows = read(data, Dialect())
    assert rows[0] == (2, ["1", "2"])
    assert isinstance(rows[1][1], RowFault)
    assert rows[-1] == (4, ["3", "4"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"\n\n\n", "file_empty"),
        (b"name,email\n", "file_header_only"),
        (b"\xef\xbb\xbfname,email\r\n\r\n", "file_header_only"),
        (",".join(f"c{n}" for n in range(501)).encode() + b"\n1\n", "too_many_columns"),
        (b"%PDF-1.7 ...", "file_foreign"),
        (b"\x1f\x8b\x08\x00", "file_foreign"),
        (b"<html><body><table>", "file_foreign"),
        (b'[{"name": "x"}]', "file_foreign"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "file_xls"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 99 + "EncryptedPackage".encode("utf-16-le"),
            "file_protected",
        ),
    ],
)
def test_files_that_are_no_table_are_refused_with_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        look(io.BytesIO(data))
    assert refused.value.code == code


def test_five_hundred_columns_are_fine() -> None:
    data = ",".join(f"c{n}" for n in range(500)).encode() + b"\n" + b"," * 498 + b"x,y\n"
    assert len(look(io.BytesIO(data)).header) == 500


def test_a_first_row_of_values_is_data() -> None:
    preview = look(io.BytesIO(b"Wang,wang@example.com\nLi,li@example.com\n"))
    assert not preview.dialect.has_header
    assert [row for _, row in preview.rows] == [["Wang", "wang@example.com"], ["Li", "li@example.com"]]


CELL = st.text(
    alphabet=st.one_of(
        st.sampled_from(list('"\n\r,;\t| ') + list(string.ascii_letters)),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    ),
    max_size=12,
)


@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16-le", "utf-16-be"]),
    size=st.integers(1, 5),
)
def test_any_written_dialect_reads_back_and_resumes_anywhere(
    rows: list[list[str]], delimiter: str, end: str, encoding: str, size: int
) -> None:
    buffer = io.StringIO()
    bare_return = any("\r" in cell for row in rows for cell in row)  # Python's writer leaves those unquoted
    if bare_return:
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end)
    writer.writerows([["h1", "h2", "h3"], *rows])
    data = buffer.getvalue().encode(encoding)
    dialect = Dialect(encoding=encoding, delimiter=delimiter)
    chunks = list(DelimitedReader(io.BytesIO(data), dialect).chunks(size))
    flat = [row for chunk in chunks for row in chunk.rows]
    assert [cells for _, cells in flat] == [row for row in rows if any(row)]
    for before, chunk in itertools.pairwise(chunks):
        again = next(iter(DelimitedReader(io.BytesIO(data), dialect, start=before.end).chunks(size)))
        assert (again.rows, again.start) == (chunk.rows, chunk.start)


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "gb18030", "big5hkscs", "cp932", "utf-16-le", "utf-32-be"]))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_refusing(data: bytes, encoding: str) -> None:
    try:
        for line, cells in DelimitedReader(io.BytesIO(b"a,b\n" + data), Dialect(encoding=encoding)).rows():
            assert line >= 1
            assert cells
    except FileRefused:
        pass


def test_line_numbers_agree_with_a_text_editor() -> None:
    random.seed(7)
    lines = ["name,note"]
    expected = []
    for number in range(500):
        expected.append(len(lines) + 1)
        extra = random.randrange(3)
        body = "x\n" * extra
        lines.extend(f'n{number},"{body}y"'.split("\n"))
    rows = read("\n".join(lines).encode(), Dialect())
    assert [line for line, _ in rows] == expected
