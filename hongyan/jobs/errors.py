class JobNotFound(Exception):
    """There is no such job, or it is somebody else's: the two look the same on purpose."""


class UnknownJobKind(Exception):
    """No room registered this kind."""


class JobFailed(Exception):
    """Raised by a kind to end its job with a reason that may be shown: no personal data in it."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class JobStopped(Exception):
    """Raised by ``JobHandle.advance``; let it pass. What was committed before stays."""


class JobCancelled(JobStopped):
    """A person asked to cancel."""


class JobPaused(JobStopped):
    """A person asked to pause."""


class JobInterrupted(JobStopped):
    """The worker is stopping."""


class JobLost(JobStopped):
    """Another worker took this job over, because this one was thought dead. Nothing more may be written for it."""
