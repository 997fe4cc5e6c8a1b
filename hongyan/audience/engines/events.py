"""Conditions on events as statements over the history's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, Final
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.happened import Where as When
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    OF_TIMES,
    OF_VALUES,
    Did,
    Measure,
    Measured,
    Op,
    Step,
    Window,
    asks_lists,
)
from hongyan.audience.compiler.nodes import Sequence as Chain
from hongyan.audience.compiler.times import bounds
from hongyan.audience.engines.compare import (
    WIDEST,
    Digits,
    digits_of,
    instant_bounds,
    micros,
    number,
    number_test,
)
from hongyan.audience.engines.dialects import Values
from hongyan.audience.engines.reader import Events, Scan
from hongyan.audience.engines.types import Extreme, Ids, Leaf, Query, Tally, Unanswerable
from hongyan.audience.engines.where import Property, event_test, keys_of

_MICROSECOND: Final = timedelta(microseconds=1)
_NOTHING: Final = "SELECT CAST(0 AS BIGINT) AS contact_id, 0 AS v, CAST(0 AS BIGINT) AS t WHERE FALSE"
_HOLDS: Final = {
    Op.EQ: lambda have, want: have == want,
    Op.GT: lambda have, want: have > want,
    Op.GE: lambda have, want: have >= want,
    Op.LT: lambda have, want: have < want,
    Op.LE: lambda have, want: have <= want,
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Leaves of one question. zone: in which days begin."""

    events: Events
    now: datetime
    zone: ZoneInfo

    @property
    def when(self) -> When:
        return When(self.now, self.zone)

    def leaf(self, node: Did | Measured | Chain) -> Leaf:
        if asks_lists(node):
            raise Unanswerable("list")  # the history keeps single values
        match node:
            case Did():
                return self.did(node)
            case Measured():
                return self.measured(node)
            case Chain():
                return self.sequence(node)

    # ——— counts

    def did(self, node: Did) -> Leaf:
        """Who is meant when nothing happened is asked the other way round, so that rows always speak of somebody."""
        op, count, inverted = asked(node.op, node.count)
        low, end = self.bounds(node.window)
        values = Values(self.events.reader.dialect)
        if node.where is None:
            text = self.counted(node.event, low, end, once=op is Op.GE and count == 1)
        else:
            rows = self.rows(node.event, keys_of(node.where), low, end)
            test = event_test(node.where, rows.properties, values, self.when)
            text = f"SELECT contact_id, 1 AS v FROM ({rows.text}) WHERE {test}"
        query = Query(text, values.held)
        if op is Op.GE and count == 1:
            return Ids(query, inverted)
        return Tally(query, op, count, inverted)

    def counted(self, name: str, low: int | None, end: int, *, once: bool) -> str:
        """contact_id, v: how many in the window, a portion a row. Months wholly inside are only looked up."""
        parts = []
        for scan in self.events.scans(name, (), low, end):
            if scan.whole:
                parts.append(self.select("contact_id, n AS v", scan))
                continue
            dialect = self.events.reader.dialect
            inside = f"first >= {low} AND last < {end}" if low is not None else f"last < {end}"
            count = f"CASE WHEN {inside} THEN n ELSE {dialect.in_window(low, end)} END"
            touched = f"first < {end}" if low is None else f"last >= {low} AND first < {end}"
            part = self.select(f"contact_id, {count} AS v", scan, touched)
            parts.append(f"SELECT contact_id, v FROM ({part}) WHERE v > 0" if once else part)
        return " UNION ALL ".join(parts) or _NOTHING

    def select(self, columns: str, scan: Scan, *conditions: str) -> str:
        found = [part for part in (*conditions, self.events.fresh(scan)) if part]
        where = f" WHERE {' AND '.join(found)}" if found else ""
        return f"SELECT {columns} FROM {scan.source}{where}"

    # ——— measures

    def measured(self, node: Measured) -> Leaf:
        op, inverted = node.op, False
        if op in COMPLEMENTS:
            op, inverted = COMPLEMENTS[op], True
        if node.measure in OF_TIMES:
            return self.of_times(node, op, inverted=inverted)
        if node.measure in OF_VALUES:
            return self.of_values(node, op, inverted=inverted)
        return self.of_numbers(node, op, inverted=inverted)

    def of_numbers(self, node: Measured, op: Op, *, inverted: bool) -> Leaf:
        key = str(node.property)
        values = Values(self.events.reader.dialect)
        rows, where = self.chosen(node, key, values)
        column = rows.properties[key]
        base = f"FROM ({rows.text}) WHERE {column.number} IS NOT NULL AND {where} GROUP BY contact_id"
        match node.measure:
            case Measure.SUM:
                if op is Op.IS_SET:
                    return Ids(Query(_NOTHING), not inverted)
                having = _sum_test(column, op, node.value)
                if _fulfils(Decimal(0), op, node.value):  # nothing adds up to 0, which fulfils it
                    having, inverted = f"({having}) IS NOT TRUE", not inverted
            case Measure.AVERAGE:
                having = "TRUE" if op is Op.IS_SET else _average_test(column, op, node.value)
            case _:
                extreme = f"{node.measure.value}({column.number})"
                having = number_test(extreme, column.digits, op, node.value)
        return Ids(Query(f"SELECT contact_id {base} HAVING {having}", values.held), inverted)

    def of_values(self, node: Measured, op: Op, *, inverted: bool) -> Leaf:
        """The value of the earliest or latest event that has one; equal times in order of event ids."""
        key = str(node.property)
        values = Values(self.events.reader.dialect)
        rows, where = self.chosen(node, key, values)
        column = rows.properties[key]
        test = column.test(op, node.value, values, self.when)
        chosen = self.events.reader.dialect.chosen(
            f"CASE WHEN {test} THEN 1 ELSE 0 END", first=node.measure is Measure.FIRST
        )
        text = (
            f"SELECT contact_id FROM ({rows.text}) WHERE {column.is_set()} AND {where} "
            f"GROUP BY contact_id HAVING {chosen} = 1"
        )
        return Ids(Query(text, values.held), inverted)

    def of_times(self, node: Measured, op: Op, *, inverted: bool) -> Leaf:
        values = Values(self.events.reader.dialect)
        low, end = self.bounds(node.window)
        first = node.measure is Measure.FIRST_AT
        if node.where is None:
            text = self.edges(node.event, low, end, "first" if first else "last")
        else:
            rows = self.rows(node.event, keys_of(node.where), low, end)
            test = event_test(node.where, rows.properties, values, self.when)
            text = f"SELECT contact_id, t FROM ({rows.text}) WHERE {test}"
        meant = instant_bounds(op, node.value, self.now, self.zone)
        return Extreme(Query(text, values.held), first, *meant, inverted=inverted)

    def edges(self, name: str, low: int | None, end: int, which: str) -> str:
        """contact_id, t: the first (or last) time of each month wholly inside, every time of the others."""
        dialect = self.events.reader.dialect
        parts = []
        for scan in self.events.scans(name, (), low, end):
            if scan.whole:
                parts.append(self.select(f"contact_id, {which} AS t", scan))
            else:
                inner = dialect.exploded({"t": "times"}, (), self._source(scan, low, end))
                parts.append(f"SELECT contact_id, t FROM ({inner}) WHERE {dialect.when(low, end, 't')}")
        return " UNION ALL ".join(parts) or _NOTHING

    def chosen(self, node: Measured, key: str, values: Values) -> tuple["Rows", str]:
        low, end = self.bounds(node.window)
        rows = self.rows(node.event, list(dict.fromkeys([key, *keys_of(node.where)])), low, end)
        return rows, "TRUE" if node.where is None else event_test(node.where, rows.properties, values, self.when)

    # ——— sequences

    def sequence(self, node: Chain) -> Leaf:
        """Step by step: the events that end a chain so far. A later event follows some chain exactly when it follows
        the chain's end that is nearest before it, so one neighbour is enough to look at."""
        dialect = self.events.reader.dialect
        values = Values(dialect)
        low, end = self.bounds(node.window)
        over = micros(self.now) + 1
        named = [("c0", self.step(node.steps[0], low, end, values))]
        for place, step in enumerate(node.steps[1:], start=1):
            before, here = f"c{place - 1}", f"e{place}"
            span = None if step.within is None else step.within.delta // _MICROSECOND
            # A later step cannot be earlier than the window's beginning.
            rows = self.step(step, low, over, values)
            named.append((here, f"{rows} AND contact_id IN (SELECT contact_id FROM {before})"))
            if step.absent:
                span = span or 0
                elapsed = f"SELECT contact_id, t FROM {before} WHERE t + {span} < {over}"
                named.append((f"o{place}", elapsed))
                named.append((f"c{place}", dialect.stays_away(f"o{place}", here, span)))
            else:
                named.append((f"c{place}", dialect.follows(before, here, span)))
        steps = ", ".join(f"{name} AS ({text})" for name, text in named)
        last = named[-1][0]
        return Ids(Query(f"WITH {steps} SELECT DISTINCT contact_id FROM {last}", values.held))

    def step(self, step: Step, low: int | None, end: int, values: Values) -> str:
        rows = self.rows(step.event, keys_of(step.where), low, end)
        test = "TRUE" if step.where is None else event_test(step.where, rows.properties, values, self.when)
        return f"SELECT contact_id, t FROM ({rows.text}) AS r WHERE {test}"

    # ——— a row an event

    def rows(self, name: str, keys: Sequence[str], low: int | None, end: int) -> "Rows":
        """contact_id, t, i (event id) and four columns a property, of the events in [low, end)."""
        dialect = self.events.reader.dialect
        scans = self.events.scans(name, keys, low, end)
        digits = {key: _digits(scans, key) for key in keys}
        parts = []
        for scan in scans:
            lists, plain = {"t": "times", "i": "ids"}, []
            for place, key in enumerate(keys):
                held = scan.held[key]
                for kind, type_ in (("s", dialect.text), ("n", digits[key].sql), ("b", "BOOLEAN"), ("o", "BOOLEAN")):
                    column = f"p{place}{kind}"
                    if kind in held.kinds:
                        lists[column] = dialect.quote(f"{kind}:{key}")
                    else:
                        plain.append(f"CAST(NULL AS {type_}) AS {column}")
            inner = dialect.exploded(lists, plain, self._source(scan, low, end))
            columns = ["contact_id", "t", "i"]
            for place, key in enumerate(keys):
                columns += [f"p{place}s", f"CAST(p{place}n AS {digits[key].sql}) AS p{place}n"]
                columns += [f"p{place}b", f"p{place}o"]
            parts.append(f"SELECT {', '.join(columns)} FROM ({inner}) WHERE {dialect.when(low, end, 't')}")
        if not parts:
            empty = ["CAST(0 AS BIGINT) AS contact_id", "CAST(0 AS BIGINT) AS t", "CAST(0 AS BIGINT) AS i"]
            for place, key in enumerate(keys):
                empty += [f"CAST(NULL AS {dialect.text}) AS p{place}s", f"CAST(NULL AS {digits[key].sql}) AS p{place}n"]
                empty += [f"CAST(NULL AS BOOLEAN) AS p{place}b", f"CAST(NULL AS BOOLEAN) AS p{place}o"]
            parts.append(f"SELECT {', '.join(empty)} WHERE FALSE")
        properties = {
            key: Property(f"p{place}s", f"p{place}n", f"p{place}b", f"p{place}o", digits[key])
            for place, key in enumerate(keys)
        }
        return Rows(" UNION ALL ".join(parts), properties)

    def _source(self, scan: Scan, low: int | None, end: int) -> str:
        """What follows FROM: contacts with something in the window."""
        conditions = []
        if not scan.whole:
            conditions.append(f"first < {end}" if low is None else f"last >= {low} AND first < {end}")
        conditions += [fresh] if (fresh := self.events.fresh(scan)) else []
        return f"{scan.source} WHERE {' AND '.join(conditions)}" if conditions else scan.source

    def bounds(self, window: Window) -> tuple[int | None, int]:
        first, end = bounds(window, self.now, self.zone)
        return None if first is None else micros(first), micros(end)


