"""Trees and people's facts nobody would think of, for holding every way of computing to one answer."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hongyan.audience.compiler.catalogue import FieldSpec
from hongyan.audience.compiler.evaluate import Facts, Happened, Thing
from tests.audience.catalogue import AUDIENCE_ID, FIELDS, LIST_ID, PET
from tests.audience.factory import NOW

Made = st.SearchStrategy[Any]

# Few and near one another, so that values and conditions really meet; with the traps of text, case and zones.
TEXTS = ["", "上海", "北京", "Ab%c_", "aB%C_", "AÄ", "aä", "a", "\\", "'"]
NUMBERS = [0, 1, 2, -1, 0.1, 2.5, 1e-7, 12]
EVENTS = ["email_opened", "order_completed"]
JSON_VALUES = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans(), st.none(), st.just(["tea"]), st.just({"a": 1})
)
# Texts that are nearly times, and times at the ends of what can be said.
NEARLY_TIMES = [
    "0000-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59", "99999-01-01", "2026-02-30", "20261122",
    "2026-11-22T24:00:00Z", "2026-11-22T23:59:60Z", " 2026-11-22", "2026-11-22 ", "2026-11-22\n", "2026-11-22T10:00Z\n",
    "2026-11-22T10:00:00+15:00", "2026-11-22T04:00:00.0000001Z", "2026-11-22t04:00:00z", "1795312800", "now",
    "infinity", "２０２６-11-22", "2026-11-22T04", "2026/11/22", "-2026-11-22",
]  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """When and where the question is asked, and the days and instants around it that are likely to go wrong."""

    now: datetime
    zone: ZoneInfo
    days: tuple[str, ...]
    edges: tuple[datetime, ...]  # midnights and changes of the clock in the zone
    spoken: tuple[str, ...]  # instants as conditions write them

    @property
    def instants(self) -> list[datetime]:
        now, tick = self.now, timedelta(microseconds=1)
        near = [now, now - tick, now - timedelta(minutes=30), now - timedelta(hours=3), now + timedelta(hours=3)]
        far = [now - timedelta(days=1), now - timedelta(days=30), now - timedelta(days=30) - tick]
        return [*near, *far, *self.edges, *(edge - tick for edge in self.edges)]


SHANGHAI = Moment(
    NOW,
    ZoneInfo("Asia/Shanghai"),
    ("2026-11-21", "2026-11-22", "2026-11-23", "2026-10-23", "2025-02-28"),
    (datetime(2026, 11, 21, 16, tzinfo=UTC),),
    ("2026-11-22T04:00:00+00:00", "2026-11-21T12:00:00-05:00"),
)
# The clock goes from 2:00 to 3:00 on 8 March, so that day has 23 hours …
NEW_YORK_IN_SPRING = Moment(
    datetime(2026, 3, 9, 4, 30, tzinfo=UTC),
    ZoneInfo("America/New_York"),
    ("2026-03-07", "2026-03-08", "2026-03-09", "2026-02-07", "2025-03-09"),
    (
        datetime(2026, 3, 8, 5, tzinfo=UTC),
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 3, 9, 4, tzinfo=UTC),
    ),
    ("2026-03-08T02:30:00-05:00", "2026-03-08T03:30:00-04:00"),
)
# … and from 2:00 back to 1:00 on 1 November, which has 25, one o'clock twice.
NEW_YORK_IN_AUTUMN = Moment(
    datetime(2026, 11, 2, 4, 30, tzinfo=UTC),
    ZoneInfo("America/New_York"),
    ("2026-10-31", "2026-11-01", "2026-11-02", "2026-10-02", "2024-11-03"),
    (
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 11, 2, 5, tzinfo=UTC),
    ),
    ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"),
)
# Clocks go back and forth, and nobody else's do so by half an hour.
LORD_HOWE = Moment(
    datetime(2026, 10, 4, 3, tzinfo=UTC),
    ZoneInfo("Australia/Lord_Howe"),
    ("2026-10-03", "2026-10-04", "2026-10-05", "2026-09-04", "2026-04-05"),
    (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("2026-10-04T02:30:00+11:00", "2026-10-04T01:59:59.999999+10:30"),
)
MOMENTS = st.sampled_from([SHANGHAI, SHANGHAI, NEW_YORK_IN_SPRING, NEW_YORK_IN_AUTUMN, LORD_HOWE])


def maybe(strategy: Made) -> Made:
    return st.one_of(st.none(), strategy)


# ——— facts


@cache
def facts_at(moment: Moment) -> st.SearchStrategy[Facts]:
    instants = st.sampled_from(moment.instants)
    return st.builds(
        Facts,
        columns=st.fixed_dictionaries(
            {
                "city": st.sampled_from(TEXTS),
                "birth_month": maybe(st.integers(1, 3)),
                "has_email": st.booleans(),
                "created_at": instants,
                "last_activity_at": maybe(instants),
                "sex": st.sampled_from([0, 1, 2, 9]),
            }
        ),
        attributes=_attributes(["note", "points", "member", "level"], moment),
        related=_related(instants),
        filled=st.frozensets(st.sampled_from(["full_name"])),
        tag_ids=st.frozensets(st.sampled_from([1, 2])),
        list_ids=st.frozensets(st.just(1)),
        consents=st.dictionaries(
            st.sampled_from([("email", None), ("email", "promotion")]), st.sampled_from(["given", "none", "withdrawn"])
        ),
        events=st.lists(_happened(instants, moment), max_size=6).map(_numbered),
        things=st.lists(_thing(moment), max_size=3).map(tuple),
    )


def _numbered(events: list[Happened]) -> tuple[Happened, ...]:
    """Ids in the order of writing, which need not be that of time."""
    return tuple(replace(event, id=place) for place, event in enumerate(events))


def _attributes(plain: list[str], moment: Moment) -> Made:
    """Values of every kind under every key: a field's type may have changed since they were stored."""
    base = st.dictionaries(st.sampled_from(plain), JSON_VALUES, max_size=4)
    seen = [at.astimezone(UTC).isoformat() for at in moment.instants]
    dated = st.fixed_dictionaries(
        {
            "seen": st.one_of(st.sampled_from(seen), st.sampled_from(["", None, 5])),
            "renewal": st.sampled_from([*moment.days, "", None, 5]),
            "likes": st.one_of(st.lists(st.sampled_from(["tea", "wine"]), max_size=2), st.none(), st.just("tea")),
        }
    )
    return st.builds(lambda one, other: {**one, **other}, base, dated)


