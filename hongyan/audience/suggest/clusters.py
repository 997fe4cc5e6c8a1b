"""Groups that people fall into by what they do, each as a rule and with a name made of what tells it apart."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.tree import DecisionTreeClassifier

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.insight.members import member_ids
from hongyan.audience.suggest.features import Feature, Kind
from hongyan.audience.suggest.features import features as features_of
from hongyan.audience.suggest.lookalike import LEAST, TooFew
from hongyan.audience.suggest.reading import Matrix, common_events, common_kinds, common_values, matrix
from hongyan.audience.suggest.rules import EVERYONE, branches, rule
from hongyan.audience.suggest.sampling import SEED, Sample, differences, drawn, found_by, halves, scaled
from hongyan.audience.suggest.types import Difference, Found, Progress, Suggestion

PEOPLE: Final = 20_000
GROUPS: Final = range(3, 8)  # fewer say nothing, more are not read
DEPTH: Final = 3
_JUDGED: Final = 2_000  # people by whom the number of groups is judged: silhouettes cost their square
_FLAG_WEIGHT: Final = 0.35  # where one lives tells less than what one does


def clusters(tree: Any, *, catalogue: Catalogue, now: datetime, progress: Progress) -> Found:
    """tree: whom to group ({"everyone": true} or an audience). Raises TooFew."""
    people = member_ids(tree, catalogue=catalogue, now=now)
    if people.size < 5 * LEAST:
        raise TooFew
    progress(5)
    rng = np.random.default_rng(SEED)
    ids = drawn(people, PEOPLE, rng)
    events = common_events(ids, now=now)
    progress(10)
    kinds = common_kinds(ids, events, catalogue, now=now)
    features = features_of(catalogue, events=events, values=common_values(ids, catalogue), kinds=kinds)
    progress(15)
    values = matrix(features, ids, catalogue, now=now)
    progress(45)
    learn, test = halves(ids.size, rng)
    sample = Sample(ids, np.ones(ids.size), features, values, learn, test, catalogue, now)
    space = _space(features, values)
    model = _grouped(space[learn], rng)
    group = model.predict(space)
    progress(60)
    made = []
    count = int(model.n_clusters)
    for number in range(count):
        found = _described(sample, group == number, tree, whole=ids.size == people.size)
        if found is not None:
            made.append(found)
        progress(60 + 35 * (number + 1) // count)
    made.sort(key=lambda item: -item.size)
    return Found(_told_apart(made), int(people.size), int(ids.size), len(features))


def _space(features: list[Feature], values: Matrix) -> Any:
    """Standardised; what nearly nobody or nearly everybody has says nothing."""
    shown = scaled(features, values)
    spread = shown.std(axis=0)
    useful = spread > 0.05
    made = (shown[:, useful] - shown[:, useful].mean(axis=0)) / spread[useful]
    flags = np.array([item.kind is Kind.FLAG for item in features])[useful]
    made[:, flags] *= _FLAG_WEIGHT
    return np.clip(made, -3, 3)


def _grouped(space: Any, rng: np.random.Generator) -> KMeans:
    """The number of groups whose silhouette is best; of equals the smaller."""
    judged = space[rng.permutation(len(space))[:_JUDGED]]
    best: tuple[float, KMeans] | None = None
    for count in GROUPS:
        model = KMeans(n_clusters=count, n_init=3, random_state=0).fit(space)
        labels = model.predict(judged)
        score = float(silhouette_score(judged, labels)) if len(set(labels.tolist())) > 1 else -1.0
        if best is None or score > best[0] + 0.01:
            best = score, model
    assert best is not None  # noqa: S101  GROUPS is not empty
    return best[1]


def _described(sample: Sample, inside: Any, within: Any, *, whole: bool) -> Suggestion | None:
    """The rule that says who is in this group; None where no short one does. whole: the sample is everybody asked
    about, so it can be counted over them all."""
    values, known = sample.values[sample.learn], inside[sample.learn]
    if not known.any() or known.all():
        return None
    fitted = DecisionTreeClassifier(
        max_depth=DEPTH,
        min_samples_leaf=max(5, len(known) // 200),
        class_weight="balanced",
        ccp_alpha=0.002,
        random_state=0,
    ).fit(values, known)
    leaves = fitted.apply(values)
    chosen = {int(leaf) for leaf in np.unique(leaves) if known[leaves == leaf].mean() > 0.5}
    tree = rule(branches(fitted.tree_, sample.features, values), chosen, sample.features)
    if tree is None or tree == EVERYONE:
        return None
    if within != EVERYONE:
        tree = {"all": [within, tree]}
    means, members = found_by(tree, sample)
    hit, own = means[sample.test], inside[sample.test]
    unseen = _shares(hit, own)
    counted = _shares(means, inside) if whole else unseen
    told = differences(sample, means)
    name_zh, name_en = _name(told)
    return Suggestion(
        kind="cluster",
        name_zh=name_zh,
        name_en=name_en,
        tree=tree,
        size=int(members.size),
        fresh=int(members.size),
        precision=counted.hits / max(1, counted.found),
        recall=counted.hits / max(1, counted.own),
        hits=counted.hits,
        found=counted.found,
        own=counted.own,
        exact=whole,
        unseen_precision=unseen.hits / max(1, unseen.found),
        unseen_recall=unseen.hits / max(1, unseen.own),
        tested=int(sample.test.size),
        differences=told,
    )


class _Shares(NamedTuple):
    hits: int
    found: int
    own: int


def _shares(means: Any, inside: Any) -> _Shares:
    return _Shares(int((means & inside).sum()), int(means.sum()), int(inside.sum()))


def _name(told: list[Difference]) -> tuple[str, str]:
    """The two things that tell them apart most."""
    if not told:
        return "与大家相近", "Like everyone"
    zh = "，".join(_said(item, "zh") for item in told[:2])
    en = ", ".join(_said(item, "en") for item in told[:2])
    return zh, en[:1].upper() + en[1:]


def _said(item: Difference, language: str) -> str:
    label = item.label_zh if language == "zh" else item.label_en
    words = {
        ("count", True): ("常：%s", "often: %s"),
        ("count", False): ("很少：%s", "seldom: %s"),
        ("number", True): ("%s高", "high: %s"),
        ("number", False): ("%s低", "low: %s"),
        ("ago", True): ("%s较近", "recent: %s"),
        ("ago", False): ("%s已久", "long ago: %s"),
        ("flag", True): ("多为%s", "mostly %s"),
        ("flag", False): ("少有%s", "rarely %s"),
    }[item.kind, item.more]
    return words[0 if language == "zh" else 1] % label


def _told_apart(made: list[Suggestion]) -> list[Suggestion]:
    """Equal names get numbers."""
    seen: dict[str, int] = {}
    named = []
    for item in made:
        seen[item.name_en] = seen.get(item.name_en, 0) + 1
        n = seen[item.name_en]
        if n > 1:
            item = replace(item, name_zh=f"{item.name_zh}（{n}）", name_en=f"{item.name_en} ({n})")  # noqa: PLW2901
        named.append(item)
    return named
