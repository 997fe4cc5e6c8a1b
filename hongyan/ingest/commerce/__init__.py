"""Orders and products from files and shops.

``columns`` says which column is what, ``rows`` reads a row, ``survey`` looks over the whole file first (an order may be
spread over many rows, which need not be neighbours), ``assemble`` puts orders together, ``runner`` writes them batch by
batch, ``figures`` compares what the file holds with what was kept. ``shopify`` and ``woocommerce`` translate what shops
say; ``inbox`` digests their messages, ``backfill`` fetches their past.

Promises: an order is taken whole or not at all, since half an order has a wrong total; the same file twice changes
nothing; nothing a shop sent and we acknowledged is lost.
"""
