class DeliveryProblem(Exception):
    """Something about delivery cannot be done; the text says what and the remedy."""


class UnknownSender(DeliveryProblem):
    """The sender identity does not exist or was archived."""


class OriginCancelled(DeliveryProblem):
    """The origin was cancelled: it cannot be resumed or sent to."""


class LowDisk(DeliveryProblem):
    """Too little free disk for new mail: PostgreSQL must not run out."""


class HeaderRefused(DeliveryProblem):
    """A header value would break the message; names the header, never its value."""


class LinkRefused(DeliveryProblem):
    """A link token was altered, cut, or never ours."""


class TransportProblem(Exception):
    """The connection to the relay failed or the relay does not speak SMTP.

    permanent: trying again without a change of configuration is pointless (certificate, sign-in).
    """

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent
