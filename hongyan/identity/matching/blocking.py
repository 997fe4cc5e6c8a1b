"""Which pairs are looked at at all. A record gets keys; two records that share a key become a pair.

Every rule is one column of keys, made in DuckDB from the columns of features. The largest blocks of a rule are left
out until it keeps within its share of pairs: what a thousand records have in common tells nobody apart, and another
rule finds their true pairs.
"""

from dataclasses import dataclass

import duckdb

ALL_PAIRS = 600_000  # so few are simply all compared


@dataclass(frozen=True, slots=True)
class Rule:
    """sql: an expression over a record, NULL where it does not apply. It needs these columns."""

    name: str
    needs: tuple[str, ...]
    sql: str


def _join(*parts: str) -> str:
    """NULL when a part is: then the record has no key of this kind."""
    return " || '|' || ".join(parts)


_INITIAL = "substr(given, 1, 1)"
_YEAR, _DAY = "substr(birth, 1, 4)", "substr(birth, 5, 4)"

RULES: tuple[Rule, ...] = (
    Rule("national_id", ("national_id",), "national_id"),
    Rule("email", ("email",), "email"),
    Rule("phone", ("phone",), "right(phone, 8)"),
    Rule("email_user", ("email_user",), "case when length(email_user) >= 5 then email_user end"),
    Rule("names", ("given", "family"), _join("least(given_first, family)", "greatest(given_first, family)")),
    Rule("birth_family", ("birth", "family"), _join("birth", "family")),
    Rule("birth_given", ("birth", "given"), _join("birth", "given")),
    Rule("birth_postcode", ("birth", "postcode"), _join("birth", "postcode")),
    Rule("birth_city", ("birth", "city"), _join("birth", "city")),
    Rule("birth_street", ("birth", "street"), _join("birth", "street")),
    Rule("birth", ("birth",), "birth"),
    Rule("family_postcode", ("family", "postcode"), _join("family", "postcode")),
    Rule("given_postcode", ("given", "postcode"), _join("given_first", "postcode")),
    Rule("given_street", ("given", "street"), _join("given_first", "street")),
    Rule("family_street", ("family", "street"), _join("family", "street")),
    Rule("address", ("street", "house"), _join("street", "house", "coalesce(city, postcode, '')")),
    Rule("address_place", ("place", "street"), _join("street", "place")),
    Rule("family_city", ("family", "city"), _join("family", "city")),
    Rule("given_city", ("given", "city"), _join("given_first", "city")),
    Rule("sound", ("sound", "family"), _join("sound", "list_min(readings)")),
    Rule("year_names", ("birth", "given", "family"), _join(_YEAR, "substr(given, 1, 3)", "substr(family, 1, 3)")),
    Rule("day_family", ("birth", "family"), _join(_DAY, "substr(family, 1, 4)")),
    Rule("day_given", ("birth", "given"), _join(_DAY, "substr(given, 1, 4)")),
    Rule("prefixes_city", ("given", "family", "city"), _join("substr(given, 1, 2)", "substr(family, 1, 3)", "city")),
    Rule("prefixes_postcode", ("given", "family", "postcode"), _join(_INITIAL, "substr(family, 1, 2)", "postcode")),
    Rule("birth_birth_place", ("birth", "birth_place"), _join("birth", "birth_place")),
    Rule("family_birth_place", ("family", "birth_place"), _join("family", "birth_place")),
    Rule("given_birth_place", ("given", "birth_place"), _join("given_first", "birth_place")),
    Rule(
        "prefixes_birth_place",
        ("given", "family", "birth_place"),
        _join("substr(given, 1, 2)", "substr(family, 1, 3)", "birth_place"),
    ),
    Rule("month_birth_place", ("birth", "birth_place"), _join("substr(birth, 1, 6)", "substr(birth_place, 1, 3)")),
    Rule("prefixes", ("given", "family"), _join("substr(given, 1, 4)", "substr(family, 1, 4)")),
    Rule("house_postcode", ("house", "postcode"), _join("house", "postcode")),
    Rule("house_street", ("house", "street"), _join("house", "substr(street, 1, 4)")),
    Rule("place_postcode", ("place", "postcode"), _join("substr(place, 1, 4)", "postcode")),
    Rule("month_city", ("birth", "city"), _join("substr(birth, 1, 6)", "substr(city, 1, 3)")),
    Rule("place", ("place",), "place"),
    Rule("street", ("street",), "street"),
    Rule("family", ("family",), "family"),
    Rule("given", ("given",), "given_first"),
    Rule("month", ("birth",), "substr(birth, 1, 6)"),
    Rule("postcode", ("postcode",), "postcode"),
    Rule("city", ("city",), "city"),
)


def add_keys(con: duckdb.DuckDBPyConnection, table: str, *, columns: frozenset[str], pairs_a_rule: int) -> list[str]:
    """Add a column of keys for each rule whose columns are filled. Returns the conditions for Splink."""
    rows = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    if rows * (rows - 1) / 2 <= ALL_PAIRS:
        return ["l.uid <> r.uid"]
    conditions = []
    for rule in RULES:
        if not columns.issuperset(rule.needs):
            continue
        key = f"key_{rule.name}"
        con.execute(f"alter table {table} add column {key} ubigint")
        con.execute(_fill(table, key, rule.sql, pairs_a_rule))
        conditions.append(f"l.{key} = r.{key}")
    return conditions or ["1 = 0"]


def _fill(table: str, key: str, sql: str, pairs: int) -> str:
    """Blocks by size, smallest first, as long as their pairs together stay within the share. Ties go by key, so that
    the same records always give the same pairs."""
    return f"""
        update {table} set {key} = kept.key from (
            select key from (
                select key, n, sum(n * (n - 1) / 2) over (order by n, key) as pairs
                from (select hash({sql}) as key, count(*) as n from {table} where ({sql}) is not null group by 1)
                where n > 1
            ) where pairs <= {pairs} or n = 2
        ) kept where hash({sql}) = kept.key and ({sql}) is not null
    """
