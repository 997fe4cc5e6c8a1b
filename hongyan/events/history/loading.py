"""Facts that are already in Arrow, straight into files: for benchmarks, which need fifty million of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pyarrow as pa

from hongyan.events.history.arrays import group
from hongyan.events.history.manifest import Change, publish, state
from hongyan.events.history.parts import write_part
from hongyan.events.history.store import Store
from hongyan.events.history.writer import writing


def write_history(
    store: Store, batches: Iterable[tuple[str, date, pa.Table]], keys: Mapping[str, Sequence[str]]
) -> int:
    """Files of these events, in place of all there were. Returns how many.

    batches: name, month and a table of ``contact_id``, ``at_us``, ``event_id`` and ``v:<key>`` (JSON texts) of each of
    the name's keys, in any order; a name and month may come again. PostgreSQL is believed to have the same rows; what
    it gets from now on comes on top.
    """
    with writing() as connection:
        if connection is None:
            raise RuntimeError("another process writes the history")
        seen = state(connection)
        change = Change(tx=seen.below, whole=True)
        connection.execute("UPDATE events_historyfile SET retired_at = now() WHERE retired_at IS NULL")
        for name, month, events in batches:
            change.names.add(name)
            change.add += write_part(store, name, month, group(events, keys.get(name, ())))
        publish(connection, seen, change)
    return sum(part.events for part in change.add)