def _related(instants: Made) -> Made:
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries(
            {
                "orders.count": st.integers(0, 3),
                "orders.total": st.sampled_from([Decimal("0.10"), Decimal(2), Decimal("2.50"), Decimal(12)]),
                "orders.last_at": maybe(instants),
            },
            optional={"company.name": st.sampled_from(TEXTS)},
        ),
    )


def _written(moment: Moment) -> Made:
    """Times near what conditions ask, in every way of writing them; also clock times that come twice or never."""

    def clock_time(at: datetime, minutes: int, form: str) -> str:
        return (at.astimezone(moment.zone).replace(tzinfo=None) + timedelta(minutes=minutes)).strftime(form)

    forms = st.sampled_from(["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"])
    instants = st.sampled_from(moment.instants)
    offsets = st.sampled_from([timedelta(0), timedelta(hours=8), timedelta(hours=-4, minutes=-30), timedelta(hours=14)])
    spoken = st.builds(lambda at, offset: at.astimezone(timezone(offset)).isoformat(), instants, offsets)
    return st.one_of(
        spoken,
        spoken.map(lambda text: text.replace("T", " ").replace("+00:00", "Z").replace("+14:00", "+14")),
        st.builds(clock_time, instants, st.sampled_from([0, 0, -90, -30, 30, 60]), forms),
        st.sampled_from(moment.days),
        st.sampled_from(NEARLY_TIMES),
    )


def _happened(instants: Made, moment: Moment) -> st.SearchStrategy[Happened]:
    values = st.one_of(JSON_VALUES, _written(moment))
    properties = st.dictionaries(st.sampled_from(["x", "y"]), values, max_size=2)
    thing = st.one_of(st.dictionaries(st.sampled_from(["x", "y"]), values, max_size=2), JSON_VALUES)
    things = st.one_of(st.lists(thing, max_size=3), JSON_VALUES).map(lambda value: {"z": value})
    properties = st.builds(lambda one, other: {**one, **other}, properties, st.one_of(st.just({}), things))
    return st.builds(Happened, name=st.sampled_from(EVENTS), at=instants, properties=properties)


