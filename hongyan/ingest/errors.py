"""What can go wrong with a file or an import. Codes are stable (API, tests); sentences are made in ``words``."""

from typing import Any


class IngestRefused(Exception):
    """The user can mend it: the code says what, ``params`` fill the sentence; never personal data."""

    status = 422

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class FileRefused(IngestRefused):
    """The file cannot be read at all: wrong kind, empty, protected, a bomb, too many columns."""


class MappingRefused(IngestRefused):
    """The mapping names a column or field that does not exist, is protected, or is used twice."""


class ImportNotReady(IngestRefused):
    """The import lacks a decision (mapping, consent) or is in a state that does not allow the act."""

    status = 409


class ImportBusy(ImportNotReady):
    """Another process works on this import right now."""