@dataclass(frozen=True, slots=True)
class Rows:
    text: str
    properties: dict[str, Property]


def asked(op: Op, count: int) -> tuple[Op, int, bool]:
    """(≥ or =, n ≥ 1, whether the others are meant): what is to be asked of those who have rows at all."""
    match op:
        case Op.GE | Op.LT:
            return Op.GE, count, op is Op.LT
        case Op.GT | Op.LE:
            return Op.GE, count + 1, op is Op.LE
        case _:  # = and ≠; "= 0" is "not ≥ 1"
            unequal = op is Op.NE
            return (Op.EQ, count, unequal) if count else (Op.GE, 1, not unequal)


def _sum_test(column: Property, op: Op, value: Any) -> str:
    return number_test(f"sum({column.number})", Digits(WIDEST, column.digits.scale), op, value)


def _average_test(column: Property, op: Op, value: Any) -> str:
    """avg(x) ≥ v as sum(x - v) ≥ 0: exact, without a quotient."""
    if op is Op.IN:
        return f"({' OR '.join(_average_test(column, Op.EQ, one) for one in value)})"
    if op is Op.BETWEEN:
        low, high = value
        return f"({_average_test(column, Op.GE, low)} AND {_average_test(column, Op.LE, high)})"
    wanted = number(value)
    digits = column.digits.joined(digits_of(wanted))
    if digits.precision >= WIDEST:
        raise Unanswerable("digits")
    difference = f"CAST({column.number} AS {digits.sql}) - CAST('{wanted:f}' AS {digits.sql})"
    return f"sum({difference}) {op.value} 0"


def _fulfils(have: Decimal, op: Op, value: Any) -> bool:
    match op:
        case Op.IN:
            return any(have == number(one) for one in value)
        case Op.BETWEEN:
            return number(value[0]) <= have <= number(value[1])
        case _:
            return bool(_HOLDS[op](have, number(value)))


def _digits(scans: Sequence[Scan], key: str) -> Digits:
    found = [Digits(held.precision, held.scale) for scan in scans if "n" in (held := scan.held[key]).kinds]
    return reduce(Digits.joined, found, Digits(1, 0))
