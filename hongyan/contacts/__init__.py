"""Profiles, identifiers, fields, consent, topics, suppression. Owns everything that is known of a person."""
