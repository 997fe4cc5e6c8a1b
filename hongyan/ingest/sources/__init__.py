"""Data fetched on a schedule: SQL tables, REST APIs, files in folders and buckets.

``reading/`` reads one kind of place each, through dlt, as pages with the cursor behind them. ``delivery/`` hands a page
to the room that owns the target (contacts, orders, products, events, custom objects) and says what became of every
record. ``runner`` commits page and cursor together, so a killed run goes on where it stopped. ``services`` and
``selectors`` are the doors; ``schedule`` says when; ``words`` puts errors into sentences.

Promises: places are only read; credentials are sealed and never shown or logged again; nothing is kept outside
PostgreSQL; a record that cannot be taken waits in the quarantine with its reason; a private address is reached only
when an administrator has allowed it for this source.
"""
