"""One module for each kind of place; ``reader_of`` opens the right one. All of dlt is behind ``glue``."""
