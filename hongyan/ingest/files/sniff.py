"""What a file really is, by its first bytes; its name and Content-Type prove nothing."""

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.types import FileKind

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and every password-protected .xlsx (MS-OFFCRYPTO)
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")

# Signatures of things people upload by mistake; names are shown in the message.
_FOREIGN = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PAR1", "Parquet"),
    (b"SQLite format 3", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
    (b"{\\rtf", "RTF"),
)


def sniff(head: bytes) -> FileKind:
    """head: the first 64 KiB (or all of a smaller file). Raises FileRefused when it is no table."""
    if not head:
        raise FileRefused("file_empty")
    if head.startswith(_OLE):
        raise FileRefused("file_protected" if _ENCRYPTED_STREAM in head else "file_xls")
    if head.startswith(b"PK\x03\x04"):
        return FileKind.WORKBOOK
    if head.startswith((b"PK\x05\x06", b"PK\x07\x08")):
        raise FileRefused("file_zip")
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise FileRefused("file_foreign", kind=name)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<script")):
        raise FileRefused("file_foreign", kind="HTML/XML")
    if start.startswith((b"{", b"[{")):
        raise FileRefused("file_foreign", kind="JSON")
    return FileKind.DELIMITED
