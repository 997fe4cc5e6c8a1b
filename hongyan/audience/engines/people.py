"""What is so of a contact, whatever it did, as statements over the population's files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    WITH_DAYS,
    ConsentIs,
    FieldIs,
    HasObject,
    HasTag,
    HasTagOfGroup,
    Node,
    OnList,
    Op,
    PropertyIs,
)
from hongyan.audience.compiler.times import end_instant, first_instant, shift, today
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.compare import Digits, instant_test, number_test, text_test
from hongyan.audience.engines.dialects import Values
from hongyan.audience.engines.events import asked
from hongyan.audience.engines.reader import Reader
from hongyan.audience.engines.types import Ids, Lasting, Leaf, Query, Tally, Unanswerable
from hongyan.audience.engines.where import keys_of, row_test
from hongyan.audience.population.reading import CHUNK_BITS
from hongyan.audience.population.types import Column, ColumnKind, PeopleSnapshot, Rows, consent_code, field_column
from hongyan.contacts.models import ConsentState
from hongyan.events.history.store import Store

Test = Callable[[Mapping[str, Column], Values], str]
Portion = tuple[str, str, Mapping[str, Column]]  # what to read, condition that passes over stale contacts, columns


@dataclass(slots=True)
class People:
    """fields: keys whose columns the snapshot was asked for; objects: kinds with the keys of theirs."""

    reader: Reader
    snapshot: PeopleSnapshot
    store: Store
    catalogue: Catalogue
    now: datetime
    fields: frozenset[str]
    objects: Mapping[str, frozenset[str]]
    _stale: str = ""
    _sources: dict[tuple[int, tuple[str, ...]], list[Portion]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """No contact has a greater id."""
        rows = self.snapshot.people
        chunks = [(file.chunk + 1) << CHUNK_BITS for file in rows.files]
        return max([0, *chunks, pc.max(rows.fresh["contact_id"]).as_py() or 0])

    def everyone(self) -> Bits:
        return self.reader.bits(self.everybody(), self.size)

    def everybody(self) -> Leaf:
        return self._people((), lambda _columns, _values: "TRUE", lasting=True)

    def leaf(self, node: Node) -> Leaf:
        """Raises Unanswerable when the columns do not hold it."""
        match node:
            case FieldIs():
                return self._field(node)
            case HasTag(key):
                return self._in_set("tags", [self.catalogue.tags[key].id])
            case HasTagOfGroup(key):
                return self._in_set("tags", self.catalogue.tag_groups[key].tag_ids)
            case OnList(public_id):
                return self._in_set("lists", [self.catalogue.lists[public_id].id])
            case ConsentIs():
                return self._consent(node)
            case HasObject():
                return self._objects(node)
            case _:
                raise TypeError(type(node).__name__)

    def _field(self, node: FieldIs) -> Leaf:
        spec = self.catalogue.fields[node.key]
        inverted = node.op in COMPLEMENTS
        positive = replace(node, op=COMPLEMENTS.get(node.op, node.op))
        if spec.type is not FieldType.SEALED and node.key not in self.fields:
            raise Unanswerable("field")
        name = "filled" if spec.type is FieldType.SEALED else field_column(node.key)

        def test(columns: Mapping[str, Column], values: Values) -> str:
            return self._compared(name, columns[name], spec, positive, values)

        return self._people((name,), test, lasting=positive.op not in WITH_DAYS, inverted=inverted)

    def _in_set(self, name: str, ids: Sequence[int]) -> Leaf:
        def test(_columns: Mapping[str, Column], values: Values) -> str:
            return values.dialect.overlaps(name, ids) if ids else "FALSE"

        return self._people((name,), test, lasting=True)

    def _consent(self, node: ConsentIs) -> Leaf:
        """Who never said anything has no code, the same as who said "none"."""
        topic = self.catalogue.topic_ids[node.topic] if node.topic else None
        silent = node.state == ConsentState.State.NONE.value
        spoken = [state.value for state in ConsentState.State if state != ConsentState.State.NONE]
        states = spoken if silent else [node.state]

        def test(_columns: Mapping[str, Column], values: Values) -> str:
            codes = [values.bind(consent_code(node.channel, topic, state)) for state in states]
            return f"({' OR '.join(values.dialect.holds('consents', code) for code in codes)})"

        return self._people(("consents",), test, lasting=True, inverted=silent)

    def _objects(self, node: HasObject) -> Leaf:
        fields = self.catalogue.objects[node.type_key].fields
        rows = self.snapshot.objects.get(node.type_key)
        keys = keys_of(node.where)
        open_keys = [key for key in keys if fields[key].type is not FieldType.SEALED]
        if rows is None or not self.objects[node.type_key].issuperset(open_keys):
            raise Unanswerable("object")
        names = {key: field_column(key) if key in open_keys else "filled" for key in keys}

        def test(columns: Mapping[str, Column], values: Values) -> str:
            def of_leaf(part: PropertyIs) -> str:
                name = names[part.key]
                return self._compared(name, columns[name], fields[part.key], part, values)

            return "TRUE" if node.where is None else row_test(node.where, of_leaf)

        op, count, inverted = asked(node.op, node.count)
        columns = tuple(dict.fromkeys(names.values()))
        if op is Op.GE and count == 1:
            return Ids(self._selected(rows, columns, test, "contact_id"), inverted)
        return Tally(self._selected(rows, columns, test, "contact_id, 1 AS v"), op, count, inverted)

    def _people(self, names: tuple[str, ...], test: Test, *, lasting: bool, inverted: bool = False) -> Ids:
        """lasting: the test does not look at the clock."""
        rows = self.snapshot.people
        said = None
        if lasting and self.reader.beside_us:
            old, new = self._parted(rows, names)
            said = Lasting(
                self._united(old, test, "contact_id"),
                self.snapshot.stale,
                self._united(new, test, "contact_id") if new else None,
            )
        return Ids(self._selected(rows, names, test, "contact_id"), inverted, said)

    def _parted(self, rows: Rows, names: tuple[str, ...]) -> tuple[list[Portion], list[Portion]]:
        """Files with all their rows, and fresh rows."""
        found = self._portions(rows, names)
        place = len(found) - bool(rows.fresh.num_rows)
        return [(source, "", types) for source, _, types in found[:place]], found[place:]

    def _selected(self, rows: Rows, names: tuple[str, ...], test: Test, columns: str) -> Query:
        return self._united(self._portions(rows, names), test, columns)

    def _united(self, portions: Sequence[Portion], test: Test, columns: str) -> Query:
        values = Values(self.reader.dialect)
        parts = []
        for source, fresh, types in portions:
            conditions = [part for part in (test(types, values), fresh) if part]
            parts.append(f"SELECT {columns} FROM {source} WHERE {' AND '.join(conditions)}")
        if not parts:
            parts.append(f"SELECT {columns} FROM (SELECT CAST(0 AS BIGINT) AS contact_id) WHERE FALSE")
        return Query(" UNION ALL ".join(parts), values.held)

    def _portions(self, rows: Rows, names: tuple[str, ...]) -> list[Portion]:
        """Those of files first; the last one is the fresh rows, if there are any."""
        key = (id(rows), names)
        if key not in self._sources:
            fresh = self._passing_over_stale()
            found = [
                (self.reader.files(self.store, [file.path for file in files]), fresh, types)
                for files, types in rows.portions(names)
            ]
            if rows.fresh.num_rows:
                table = self.reader.table(rows.fresh.select(["contact_id", *names]))
                found.append((table, "", rows.fresh_columns))
            self._sources[key] = found
        return self._sources[key]

    def _passing_over_stale(self) -> str:
        if not len(self.snapshot.stale):
            return ""
        if not self._stale:
            self._stale = self.reader.table(pa.table({"contact_id": self.snapshot.stale}))
        return f"contact_id NOT IN (SELECT contact_id FROM {self._stale})"

    # ——— values

    def _compared(self, name: str, column: Column, spec: FieldSpec, part: FieldIs | PropertyIs, values: Values) -> str:
        """Positive operators; NULL or false where the value is missing."""
        dialect, op, value = self.reader.dialect, part.op, part.value
        here = dialect.quote(name)
        if spec.type is FieldType.SEALED:
            return dialect.holds(here, values.bind(spec.attribute))
        if op is Op.IS_SET:
            return f"{here} IS NOT NULL"
        match column.kind:
            case ColumnKind.NUMBER:
                return number_test(here, Digits(column.precision, column.scale), op, value)
            case ColumnKind.BOOLEAN:
                return here if value else f"NOT {here}"
            case ColumnKind.INSTANT:
                return instant_test(here, op, value, self.now, self.catalogue.zone)
            case ColumnKind.TEXTS:
                return dialect.holds(here, values.bind(value))
            case _ if spec.type is FieldType.DATE:
                return self._day_test(here, op, value, values)
            case _ if spec.type is FieldType.TIME:
                return self._spoken_test(here, op, value, values)
            case _:
                return text_test(here, op, value, values)

    def _day_test(self, here: str, op: Op, value: Any, values: Values) -> str:
        """Days are ISO text of fixed width: byte by byte they stand in order."""
        on = today(self.now, self.catalogue.zone)
        match op:
            case Op.EQ:
                return f"{here} = {values.bind(value)}"
            case Op.BEFORE:
                return f"{here} < {values.bind(value)}"
            case Op.AFTER:
                return f"{here} > {values.bind(value)}"
            case Op.BETWEEN:
                first, last = value
            case Op.WITHIN_LAST_DAYS:
                first, last = shift(on, -value).isoformat(), on.isoformat()
            case _:
                first, last = on.isoformat(), shift(on, value).isoformat()
        return f"({here} >= {values.bind(first)} AND {here} <= {values.bind(last)})"

    def _spoken_test(self, here: str, op: Op, value: Any, values: Values) -> str:
        """Instants of custom fields are ISO text in UTC, which stands in order byte by byte too."""
        zone = self.catalogue.zone

        def at(when: datetime) -> str:
            return values.bind(when.astimezone(UTC).isoformat())

        match op:
            case Op.BEFORE:
                return f"{here} < {at(first_instant(value, zone))}"
            case Op.AFTER:
                return f"{here} >= {at(end_instant(value, zone))}"
            case Op.BETWEEN:
                return f"({here} >= {at(first_instant(value[0], zone))} AND {here} < {at(end_instant(value[1], zone))})"
            case Op.WITHIN_LAST_DAYS:
                return f"({here} >= {at(self.now - timedelta(days=value))} AND {here} <= {at(self.now)})"
            case _:
                return f"({here} >= {at(self.now)} AND {here} <= {at(self.now + timedelta(days=value))})"
