"""What the browser libraries of Segment and RudderStack ask for before they send: which destinations there are. Here
there is one, this server. Answered from the write key alone; nothing in it is secret, it stands in the website's pages.
"""

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.request import validate_host

Json = dict[str, Any]

SOURCE_CONFIG: Final = "/sourceConfig"  # RudderStack's control plane
BEACON: Final = "/beacon/v1/batch"  # RudderStack's batches by navigator.sendBeacon: the key stands in the query
METRICS: Final = "/v1/m"  # Segment's library counts its own calls here; nobody reads that
_PROJECT = re.compile(r"/v1/projects/([^/]{1,100})/settings")  # Segment's CDN
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


def handles(path: str) -> bool:
    return path.rstrip("/") in {SOURCE_CONFIG, BEACON} or path == METRICS or _PROJECT.fullmatch(path) is not None


def key_in_path(path: str) -> str:
    """Of Segment's settings; "" for every other address."""
    found = _PROJECT.fullmatch(path)
    return found[1] if found else ""


def key_in_query(query: bytes) -> str:
    return parse_qs(query.decode("latin-1")).get("writeKey", [""])[0] if query else ""


def segment_settings(secret: str, host: bytes) -> Json:
    """CDNSettings of @segment/analytics-next: one destination, no measuring of the library, nothing to load."""
    own = urlsplit(_address(host))
    return {
        "integrations": {
            "Segment.io": {"apiKey": secret, "apiHost": f"{own.netloc}/v1", "protocol": own.scheme, "retryQueue": True}
        },
        "metrics": {"sampleRate": 0},
        "analyticsNextEnabled": True,
        "legacyVideoPluginsEnabled": False,
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "remotePlugins": [],
        "edgeFunction": {},
    }


def source_config(secret: str) -> Json:
    """RudderStack's source configuration: no destination that the browser would have to load."""
    return {
        "source": {
            "id": "hongyan",
            "name": "Hongyan",
            "writeKey": secret,
            "enabled": True,
            "workspaceId": "hongyan",
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "destinations": [],
            "dataplanes": {},
        }
    }


def _address(host: bytes) -> str:
    """By the name the website uses for us, where it is one of ours: a site may send to a name in its own domain."""
    own: str = settings.HONGYAN_BASE_URL
    name = host.decode("latin-1")
    if _HOST.fullmatch(name) and validate_host(_bare(name), settings.ALLOWED_HOSTS):
        return f"{urlsplit(own).scheme}://{name}"
    return own


def _bare(name: str) -> str:
    """Without its port.

    >>> _bare("crm.example.com:8443"), _bare("[::1]:80"), _bare("crm.example.com")
    ('crm.example.com', '[::1]', 'crm.example.com')
    """
    return name[: name.rfind("]") + 1] if name.startswith("[") else name.partition(":")[0]
