"""What one request and one call may be. docs/events.md states them; a test holds the two together."""

from datetime import UTC, datetime, timedelta
from typing import Final

USER_ID_LENGTH: Final = 120  # userId becomes the external id of a contact
BODY_BYTES: Final = 500_000  # as sent
UNPACKED_BYTES: Final = 4_000_000  # after gzip: 2,500 calls of ordinary size
CALL_BYTES: Final = 32_768
BATCH_CALLS: Final = 2_500
DEPTH: Final = 10  # objects and lists inside each other, from the call itself
VALUES: Final = 500  # values of one call, at all depths
ID_LENGTH: Final = 255  # anonymousId, groupId, previousId, messageId
NAME_LENGTH: Final = 200  # event names
KEY_LENGTH: Final = 120  # names of properties and traits
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(minutes=5)  # a later time is set to the time of arrival, and the claim is kept beside it
