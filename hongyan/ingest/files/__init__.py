"""Reading tables from untrusted files. Pure: no database, no Django.

``sniff`` tells what a file really is, ``encoding`` and ``dialect`` guess how it is written, ``delimited`` yields rows
with their physical line numbers, ``workbook`` turns an XLSX sheet into the same form after refusing bombs.
"""
