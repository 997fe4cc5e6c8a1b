"""Files in and out: reading, mapping, importing, rejecting with reasons, exporting safely."""
