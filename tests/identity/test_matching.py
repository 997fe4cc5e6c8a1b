"""The engine of matching: what records are made of, and that SQL and Python say the same of every pair."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.identity.matching.addresses import Address, address
from hongyan.identity.matching.clusters import cluster
from hongyan.identity.matching.comparisons import ALL, EMAIL
from hongyan.identity.matching.engine import Engine
from hongyan.identity.matching.features import LISTS, Features, features
from hongyan.identity.matching.guards import Guards, homes_are_shared
from hongyan.identity.matching.names import name_of
from hongyan.identity.matching.record import Record, customer_number
from hongyan.identity.matching.resolve import Resolved, features_of, frequencies_of, pair_rows, resolve
from hongyan.identity.matching.scoring import score
from hongyan.identity.matching.weights import Weights, prior
from hongyan.identity.truth import TrueRecord, generated

NOTHING = Features(*[() if name in LISTS else None for name in Features._fields])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("单雄信", ("shan", "xiongxin")),
        ("仇英", ("qiu", "ying")),
        ("曾国藩", ("zeng", "guofan")),
        ("解缙", ("xie", "jin")),
        ("区大相", ("ou", "daxiang")),
        ("查良镛", ("zha", "liangyong")),
        ("朴正恩", ("piao", "zhengen")),
        ("盖叫天", ("ge", "jiaotian")),
        ("翟志刚", ("zhai", "zhigang")),
        ("缪荃孙", ("miao", "quansun")),
        ("员半千", ("yun", "banqian")),
        ("乐进", ("yue", "jin")),
        ("覃文静", ("qin", "wenjing")),
        ("華羅庚", ("hua", "luogeng")),
        ("欧阳娜娜 女士", ("ouyang", "nana")),
        ("尉迟恭", ("yuchi", "gong")),
        ("令狐冲", ("linghu", "chong")),
        ("吕布", ("lv", "bu")),
        ("Lü Bu", ("lv", "bu")),
        ("Lyu Bu", ("lv", "bu")),
        ("Zhang Weiming", ("zhang", "weiming")),
        ("Wang Xinyu", ("wang", "xinyu")),
        ("Yuanyuan Li", ("li", "yuanyuan")),
        ("LIN TIANYU", ("lin", "tianyu")),
        ("Huang Zhicheng 经理", ("huang", "zhicheng")),
        ("Weiming Zhang", ("zhang", "weiming")),
        ("ZHANG WEI MING", ("zhang", "weiming")),
        ("Dr. Ann O'Brien", ("obrien", "ann")),
    ],
)
def test_names_are_read_as_they_are_spoken(written: str, read: tuple[str, str]) -> None:
    name = name_of("", "", written)
    assert (name.family, name.given) == read


def test_a_title_alone_is_no_name() -> None:
    assert name_of("Zhicheng", "Huang", "经理")[:2] == name_of("Zhicheng", "Huang", "")[:2]
    assert name_of("Zhicheng经理", "Huang", "").given == "zhicheng"


@pytest.mark.parametrize(
    ("written", "read"), [("心雨", "Xinyu"), ("天宇", "Tianyu"), ("媛媛", "Yuanyuan"), ("女", "Nyu")]
)
def test_letters_are_read_as_the_characters_are(written: str, read: str) -> None:
    assert name_of("", "", f"王{written}").given == name_of("", "", f"Wang {read}").given


def test_traditional_characters_are_the_same_name() -> None:
    assert name_of("", "", "陳麗華")[:2] == name_of("", "", "陈丽华")[:2]


def test_hong_kong_and_taiwan_spell_surnames_their_way() -> None:
    assert {"wang", "huang"} == set(name_of("Siu Ming", "Wong", "").readings)
    assert "xu" in name_of("Chih Mo", "Hsu", "").readings


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("8 stanley street, miami", Address("8", "stanley", "miami")),
        ("12/45 high st", Address("45", "high", "12")),
        ("flat 3, 12a high street", Address("12a", "high", "3")),
        ("stanley street", Address("", "stanley", "")),
        ("建国路88号3栋1单元502室", Address("88", "jianguo", "3 1 502")),
        ("广东省深圳市南山区高新南一道9号", Address("9", "gaoxinnanyi", "")),
    ],
)
def test_addresses_come_apart(line: str, parts: Address) -> None:
    assert address(line) == parts


def test_what_a_file_calls_its_rows_is_never_looked_at() -> None:
    assert Record.of(
        {"rec_id": "rec-1-org", "unique_id": 7, "id": 7, "external_id": "C-1", "given_name": "Ann"}
    ) == Record(given_name="Ann")


def test_impossible_days_stay_evidence_and_defaults_do_not() -> None:
    assert features(Record(birth_date="1945-11-33")).birth == "19451133"
    assert features(Record(birth_date="1900-01-01")).birth is None


def test_numbers_of_every_form_are_one_number() -> None:
    forms = ("138 0013 8000", "+86-138-0013-8000", "１３８００１３８０００", "8613800138000")
    assert {features(Record(phone=form)).phone for form in forms} == {"8613800138000"}


WORDS = st.sampled_from(
    ["", "a", "an", "ann", "anna", "anne", "nana", "wang", "wangwei", "weiwang", "huang", "smith", "smyth"]
)
TEXT = st.one_of(WORDS, st.text("abcdn019-. ", max_size=14)).map(lambda text: text or None)
DAY = st.one_of(
    st.none(), st.text("0129", min_size=8, max_size=8), st.sampled_from(["19900203", "19900302", "19900204"])
)
LIST = st.lists(st.sampled_from(["wang", "huang", "john"]), max_size=2).map(tuple)
ROWS = st.builds(
    Features,
    **{name: DAY if name == "birth" else LIST if name in LISTS else TEXT for name in Features._fields},
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(threads=1)
    yield made
    made.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=6, max_size=10))
def test_sql_and_python_find_the_same_level(engine: Engine, rows: list[Features]) -> None:
    engine.con.execute("delete from people")
    engine.load(enumerate([*rows, NOTHING]))
    columns = ", ".join(f"a.{name} as {name}_l, b.{name} as {name}_r" for name in Features._fields)
    cases = ", ".join(
        f"case when {item.unknown.sql} then -1 "
        + " ".join(f"when {level.when.sql} then {place}" for place, level in enumerate(item.levels[:-1]))
        + f" else {len(item.levels) - 1} end"
        for item in ALL
    )
    found = engine.con.execute(
        f"with pairs as (select a.uid as x, b.uid as y, {columns} from people a join people b on a.uid < b.uid) "
        f"select x, y, {cases} from pairs"
    ).fetchall()
    people = [*rows, NOTHING]
    for x, y, *levels in found:
        for item, level in zip(ALL, levels, strict=True):
            a, b = people[x], people[y]
            if item.unknown.test(a, b):
                expected = -1
            else:
                expected = next(place for place, entry in enumerate(item.levels) if entry.when.test(a, b))
            assert level == expected, (item.name, a, b)


@pytest.fixture(scope="module")
def resolved() -> Iterator[tuple[Engine, Resolved, list[TrueRecord]]]:
    rows = generated(200)
    engine = Engine()
    engine.load((number, features(row.record)) for number, row in enumerate(rows))
    yield engine, resolve(engine), rows
    engine.close()


def test_splink_and_python_give_a_pair_the_same_weight(resolved: tuple[Engine, Resolved, list[TrueRecord]]) -> None:
    engine, found, _ = resolved
    rows = list(pair_rows(engine, found.table, found.weights))
    people = features_of(engine, {record for row in rows for record in (row.low, row.high)})
    common = frequencies_of(engine, found.weights)
    assert len(rows) > 100
    for row in rows:
        mine = score(
            people[row.low], people[row.high], found.weights, lambda column, value: common.get((column, value))
        )
        assert mine.weight == pytest.approx(row.weight, abs=1e-6)
        assert mine.probability == pytest.approx(row.probability, abs=1e-9)
        assert [finding.level for finding in mine.findings] == [part["level"] for part in row.evidence]


def test_chinese_people_are_found_again(resolved: tuple[Engine, Resolved, list[TrueRecord]]) -> None:
    _, found, rows = resolved
    truth = {(a, b) for a, b in combinations(range(len(rows)), 2) if rows[a].person == rows[b].person}
    said = {pair for group in found.clusters.members.values() for pair in combinations(sorted(group), 2)}
    assert len(truth & said) / len(said) > 0.97
    assert len(truth & said) / len(truth) > 0.80


def test_the_same_records_give_the_same_answer(resolved: tuple[Engine, Resolved, list[TrueRecord]]) -> None:
    _, found, rows = resolved
    again = Engine(threads=1)
    again.load((number, features(row.record)) for number, row in enumerate(rows))
    second = resolve(again)
    again.close()
    assert second.clusters.members == found.clusters.members
    assert second.thresholds == found.thresholds


def test_weights_survive_json(resolved: tuple[Engine, Resolved, list[TrueRecord]]) -> None:
    found = resolved[1].weights
    assert Weights.load(found.dump()) == found
    assert found.trained


def test_few_records_use_the_shipped_weights() -> None:
    engine = Engine()
    people = [
        Record(full_name="王小明", phone="13800138000", birth_date="1990-02-03", city="上海"),
        Record(full_name="Wang Xiaoming", phone="+86 138 0013 8000", birth_date="1990-02-03", city="上海市"),
        Record(full_name="李娜", phone="13911112222", birth_date="1985-05-06", city="北京"),
    ]
    engine.load((number, features(record)) for number, record in enumerate(people))
    found = resolve(engine)
    engine.close()
    assert not found.weights.trained
    assert found.clusters.members == {0: [0, 1]}


def test_an_engine_writes_nothing_to_disk() -> None:
    engine = Engine()
    assert engine.con.execute("select current_setting('temp_directory')").fetchall() == [("",)]
    assert engine.con.execute("select path from duckdb_databases() where database_name = 'memory'").fetchall() == [
        (None,)
    ]
    engine.close()


def nothing(low: int, high: int) -> str | None:
    """Nothing speaks against any pair."""
    del low, high
    return None


def nobody(low: int, high: int) -> bool:
    del low, high
    return False


def agreed(low: int, high: int) -> float:
    del low, high
    return 1.0


def test_a_chain_does_not_pull_different_people_together() -> None:
    weights = {(1, 2): 9.0, (2, 3): 8.0, (1, 3): -20.0}
    found = cluster(
        [(1, 2, 9.0), (2, 3, 8.0)],
        conflict=nothing,
        weight=lambda a, b: weights[min(a, b), max(a, b)],
        against=-3.0,
    )
    assert found.members == {1: [1, 2]}
    assert found.held == [(2, 3, "chain")]


EDGES = st.lists(st.tuples(st.integers(0, 12), st.integers(13, 25), st.floats(0, 30)), max_size=30)


@given(edges=EDGES, order=st.randoms(use_true_random=False))
def test_people_do_not_depend_on_the_order_of_pairs(edges: list[tuple[int, int, float]], order: object) -> None:
    mixed = list(edges)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = (cluster(given, conflict=nothing, weight=agreed, against=-3.0) for given in (edges, mixed))
    assert first.members == second.members
    assert sorted(record for group in first.members.values() for record in group) == sorted(
        {record for low, high, _ in edges for record in (low, high)}
    )


def test_those_who_only_live_together_are_left_to_a_person() -> None:
    home: dict[str, Any] = {
        "family_name": "Green",
        "street": "8 High Street",
        "city": "Leeds",
        "postal_code": "LS1 1AA",
    }
    people = {
        1: features(Record(given_name="Thomas", birth_date="1960-01-02", **home)),
        2: features(Record(given_name="Margaret", birth_date="1962-03-04", **home)),
        3: features(Record(given_name="Tom", birth_date="1960-01-02", **home)),
    }
    guards = Guards(nobody, people.__getitem__, shared_homes=True)
    assert guards.conflict(1, 2) == "household"
    assert guards.conflict(1, 3) is None
    assert (
        Guards(lambda low, high: (low, high) == (1, 3), people.__getitem__, shared_homes=True).conflict(3, 1) == "apart"
    )


def test_two_chinese_given_names_are_two_people_however_much_a_household_shares() -> None:
    home: dict[str, Any] = {
        "city": "广州",
        "street": "体育路319号15栋2706室",
        "phone": "18045678901",
        "birth_date": "1999-01-14",
    }
    names = {
        1: "周固林",
        2: "周梁德",
        3: "Zhou Gulin",
        4: "Jack Zhou",
        5: "李宁",
        6: "李静",
        7: "Li Jin",
        8: "吴琳玲",
        9: "林莹",
    }
    people = {number: features(Record(full_name=name, **home)) for number, name in names.items()}
    guards = Guards(nobody, people.__getitem__, shared_homes=True)
    assert guards.conflict(1, 2) == "household"  # twins
    assert guards.conflict(1, 3) is None
    assert guards.conflict(1, 4) is None  # the English name that many go by as well
    assert guards.conflict(5, 6) == "household"  # ning and jing are a letter apart, 宁 and 静 are not
    assert guards.conflict(6, 7) is None  # but who writes pinyin mistypes
    assert guards.conflict(8, 9) == "household"  # lin is the one's given name and the other's surname


@pytest.mark.parametrize(
    ("one", "other", "bare"),
    [
        ({}, {"phone": "13800138000", "city": "上海"}, True),
        ({"sex": "1", "region": "浙江"}, {"sex": "1", "region": "浙江"}, True),
        ({"email": "zhizhiqi88@qq.com"}, {"email": "zhizhiqi21@163.com"}, True),
        ({"city": "上海"}, {"city": "上海市"}, False),
        ({"city": "上海", "phone": "13800138000"}, {"city": "上海", "phone": "13911112222"}, True),
        ({"city": "上海", "sex": "1"}, {"city": "上海", "sex": "2"}, True),
        ({"city": "上海", "birth_date": "1990-02-03"}, {"city": "上海", "birth_date": "1990-02-04"}, False),
        ({"birth_date": "1990-02-03"}, {"birth_date": "1990-03-02"}, False),
        ({"email": "sunnygirl7@qq.com"}, {"email": "sunnygirl7@163.com"}, False),
    ],
)
def test_nobody_is_merged_on_a_bare_name(one: dict[str, Any], other: dict[str, Any], *, bare: bool) -> None:
    people = {1: features(Record(full_name="查致奇", **one)), 2: features(Record(full_name="查致奇", **other))}
    guards = Guards(nobody, people.__getitem__, shared_homes=True)
    assert guards.only_name(1, 2, 0.8) is bare
    one_city = "city" in one and one["city"] == other.get("city")
    assert guards.only_name(1, 2, 0.99) is (bare and not one_city)


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("stanley.beckman51@outlook.com", "stanley.beckman22@yahoo.com", "different"),
        ("stanley.beckman51@outlook.com", "stanley.beckman51@yahoo.com", "same_besides_name"),
        ("stanley.beckman51@outlook.com", "stanly.beckman51@outlook.com", "one_typo"),
        ("stanley@beckman.example", "stanly@beckman.example", "one_typo"),
        ("2515355318@qq.com", "2515355318@foxmail.com", "same_user"),
        ("blackbird77@qq.com", "blackbrid77@163.com", "one_typo"),
    ],
)
def test_an_address_made_of_the_name_tells_no_more_than_the_name(one: str, other: str, level: str) -> None:
    a, b = (features(Record(given_name="Stanley", family_name="Beckman", email=email)) for email in (one, other))
    assert next(item.name for item in EMAIL.levels if item.when.test(a, b)) == level


def test_two_customer_numbers_of_one_source_are_two_customers() -> None:
    same: dict[str, Any] = {"full_name": "王小明", "email": "wxm@example.com", "phone": "13800138000"}
    given = {1: ["shop", "1"], 2: ["shop", "2"], 3: ["till", "2"], 4: None}
    people = {
        number: features(Record(**same, numbers=(customer_number(*pair),) if pair else ()))
        for number, pair in given.items()
    }
    guards = Guards(nobody, people.__getitem__, shared_homes=False)
    assert guards.conflict(1, 2) == "customer_number"
    assert [guards.conflict(1, 3), guards.conflict(2, 3), guards.conflict(1, 4), guards.conflict(1, 1)] == [None] * 4
    sure = Guards(nobody, people.__getitem__, shared_homes=False, beyond_doubt=lambda low, high: {low, high} == {1, 2})
    assert sure.conflict(1, 2) is None


def test_a_third_record_does_not_bring_two_customers_of_one_source_together() -> None:
    same: dict[str, Any] = {"full_name": "王小明", "birth_date": "1990-02-03"}
    engine = Engine()
    for number, numbers in enumerate([("shop\x1f1",), (), ("shop\x1f2",)]):
        engine.load([(number, features(Record(**same, numbers=numbers)))])
    found = resolve(engine)
    engine.close()
    assert sorted(map(sorted, found.clusters.members.values())) == [[0, 1]]
    assert {why for _, _, why in found.clusters.held} == {"customer_number"}


def test_whether_homes_are_shared_is_read_from_the_records() -> None:
    assert homes_are_shared(agree=3, disagree=0)  # too few to tell
    assert homes_are_shared(agree=60, disagree=40)
    assert not homes_are_shared(agree=95, disagree=5)


def test_shipped_weights_leave_out_what_nobody_fills_in() -> None:
    weights = prior({"given": 1.0, "family": 0.9}, 1000)
    assert list(weights.levels) == ["given_name", "family_name"]
