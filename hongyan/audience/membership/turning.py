"""When conditions turn by time alone.

Events need no notes: the fact log's index by name and time is the queue. While time goes from T1 to T2, "in the last
30 days" can only change for those who have such an event between T1 - 30 days and T2 - 30 days. Values of people
(dates, times) and times in properties of events have no such index; for them each contact has a note of the next
moment: a *clock*.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType, ObjectSpec
from hongyan.audience.compiler.emit_values import Comparisons, spelled
from hongyan.audience.compiler.nodes import Op, in_list
from hongyan.audience.compiler.times import today
from hongyan.audience.compiler.written import DAY, LOCAL, OFFSET, PLAIN, ZONED
from hongyan.contacts.touched import Kind
from hongyan.core.sql import SQL

# Where a field stands, and which kinds of changes change it.
KINDS_OF_TABLE: Final[Mapping[str, frozenset[Kind]]] = {
    "": frozenset({Kind.CONTACT}),
    "contacts_company": frozenset({Kind.COMPANY, Kind.CONTACT}),
    "commerce_contactfacts": frozenset({Kind.FACTS}),
    "audience_lifecycle": frozenset({Kind.STANDING}),
    "audience_rfm": frozenset({Kind.STANDING}),
}
_ANY: Final = frozenset(Kind) - {Kind.FORGOTTEN}
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """ages: how long after (or before) the value the condition may turn, in microseconds, or days for ``by_day``.
    values: SELECT of (contact_id, value) with the names of its parameters; ``/*among*/`` stands for a condition on the
    contact. Two clocks of one key are one. events: names of those whose properties are the values."""

    key: str
    by_day: bool = field(compare=False)
    ages: tuple[int, ...] = field(compare=False)
    text: str = field(compare=False)
    params: tuple[tuple[str, Any], ...] = field(compare=False)
    kinds: frozenset[Kind] = field(compare=False)  # of changes after which the next moment may be another
    events: frozenset[str] = field(default=frozenset(), compare=False)

    def moment(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Now, as the clock's notes write it."""
        if not self.by_day:
            return now
        day = today(now, zone)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    def next(self, *, among: str) -> SQL:
        """SELECT of (contact_id, due_at) after ``%(moment)s``: one row for each contact with anything to come. among: a
        condition on the contact's id."""
        step = "interval '1 day'" if self.by_day else "interval '1 microsecond'"
        values = self.text.replace("/*among*/", among)
        text = (
            "SELECT v.contact_id, min(v.at + turn.age * " + step + ") AS due_at "
            f"FROM ({values}) v CROSS JOIN unnest(%(ages)s::bigint[]) AS turn (age) "
            # Beyond these a sum of time and age would leave what timestamps can say.
            "WHERE v.at BETWEEN '1000-01-01' AND '9000-01-01' AND v.at + turn.age * " + step + " > %(moment)s "
            "GROUP BY v.contact_id"
        )
        return SQL(text, {"ages": list(self.ages), **dict(self.params)})


def kinds_of(spec: FieldSpec) -> frozenset[Kind]:
    """A table not known here may be written by anything."""
    if spec.column == "last_activity_at":
        return frozenset({Kind.ACTIVITY, Kind.CONTACT})
    return KINDS_OF_TABLE.get(spec.table, _ANY)


def clock_of_field(spec: FieldSpec, op: Op, days: int) -> Clock:
    row = "m" if spec.table else "c"
    value, params = _value(spec, row)
    if spec.table:
        text = (
            f"SELECT c.id AS contact_id, {value} AS at FROM contacts_contact c "
            f"JOIN {spec.table} m ON m.{spec.theirs} = c.{spec.ours} WHERE c.id /*among*/"
        )
    else:
        text = f"SELECT c.id AS contact_id, {value} AS at FROM contacts_contact c WHERE c.id /*among*/"
    by_day = spec.type is FieldType.DATE
    where = f"{spec.table}.{spec.column or spec.attribute}"
    key = f"{where}:{spec.type}:{op}:{days}"[-200:]
    return Clock(key, by_day, _ages(op, days, by_day=by_day), text, params, kinds_of(spec))


