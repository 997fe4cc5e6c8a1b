"""Codes become sentences here, in the reader's language."""

# ruff: noqa: E501 - one sentence a line

from collections.abc import Callable

from django.utils.translation import gettext as _

from hongyan.commerce import words as commerce_words
from hongyan.contacts.errors import problem_text
from hongyan.ingest.errors import IngestRefused

_REFUSALS: dict[str, Callable[[], str]] = {
    "file_empty": lambda: _("The file is empty."),
    "file_header_only": lambda: _("The file has a header but no rows below it."),
    "file_too_large": lambda: _("The file is larger than %(limit)s. Please split it."),
    "file_protected": lambda: _("The workbook is protected by a password. Save it without one and upload it again."),
    "file_xls": lambda: _("This is an old Excel file (.xls). Save it as .xlsx or CSV and upload it again."),
    "file_zip": lambda: _("This is a ZIP archive, not a workbook. Unpack it and upload the table inside."),
    "file_foreign": lambda: _("This is a %(kind)s file, not a table. Upload CSV or XLSX."),
    "workbook_binary": lambda: _("This workbook is in a format that cannot be read (for instance .xlsb). Save it as .xlsx."),
    "workbook_damaged": lambda: _("The workbook is damaged and cannot be read. Open it, save it again and retry."),
    "workbook_bomb": lambda: _("The workbook would unpack to an unreasonable size and was refused."),
    "workbook_entities": lambda: _("The workbook contains XML entity declarations, which no spreadsheet needs; it was refused."),
    "too_many_columns": lambda: _("The file has more than %(limit)s columns. Delete those you do not need."),
    "too_many_rows": lambda: _("The file has more than %(limit)s rows. Please split it."),
    "header_unreadable": lambda: _("The first line cannot be read. Try another encoding or delimiter."),
    "quotes_broken": lambda: _("Many quotation marks are never closed (first near line %(line)s). The delimiter may be wrong, or the file damaged."),
    "encoding_unknown": lambda: _("This encoding is not known."),
    "delimiter_unknown": lambda: _("The delimiter must be a single character."),
    "file_gone": lambda: _("The uploaded file has been deleted (files are kept for seven days). Upload it again."),
    "file_broken": lambda: _("The stored file is damaged. Upload it again."),
    "disk_full": lambda: _("The server is short of disk space; imports are refused until an administrator frees some."),
    "mapping_length": lambda: _("The mapping does not fit the columns of the file."),
    "mapping_unknown": lambda: _("“%(target)s” is not a field that can be imported."),
    "mapping_protected": lambda: _("“%(target)s” is kept by Hongyan itself and cannot be imported."),
    "mapping_twice": lambda: _("Two columns are mapped to the same field “%(target)s”."),
    "mapping_no_key": lambda: _("Map a column to the field that tells contacts apart: “%(target)s”."),
    "mapping_empty": lambda: _("Map at least one column."),
    "mapping_needs": lambda: _("One column must be “%(target)s”."),
    "source_unknown": lambda: _("Give the source a name of 1 to 64 characters."),
    "parquet_damaged": lambda: _("The Parquet file is damaged or of a kind that cannot be read."),
    "parquet_nested": lambda: _("The column “%(column)s” holds lists, structures or bytes, which are no cells of a table."),
    "option_unknown": lambda: _("“%(value)s” is not a choice for %(option)s."),
    "consent_not_known": lambda: _("This file is no known export of another system, so there is no consent to keep."),
    "consent_undecided": lambda: _("Decide about consent first: declare that these people agreed, or import them as “no consent”."),
    "consent_incomplete": lambda: _("To declare consent, choose at least one topic and say where the consent was collected."),
    "consent_not_declared": lambda: _("Tick the declaration that these people agreed to receive mail."),
    "already_started": lambda: _("This import has already been started."),
    "not_started": lambda: _("This import has not been started."),
    "same_file_running": lambda: _("The same file is being imported right now."),
    "import_busy": lambda: _("This import is being worked on by another process."),
    "too_many_tags": lambda: _("The tag column holds more than %(limit)s different tags. It is probably another kind of column."),
    "field_refused": lambda: _("The field cannot be created: %(reason)s"),
    "undo_not_possible": lambda: _("Only an import that has ended can be undone."),
    "export_no_columns": lambda: _("Choose at least one column."),
    "export_no_reason": lambda: _("Say what the export is for; the reason goes into the audit log."),
    "format_unknown": lambda: _("Choose CSV or XLSX."),
}  # fmt: skip

_REJECTIONS: dict[str, Callable[[], str]] = {
    "bad_encoding": lambda: _("The line contains bytes that are not text in the file's encoding"),
    "nul_character": lambda: _("The cell contains a NUL character"),
    "field_too_long": lambda: _("The cell is longer than 32,767 characters"),
    "too_few_cells": lambda: _("The row has fewer cells than the header"),
    "too_many_cells": lambda: _("The row has more cells than the header"),
    "unclosed_quote": lambda: _("A quotation mark is never closed"),
    "key_missing": lambda: _("The field that tells contacts apart is empty"),
    "erased_person": lambda: _("This person asked to be erased and is not imported again"),
    "identifier_conflict": lambda: _("The e-mail, phone or ID of this row belongs to a different contact"),
}  # fmt: skip


def refusal(error: IngestRefused) -> str:
    return refusal_of(error.code, error.params)


def refusal_of(code: str, params: dict[str, object]) -> str:
    make = _REFUSALS.get(code)
    return make() % params if make is not None else _("The file cannot be imported (%(code)s).") % {"code": code}


def rejection(code: str) -> str:
    """Why a row was rejected; codes of values come from the normaliser."""
    make = _REJECTIONS.get(code)
    if make is not None:
        return make()
    return commerce_words.problem(code) if commerce_words.known_problem(code) else problem_text(code)