def _thing(moment: Moment) -> st.SearchStrategy[Thing]:
    money = st.builds(
        lambda minor, currency: {"amount_minor": minor, "currency": currency},
        st.sampled_from([0, 10, 200, 250, 1200]),
        st.sampled_from(["CNY", "CNY", "EUR"]),
    )
    price = st.fixed_dictionaries({}, optional={"price": st.one_of(money, st.sampled_from([None, 2, "2"]))})
    attributes = st.builds(
        lambda one, other: {**one, **other}, _attributes(["note", "points", "member", "level"], moment), price
    )
    return st.builds(
        Thing, type_key=st.just("pet"), attributes=attributes, filled=st.frozensets(st.sampled_from(["chip"]))
    )


# ——— trees


@cache
def trees_at(moment: Moment) -> Made:
    happened = [_event(moment), _event(moment), _measured(moment), _measured(moment), _sequence(moment)]
    leaves = st.one_of(
        *(_compared("field", spec.key, spec, moment) for spec in FIELDS),
        st.just({"everyone": True}),
        st.sampled_from([{"tag": "vip"}, {"tag": "new"}, {"tag_group": "value"}]),
        st.just({"list": LIST_ID}),
        st.just({"audience": AUDIENCE_ID}),
        st.builds(
            lambda topic, state: {
                "consent": {"channel": "email", "state": state} | ({"topic": topic} if topic else {})
            },
            st.sampled_from([None, "promotion"]),
            st.sampled_from(["given", "none"]),
        ),
        *happened,
        *happened,
        _object(moment),
        _object(moment),
    )
    return nested(leaves, 6)


def nested(leaves: Made, max_leaves: int) -> Made:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda item: {"not": item}, inner),
        ),
        max_leaves=max_leaves,
    )


def _compared(head: str, key: str, spec: FieldSpec, moment: Moment) -> Made:
    """Any comparison that fits the field."""
    kind = spec.type.value
    choices = [choice.value for choice in spec.choices]
    return _operation(kind, moment, choices).map(lambda operation: {head: key, **operation})


def _operation(kind: str, moment: Moment, choices: list[Any]) -> Made:
    texts = st.sampled_from([text for text in TEXTS if text])
    numbers = st.sampled_from(NUMBERS)
    days = st.sampled_from(moment.days)
    presence = st.sampled_from([{"op": "is_set"}, {"op": "is_not_set"}])
    match kind:
        case "text":
            return st.one_of(presence, *_ops(["=", "!=", "contains", "starts_with"], texts), *_lists(texts))
        case "number":
            return st.one_of(presence, *_of_numbers(numbers))
        case "boolean":
            return st.one_of(presence, *_ops(["="], st.booleans()))
        case "date":
            return st.one_of(presence, *_ops(["=", "!=", "before", "after"], days), *_windows(days), *_next())
        case "time":
            return st.one_of(presence, *_of_times(moment), *_next())
        case "choice":
            return st.one_of(presence, *_ops(["=", "!="], st.sampled_from(choices)), *_lists(st.sampled_from(choices)))
        case "sealed":
            return presence
        case _:
            return st.one_of(presence, *_ops(["contains"], st.sampled_from(choices)))


def _ops(ops: list[str], values: Made) -> list[Made]:
    return [st.builds(lambda op, value: {"op": op, "value": value}, st.sampled_from(ops), values)]


def _of_numbers(numbers: Made) -> list[Made]:
    pairs = st.lists(numbers, min_size=2, max_size=2).map(sorted)
    return [*_ops(["=", "!=", ">", ">=", "<", "<="], numbers), *_lists(numbers), *_ops(["between"], pairs)]


def _of_times(moment: Moment) -> list[Made]:
    spoken = st.sampled_from([*moment.days, *moment.spoken])
    return [*_ops(["before", "after"], spoken), *_windows(st.sampled_from(moment.days))]


def _lists(values: Made) -> list[Made]:
    return _ops(["in", "not_in"], st.lists(values, min_size=1, max_size=3))


def _windows(days: Made) -> list[Made]:
    pairs = st.lists(days, min_size=2, max_size=2).map(sorted)
    return [*_ops(["between"], pairs), *_ops(["within_last_days"], st.integers(1, 40))]


def _next() -> list[Made]:
    return _ops(["within_next_days"], st.integers(1, 40))


