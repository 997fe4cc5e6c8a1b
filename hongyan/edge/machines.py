"""Is it a person? Simple rules on user agent and timing; each answer is a named reason that reports show.

Erring: a person whose mail client fetches pictures through a proxy counts as a person (Gmail fetches when the mail is
opened); Apple's privacy proxy fetches without anybody opening, so it counts as a machine.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

APPLE_PRIVACY = "apple_privacy"  # Apple Mail Privacy Protection: agent is exactly "Mozilla/5.0"
SCANNER = "scanner"  # security gateways and link checkers that name themselves
SCRIPT = "script"  # HTTP libraries and command-line tools
NO_AGENT = "no_agent"
TOO_FAST = "too_fast"  # within a second of the server accepting the mail
ALL_LINKS = "all_links"  # several different links of one mail within moments

# Pictures fetched for a person who opens the mail: Gmail, Yahoo, Outlook.com and others hide the reader behind these.
_PERSONAL_PROXIES = re.compile(
    r"GoogleImageProxy|YahooMailProxy|OutlookImageProxy|RamblerMail|UkrNetMailProxy", re.IGNORECASE
)
_SCANNERS = re.compile(
    r"barracuda|mimecast|proofpoint|fireeye|trustwave|messagelabs|symantec|sophos|trendmicro|forcepoint|ironport"
    r"|bitdefender|kaspersky|avast|safelinks|urldefense|headless|phantomjs|lighthouse|page ?speed|cloudflare|route.?53"
    r"|bot\b|bot[-/_;) \d]|robot|spider|crawl|slurp|fetch|monitor|check|scan|preview|validator|analy[sz]|archiver"
    r"|indexer|feed|rss|podcast|facebookexternal|facebookplatform|whatsapp|skypeuripreview|embedly|proxy/"
    r"|https?://|@[a-z]+\.|www\.",  # browsers and mail programs do not advertise an address
    re.IGNORECASE,
)
_SCRIPTS = re.compile(
    r"^(curl|wget|python|java|go-http-client|okhttp|apache-httpclient|libwww|lwp|ruby|node|axios|php|perl|httpie|guzzle"
    r"|winhttp|aiohttp|scrapy)\b",
    re.IGNORECASE,
)
_INSTANT = timedelta(seconds=1)
_BURST = timedelta(seconds=3)
_BURST_LINKS = 3


def machine_agent(user_agent: str) -> str | None:
    """Why this user agent is a machine, or None.

    >>> machine_agent("Mozilla/5.0"), machine_agent("curl/8.1"), machine_agent("")
    ('apple_privacy', 'script', 'no_agent')
    """
    agent = user_agent.strip()
    if not agent:
        return NO_AGENT
    if agent == "Mozilla/5.0":
        return APPLE_PRIVACY
    if _PERSONAL_PROXIES.search(agent):
        return None
    if _SCRIPTS.search(agent):
        return SCRIPT
    if _SCANNERS.search(agent):
        return SCANNER
    return None


def machine_hit(
    *, user_agent: str, at: datetime, accepted_at: datetime | None, burst: Sequence[tuple[datetime, int | None]]
) -> str | None:
    """Why this hit came from a machine, or None.

    accepted_at: when the receiving server accepted the mail. burst: (time, link) of all clicks on the same mail; empty
    for opens.
    """
    reason = machine_agent(user_agent)
    if reason is not None:
        return reason
    if accepted_at is not None and at - accepted_at < _INSTANT:
        return TOO_FAST
    near = {link for when, link in burst if abs(when - at) <= _BURST}
    return ALL_LINKS if len(near) >= _BURST_LINKS else None
