"""Event intake behind the edge: from a committed request to contacts and facts.

``calls`` checks one call of the Segment protocol (pure; the edge and the lane use the same rules). ``inbox`` is the
table of requests that were answered "accepted" and wait, sealed, for seconds. ``lane`` takes them: ``people`` finds or
makes the persons, ``facts`` writes what happened, and the request is deleted, all in one transaction. ``write_keys``
are the sources that may send.
"""
