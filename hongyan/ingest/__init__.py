"""Files in and out: reading, mapping, importing, rejecting with reasons, exporting safely.

``files/`` reads hostile files (pure: bytes in, rows with exact line numbers out). ``mapping`` suggests which column is
which field. ``prepare`` turns a row into a contact row or a rejection (pure, in worker processes). ``runner`` drives
chunks through ``contacts.bulk``, each committed together with its position, so a killed import continues where it
stopped and the same file twice changes nothing. ``exports`` writes contacts out with formula cells neutralised.

Promises: an import without a consent choice does not start; a row is taken whole or rejected whole; a person who
unsubscribed, complained or was erased stays so; uploaded files lie encrypted in the data folder for at most seven days.
"""
