def names(text: str) -> frozenset[str]:
    """A set of words written as one line: long vocabularies stay readable."""
    return frozenset(text.split())
