"""Tags, lists, saved audiences and the segment compiler. Owns the question who belongs to an audience."""
