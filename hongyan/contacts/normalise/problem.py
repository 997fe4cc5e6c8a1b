class NormaliseProblem(Exception):
    """The text has no standard form. ``code`` is stable (reject files, API); the message is for people and repeats
    nothing of the value, which may be personal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