def clock_of_object(spec: ObjectSpec, of: FieldSpec, op: Op, days: int) -> Clock:
    value, params = _value(of, "e")
    text = (
        f"SELECT e.contact_id, {value} AS at FROM contacts_objectrecord e "
        "WHERE e.type_id = %(type_id)s AND e.contact_id /*among*/"
    )
    by_day = of.type is FieldType.DATE
    key = f"object.{spec.id}.{of.attribute or of.column}:{of.type}:{op}:{days}"[-200:]
    held = (*params, ("type_id", spec.id))
    return Clock(key, by_day, _ages(op, days, by_day=by_day), text, held, frozenset({Kind.OBJECT}))


def clocks_of_property(event: str, key: str, op: Op, days: int, zone: ZoneInfo) -> tuple[Clock, Clock]:
    """Of times that stand in a property: of instants and clock times one, and of days one."""
    holder, among = "e", in_list(key)
    source = "events_event e"
    params: tuple[tuple[str, Any], ...] = (("event", event), ("zone", zone.key), ("key", among[1] if among else key))
    if among:
        holder, params = "p", (*params, ("list", among[0]))
        source += (
            " CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(e.properties -> %(list)s::text) WHEN 'array'"
            " THEN e.properties -> %(list)s::text END) AS p (properties)"
        )
    told = f"{holder}.properties ->> %(key)s::text"
    rows = f"(SELECT e.contact_id, {told} AS told FROM {source} WHERE e.name = %(event)s AND e.contact_id /*among*/) w"

    def clock(values: str, *, by_day: bool) -> Clock:
        # Names of events and properties may be of any length and hold any sign.
        whose = sha256(f"{event}\x00{key}".encode()).hexdigest()[:32]
        name = f"property.{whose}:{'date' if by_day else 'time'}:{op}:{days}:{zone.key}"
        text = f"SELECT w.contact_id, {values} AS at FROM {rows}"
        ages = _ages(op, days, by_day=by_day)
        return Clock(name, by_day, ages, text, params, frozenset(), frozenset({event}))

    return clock(_INSTANT_OF_TEXT, by_day=False), clock(_DAY_OF_TEXT, by_day=True)


_DAY_OF_TEXT: Final = (
    f"CASE WHEN w.told ~ '{DAY}' AND pg_input_is_valid(w.told, 'date') THEN (w.told || ' 00:00+00')::timestamptz END"
)
_PLAIN_PART: Final = f"substring(w.told, '{PLAIN}')"
_WHOLE: Final = f"{_PLAIN_PART} || substring(w.told, '{OFFSET}')"
_CLOCK_TIME: Final = f"{_PLAIN_PART}::timestamp"
_DAY_BEFORE: Final = f"(({_CLOCK_TIME} - interval '1 day') AT TIME ZONE %(zone)s + interval '24 hours')"
# Of a clock time that comes twice PostgreSQL takes the second; the first is the one with the offset of the day before.
# (One that is skipped turns too late, at most by what is skipped.)
_INSTANT_OF_TEXT: Final = f"""CASE
    WHEN w.told ~ '{LOCAL}' AND pg_input_is_valid({_PLAIN_PART}, 'timestamp')
    THEN CASE WHEN {_DAY_BEFORE} AT TIME ZONE %(zone)s = {_CLOCK_TIME} THEN {_DAY_BEFORE}
              ELSE {_CLOCK_TIME} AT TIME ZONE %(zone)s END
    WHEN w.told ~ '{ZONED}' AND pg_input_is_valid({_WHOLE}, 'timestamptz') THEN ({_WHOLE})::timestamptz END"""


def _ages(op: Op, days: int, *, by_day: bool) -> tuple[int, ...]:
    """A window of days ends with the day; one of instants holds at its last instant and turns right after it."""
    if by_day:
        return (0, days + 1) if op is Op.WITHIN_LAST_DAYS else (-days, 1)
    day, tick = 86_400_000_000, 1
    return (0, days * day + tick) if op is Op.WITHIN_LAST_DAYS else (-days * day, tick)


def _value(spec: FieldSpec, row: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The field as a timestamptz; NULL where there is none. A day stands as its midnight in UTC."""
    values = Comparisons(Catalogue(), _EPOCH)
    text = spelled(values.getter(spec, row)())
    params = tuple((f"v{name}", value) for name, value in values.params.items())
    for name in values.params:
        text = text.replace(f"%({name})s", f"%(v{name})s")
    if spec.column:
        return f"{text}::timestamptz", params
    suffix = " || ' 00:00+00'" if spec.type is FieldType.DATE else ""
    whole = f"(({text}){suffix})"
    return f"CASE WHEN pg_input_is_valid({whole}, 'timestamptz') THEN {whole}::timestamptz END", params
