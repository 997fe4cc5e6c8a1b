"""Times that stand as texts in properties: every engine reads them as the plain meaning does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import orjson
import pyarrow as pa
import pytest
from django.db import connection

from hongyan.audience.compiler.emit_values import Comparisons, spelled
from hongyan.audience.compiler.happened import Where, property_holds
from hongyan.audience.compiler.nodes import Op, PropertyIs
from hongyan.audience.compiler.written import instant, span, wall
from hongyan.audience.engines.dialects import DuckDB, Values
from hongyan.audience.engines.written import span_marked, times_of, written_test
from tests.audience.catalogue import small_catalogue
from tests.audience.generate import (
    LORD_HOWE,
    NEARLY_TIMES,
    NEW_YORK_IN_AUTUMN,
    NEW_YORK_IN_SPRING,
    SHANGHAI,
    Moment,
)

TICK = timedelta(microseconds=1)
EVERYWHERE = [SHANGHAI, NEW_YORK_IN_SPRING, NEW_YORK_IN_AUTUMN, LORD_HOWE]


def texts_at(moment: Moment) -> list[str]:
    """Times near what is asked in every way of writing them, clock times that come twice or never, and nearly times."""
    found = [*NEARLY_TIMES, *moment.days, *moment.spoken]
    for at in moment.instants:
        for hours, form in ((0, "{}"), (8, "{}"), (14, "{}"), (-4.5, "{}")):
            found.append(form.format(at.astimezone(timezone(timedelta(hours=hours))).isoformat()))
        for minutes in (-90, -30, 0, 30, 60, 90):
            clock_time = at.astimezone(moment.zone).replace(tzinfo=None, fold=0) + timedelta(minutes=minutes)
            found += [clock_time.isoformat(), clock_time.strftime("%Y-%m-%d %H:%M"), clock_time.date().isoformat()]
    return list(dict.fromkeys(found))


def comparisons_at(moment: Moment) -> Iterator[tuple[Op, Any]]:
    said = [*moment.days, *moment.spoken, "9999-12-31", "1000-01-01"]
    said += [at.isoformat() for at in (*moment.edges, *(edge + timedelta(minutes=30) for edge in moment.edges))]
    for value in said:
        yield Op.BEFORE, value
        yield Op.AFTER, value
        yield Op.BETWEEN, (moment.days[3], value)
        yield Op.BETWEEN, (value, "9999-12-31")
    for days in (1, 2, 30, 36_500):
        yield Op.WITHIN_LAST_DAYS, days
        yield Op.WITHIN_NEXT_DAYS, days


@pytest.mark.django_db
@pytest.mark.parametrize("moment", EVERYWHERE, ids=lambda moment: moment.zone.key)
def test_engines_read_alike(moment: Moment) -> None:
    texts = texts_at(moment)
    rows = pa.table({"place": range(len(texts)), "text": texts})
    times, when = times_of(rows["text"].combine_chunks()), Where(moment.now, moment.zone)
    stored = orjson.dumps([{"x": text} for text in texts]).decode()
    with duckdb.connect() as duck:
        duck.register("written", rows)
        for op, value in comparisons_at(moment):
            wanted = [place for place, text in enumerate(texts) if property_holds(op, text, value, where=when)]
            meant = span(op, value, moment.now, moment.zone)
            assert span_marked(times, meant).nonzero()[0].tolist() == wanted, (op, value)
            values = Values(DuckDB())
            test = written_test("text", meant, values)
            found = duck.execute(f"SELECT place FROM written WHERE {test} ORDER BY place", values.held).fetchall()
            assert [place for (place,) in found] == wanted, (op, value)
            assert _in_postgres(stored, op, value, moment) == wanted, (op, value)


def _in_postgres(stored: str, op: Op, value: Any, moment: Moment) -> list[int]:
    made = Comparisons(small_catalogue(zone=moment.zone), moment.now)
    test = spelled(made.of_property(PropertyIs("x", op, value), "e"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(e.place - 1 ORDER BY e.place) "
            f"FROM jsonb_array_elements(%(stored)s::jsonb) WITH ORDINALITY AS e (properties, place) WHERE {test}",
            {**made.params, "stored": stored},
        )
        return list(cursor.fetchone()[0] or [])


@pytest.mark.parametrize("value", [5, 20261122, True, None, ["2026-11-22"], {"a": "2026-11-22"}, ""])
def test_only_texts_are_times(value: object) -> None:
    assert not property_holds(Op.AFTER, value, "2000-01-01", Where(SHANGHAI.now, SHANGHAI.zone))


@pytest.mark.parametrize(
    ("zone", "change", "minutes"),
    [
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC), 60),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC), -60),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 30),
        ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC), 60),
    ],
)
def test_clock_times_keep_their_order_where_the_clock_changes(zone: str, change: datetime, minutes: int) -> None:
    """A clock time is before an instant exactly when it is less than what ``wall`` makes of the instant."""
    there = ZoneInfo(zone)
    assert (change.astimezone(there).utcoffset() or TICK) - ((change - TICK).astimezone(there).utcoffset() or TICK) == (
        timedelta(minutes=minutes)
    )
    around = [timedelta(minutes=15 * quarter) + tick for quarter in range(-9, 10) for tick in (-TICK, TICK * 0, TICK)]
    shown = (change - TICK).astimezone(there).replace(tzinfo=None) + TICK
    for bound in (change + one for one in around):
        for clock_time in (shown + one for one in around):
            is_before = instant(clock_time, there).replace(tzinfo=UTC) < bound
            assert is_before == (clock_time < wall(bound, there)), (bound, clock_time)
