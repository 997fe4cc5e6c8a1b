"""Why somebody is, or is not, in a segment. answers: condition by condition; evidence: the events that decided."""
