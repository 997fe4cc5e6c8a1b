"""What can go wrong with a source. Codes are stable; sentences are made in ``words``."""

from hongyan.ingest.errors import IngestRefused


class SourceRefused(IngestRefused):
    """The set-up is wrong or incomplete; whoever sets the source up can mend it."""


class SourceFailed(Exception):
    """Reading failed at the other end. detail: for administrators, scrubbed of secrets and of people.

    permanent: another try with the same settings will not help (wrong password, missing table).
    """

    def __init__(self, code: str, detail: str = "", *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code, self.detail, self.permanent = code, detail[:300], permanent


class SourceBusy(Exception):
    """Another process runs this source right now."""


class SourceNotFound(Exception):
    """There is no such source, or it has been removed."""