def _of_property(moment: Moment) -> Made:
    return st.one_of(*(_operation(kind, moment, []) for kind in ("text", "number", "boolean", "time", "time")))


def _where(moment: Moment) -> Made:
    part = st.builds(
        lambda key, operation: {"property": key, **operation},
        st.sampled_from(["x", "y", "x", "y", "z[].x"]),
        _of_property(moment),
    )
    return st.one_of(st.just({}), nested(part, 3).map(lambda tree: {"where": tree}))


def _window(moment: Moment) -> Made:
    days = st.lists(st.sampled_from(moment.days), min_size=2, max_size=2).map(sorted)
    return st.one_of(
        st.just({}),
        st.builds(lambda n: {"within_days": n}, st.integers(1, 40)),
        st.builds(lambda n: {"within_hours": n}, st.sampled_from([1, 3, 23, 24, 25, 720])),
        days.map(lambda pair: {"from": pair[0]}),
        days.map(lambda pair: {"to": pair[1]}),
        days.map(lambda pair: {"from": pair[0], "to": pair[1]}),
        st.sampled_from([[1, 0], [30, 1], [40, 30], [2, 1]]).map(lambda pair: {"days_ago": pair}),
    )


def _count() -> Made:
    def build(op: str, count: int) -> dict[str, Any]:
        return {"op": op, "count": max(count, 1) if op in {">=", "<"} else count}

    ops = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
    return st.one_of(st.just({}), st.builds(build, ops, st.integers(0, 3)))


def _event(moment: Moment) -> Made:
    return st.builds(
        lambda name, *parts: {"event": name} | {key: value for part in parts for key, value in part.items()},
        st.sampled_from(EVENTS),
        _count(),
        _window(moment),
        _where(moment),
    )


def _measured(moment: Moment) -> Made:
    """Measures of numbers, of values, of times, each with what it can be held against."""
    numbers = st.sampled_from([*NUMBERS, 3, 0.2, 5])
    presence = st.sampled_from([{"op": "is_set"}, {"op": "is_not_set"}])
    key = st.sampled_from(["x", "y"]).map(lambda name: {"property": name})
    summed = st.builds(lambda k, o: {"measure": "sum", **k, **o}, key, st.one_of(*_of_numbers(numbers)))
    of_numbers = st.builds(
        lambda m, k, o: {"measure": m, **k, **o},
        st.sampled_from(["min", "max", "average"]),
        key,
        st.one_of(presence, *_of_numbers(numbers)),
    )
    of_values = st.builds(
        lambda m, k, o: {"measure": m, **k, **o}, st.sampled_from(["first", "last"]), key, _of_property(moment)
    )
    of_times = st.builds(
        lambda m, o: {"measure": m, **o},
        st.sampled_from(["first_at", "last_at"]),
        st.one_of(presence, *_of_times(moment)),
    )
    return st.builds(
        lambda name, *parts: {"event": name} | {key: value for part in parts for key, value in part.items()},
        st.sampled_from(EVENTS),
        st.one_of(summed, of_numbers, of_values, of_times),
        _window(moment),
        _where(moment),
    )


@st.composite
def _sequence(draw: st.DrawFn, moment: Moment) -> dict[str, Any]:
    spans = st.sampled_from(
        [{"minutes": 30}, {"hours": 3}, {"hours": 24}, {"days": 1}, {"days": 29}, {"days": 30}, {"days": 40}]
    )
    steps: list[dict[str, Any]] = [
        {"event": draw(st.sampled_from(EVENTS)), **draw(_where(moment))} for _ in range(draw(st.integers(2, 4)))
    ]
    for step in steps[1:]:
        if draw(st.booleans()):
            step["within"] = draw(spans)
    if draw(st.booleans()):
        last = steps[-1]
        steps[-1] = {"not_event": last.pop("event"), "within": draw(spans), **last}
    return {"sequence": steps, **draw(_window(moment))}


def _object(moment: Moment) -> Made:
    part = st.one_of(*(_compared("property", spec.key, spec, moment) for spec in PET.fields.values()))
    where = st.one_of(st.just({}), nested(part, 3).map(lambda tree: {"where": tree}))
    return st.builds(lambda count, conditions: {"object": "pet", **count, **conditions}, _count(), where)


TREES = trees_at(SHANGHAI)
FACTS = facts_at(SHANGHAI)
