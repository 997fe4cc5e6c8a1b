class HistoryProblem(Exception):
    """The history cannot be written or read; rows in PostgreSQL are not touched by it."""


class BadPlace(HistoryProblem):
    """HONGYAN_HISTORY_URL cannot be used; the text says how it has to look."""


class StoreProblem(HistoryProblem):
    """The folder or the bucket did not do what it was asked; trying again later may help."""


class Superseded(HistoryProblem):
    """Somebody threw everything away while files were being written: they are of no use."""


class Stopped(HistoryProblem):
    """The writer was asked to stop; what was not published is written again next time."""
