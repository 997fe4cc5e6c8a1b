"""People who resemble a chosen group, as a rule that does not name what defines the group."""

from datetime import datetime
from typing import Any, Final

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.insight.members import Ids, member_ids
from hongyan.audience.suggest.features import features as features_of
from hongyan.audience.suggest.reading import common_events, common_kinds, common_values, matrix
from hongyan.audience.suggest.rules import EVERYONE, Branch, branches, rule
from hongyan.audience.suggest.sampling import SEED, Sample, differences, drawn, found_by, halves
from hongyan.audience.suggest.types import Found, Progress, Suggestion

LIKE: Final = 12_000  # of the group; a tree of depth four learns no more from more
OTHERS: Final = 24_000
DEPTH: Final = 4
LEAST: Final = 20  # people in the group, or there is nothing to learn from
# How much of the group each rule should find; the middle one is where both mistakes weigh the same.
NARROW, BROAD = 0.3, 0.8
NAMES: Final = {
    "focused": ("最像的人", "The most alike"),
    "balanced": ("兼顾准与全", "Balanced"),
    "broad": ("范围更广", "Broader"),
}


class TooFew(Exception):
    """Fewer than ``LEAST`` people in the group, or nobody outside it."""


def look_alikes(tree: Any, *, left_out: list[Any], catalogue: Catalogue, now: datetime, progress: Progress) -> Found:
    """tree: the group. left_out: nodes of its definition, whose fields the rule must not use. Raises TooFew."""
    group = member_ids(tree, catalogue=catalogue, now=now)
    everyone = member_ids(EVERYONE, catalogue=catalogue, now=now)
    others = np.setdiff1d(everyone, group, assume_unique=True)
    if group.size < LEAST or others.size < LEAST:
        raise TooFew
    progress(10)
    rng = np.random.default_rng(SEED)
    like, unlike = drawn(group, LIKE, rng), drawn(others, OTHERS, rng)
    ids = np.sort(np.concatenate([like, unlike]))
    inside = np.isin(ids, like, assume_unique=True)
    # A member of the sample stands for so many people.
    weight = np.where(inside, group.size / like.size, others.size / unlike.size)
    events = common_events(ids, now=now)
    kinds = common_kinds(ids, events, catalogue, now=now)
    features = features_of(
        catalogue, events=events, values=common_values(ids, catalogue), kinds=kinds, left_out=left_out
    )
    progress(20)
    values = matrix(features, ids, catalogue, now=now)
    progress(50)
    learn, test = halves(ids.size, rng)
    sample = Sample(ids, weight, features, values, learn, test, catalogue, now)
    root, fitted = _fit(sample, inside)
    progress(60)
    rules = _rules(root, fitted.apply(values[learn]), sample, inside)
    made = []
    for number, (kind, found) in enumerate(rules):
        made.append(_tested(kind, found, sample, inside, group))
        progress(60 + 35 * (number + 1) // len(rules))
    useful = [item for item in made if item.size and item.unseen_precision > group.size / everyone.size]
    return Found(useful, int(everyone.size), int(ids.size), len(features), group.size / everyone.size)


def _fit(sample: Sample, inside: Any) -> tuple[Branch, Any]:
    values, known = sample.values[sample.learn], inside[sample.learn]
    fitted = DecisionTreeClassifier(
        max_depth=DEPTH,
        min_samples_leaf=max(10, len(known) // 100),
        class_weight="balanced",
        ccp_alpha=0.001,  # a split must earn its words
        random_state=0,
    ).fit(values, known)
    return branches(fitted.tree_, sample.features, values), fitted


def _rules(root: Branch, leaves: Any, sample: Sample, inside: Any) -> list[tuple[str, dict[str, Any]]]:
    """Leaves from the purest on: few of them for a focused rule, more for a broad one; each rule once."""
    known, weight = inside[sample.learn], sample.weight[sample.learn]
    pure: dict[int, float] = {}
    share: dict[int, float] = {}
    for leaf in np.unique(leaves):
        here = leaves == leaf
        pure[int(leaf)] = float(weight[here & known].sum() / weight[here].sum())
        share[int(leaf)] = float((here & known).sum() / max(1, known.sum()))
    order = sorted(pure, key=lambda leaf: -pure[leaf])
    recall = np.cumsum([share[leaf] for leaf in order])
    base = float(weight[known].sum() / weight.sum())
    size = np.cumsum([share[leaf] / pure[leaf] * base if pure[leaf] else 0.0 for leaf in order])
    f1 = [2 * found * base / (part + base) for found, part in zip(recall, size, strict=True)]
    wanted = {
        "focused": int(np.searchsorted(recall, NARROW)) + 1,
        "balanced": int(np.argmax(f1)) + 1,
        "broad": int(np.searchsorted(recall, BROAD)) + 1,
    }
    made: list[tuple[str, dict[str, Any]]] = []
    for kind, count in wanted.items():
        found = rule(root, {leaf for leaf in order[:count] if share[leaf]}, sample.features)
        if found is not None and found != EVERYONE and all(found != other for _kind, other in made):
            made.append((kind, found))
    return made


def _tested(kind: str, tree: dict[str, Any], sample: Sample, inside: Any, group: Ids) -> Suggestion:
    """What the rule itself means, counted over everybody, and on the people that the tree was not fitted to."""
    means, members = found_by(tree, sample)
    hit, own, heavy = means[sample.test], inside[sample.test], sample.weight[sample.test]
    found = float(heavy[hit].sum())
    hits = int(np.intersect1d(members, group, assume_unique=True).size)
    name_zh, name_en = NAMES[kind]
    return Suggestion(
        kind=kind,
        name_zh=name_zh,
        name_en=name_en,
        tree=tree,
        size=int(members.size),
        fresh=int(members.size) - hits,
        precision=hits / max(1, members.size),
        recall=hits / max(1, group.size),
        hits=hits,
        found=int(members.size),
        own=int(group.size),
        exact=True,
        unseen_precision=float(heavy[hit & own].sum()) / found if found else 0.0,
        unseen_recall=float((hit & own).sum() / max(1, own.sum())),
        tested=int(sample.test.size),
        differences=differences(sample, means),
    )
