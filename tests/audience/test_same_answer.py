"""The SQL and the plain Python meaning give the same people, for trees and data nobody would think of."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience import rows
from hongyan.audience.compiler.canonical import canonical, digest
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.emit import emit, emit_among
from hongyan.audience.compiler.evaluate import evaluate
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from tests.audience.catalogue import small_catalogue
from tests.audience.generate import MOMENTS, Moment, facts_at, trees_at
from tests.audience.world import renumbered, world

pytestmark = pytest.mark.django_db(transaction=True)


# Shrinking against a database takes minutes; the failing tree is printed as it is.
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(data=st.data(), moment=MOMENTS)
def test_database_and_meaning_agree(data: st.DataObject, moment: Moment) -> None:
    everybody = data.draw(st.lists(facts_at(moment), min_size=1, max_size=4))
    trees = data.draw(st.lists(trees_at(moment), min_size=4, max_size=8))
    with world(everybody, moment) as (catalogue, ids):
        seen = [renumbered(facts, catalogue) for facts in everybody]
        for tree in trees:
            node = parse(tree)
            assert check(node, catalogue) == []
            expected = {
                contact_id
                for contact_id, facts in zip(ids, seen, strict=True)
                if evaluate(node, facts, catalogue, now=moment.now)
            }
            steps = rewrite(node, catalogue)
            sql = emit(steps, catalogue, now=moment.now)
            assert {row[0] for row in rows.query(sql.text, sql.params)} == expected, tree
            few = emit_among(steps, catalogue, now=moment.now, contact_ids=ids[1:])
            assert {row[0] for row in rows.query(few.text, few.params)} == expected - {ids[0]}, tree


@settings(max_examples=300, deadline=None)
@given(data=st.data(), moment=MOMENTS)
def test_canonical_spelling_keeps_meaning_and_is_stable(data: st.DataObject, moment: Moment) -> None:
    tree, facts = data.draw(trees_at(moment)), data.draw(facts_at(moment))
    catalogue = small_catalogue(zone=moment.zone)
    node = parse(tree)
    again = parse(canonical(node))
    assert digest(again) == digest(node)
    holds = evaluate(node, facts, catalogue, now=moment.now)
    assert evaluate(again, facts, catalogue, now=moment.now) == holds
    assert evaluate(rewrite(node, catalogue), facts, catalogue, now=moment.now) == holds
