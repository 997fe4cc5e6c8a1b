"""Why a campaign refuses. The texts for people are made by the pages; these carry what they need."""

from collections.abc import Sequence

from hongyan.campaigns.types import Finding


class CampaignError(Exception):
    """The campaign cannot do this."""


class ActRefused(CampaignError):
    """The campaign is not in a state in which this can be done."""

    def __init__(self, state: str, act: str) -> None:
        super().__init__(f"{act} is not possible while {state}")
        self.state = state
        self.act = act


class NotComplete(CampaignError):
    """Something a campaign needs is missing or malformed; ``fields`` names what, by form field."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(sorted(fields)))
        self.fields = fields


class PreflightBlocks(CampaignError):
    """Preflight has findings that stop the send; they say what and how to mend it, in the active language."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = tuple(findings)
        self.codes = tuple(finding.code for finding in findings)


class ApprovalMissing(CampaignError):
    """An approval rule applies and no valid approval of exactly this content and audience exists."""


class CountMismatch(CampaignError):
    """The typed number of people is not the number the send would reach."""

    def __init__(self, expected: int, typed: int | None) -> None:
        super().__init__(f"{expected} expected")
        self.expected = expected
        self.typed = typed


class EditConflict(CampaignError):
    """Somebody else changed the campaign since this page was loaded."""


class CampaignMissing(CampaignError):
    """No such campaign."""
