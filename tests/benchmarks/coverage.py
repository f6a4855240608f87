"""Whether claims about a front hold on rows that nobody has seen; JSON lines.

    python tests/benchmarks/coverage.py [--data adult] [--splits 20] [--rows 3000] [--unseen 25000]

In each split a study has 3,000 rows: a search on 80 % of them by five folds, a test on the rest. 40 fixed configs of
cheap families stand for its trials. Each is scored by folds, then fitted on all search rows and scored on the test
rows and on a large remainder, which stands for the truth. Latency and size are measured once a config and are
constants. Claims are held against the remainder, those of the search alone and those that test rows confirm: that an
interval of 90 % covers the value, that a trial which is on the front with a probability of at least .9 is not
dominated, and that of two trials whose difference is beyond noise the better one is better. With costs among the
objectives some trials are on any front; so the second claim is judged on the scores alone as well.

Data: a file of the folder `shared` beside the checkout (or ``--shared``), else scikit-learn's generator.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from moopt import pareto  # noqa: E402 - the path comes first
from moopt.measure.latency import latency  # noqa: E402
from moopt.measure.size import size_kb  # noqa: E402
from moopt.objectives import Floats  # noqa: E402
from moopt.uncertainty import (  # noqa: E402
    CONFIDENCE,
    bootstrap_rows,
    corrected_interval,
    draw_interval,
    fold_draws,
    front_probability,
    tied,
)

FOLDS, TEST_SHARE, LIKELY = 5, 0.2, 0.9
SCORES = ("accuracy", "recall")


def configs() -> list[Any]:
    """40 unfitted models."""
    balance = (None, "balanced")
    few = {"max_features": 0.5, "random_state": 0}
    return [
        *(LogisticRegression(C=c, class_weight=w, max_iter=300) for c in (0.001, 0.01, 0.1, 1, 10) for w in balance),
        *(
            DecisionTreeClassifier(max_depth=d, class_weight=w, min_samples_leaf=5, random_state=0)
            for d in (2, 4, 6, 8, 12)
            for w in balance
        ),
        *(GaussianNB(var_smoothing=v) for v in (1e-9, 1e-3, 1e-1, 1)),
        *(
            RandomForestClassifier(n, max_depth=d, class_weight=w, **few)
            for n in (10, 30)
            for d in (5, 12)
            for w in balance
        ),
        *(ExtraTreesClassifier(20, max_depth=d, class_weight=w, **few) for d in (6, 12) for w in balance),
        *(
            HistGradientBoostingClassifier(max_iter=n, max_leaf_nodes=7, class_weight=w, early_stopping=False)
            for n in (25, 75)
            for w in balance
        ),
    ]


class Table(NamedTuple):
    """Rows to learn from."""

    name: str
    X: Any
    y: Any
    """True for the positive class."""


def table(name: str, shared: Path) -> Table:
    if not shared.is_dir():
        X, y = make_classification(20_000, n_features=20, n_informative=8, flip_y=0.1, weights=[0.75], random_state=0)
        return Table("make_classification", pd.DataFrame(X).add_prefix("x"), y == 1)
    sys.path.insert(0, str(shared / "tools"))
    import datasets

    X, y, info = datasets.load(name)
    return Table(name, X, np.asarray(y == info.positive))


class Split(NamedTuple):
    """What one split measured of n configs; scores are accuracy and recall."""

    folds: Floats
    """Shape (n, k, 2)."""
    test: Floats
    """Shape (n, 2)."""
    draws: Floats
    """Shape (d, n, 2): scores on resampled test rows."""
    truth: Floats
    """Shape (n, 2): scores on the remainder."""
    costs: Floats
    """Shape (n, 2): latency in ms and size in kB."""


def measured(data: Table, seed: int, n_rows: int, n_unseen: int, costs: Floats | None) -> Split:
    chosen, unseen = train_test_split(
        np.arange(len(data.y)), train_size=n_rows, test_size=n_unseen, stratify=data.y, random_state=seed
    )
    search, test = train_test_split(chosen, test_size=TEST_SHARE, stratify=data.y[chosen], random_state=seed)
    prepared = prepare(data.X.iloc[search])
    X, y = prepared.transform(data.X), data.y
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    folds = [(search[train], search[valid]) for train, valid in splitter.split(search, y[search])]
    by_fold = [[scores(y[v], model.fit(X[t], y[t]).predict(X[v])) for t, v in folds] for model in configs()]
    models = [model.fit(X[search], y[search]) for model in configs()]
    right = np.array([model.predict(X[test]) == y[test] for model in models])
    truth = [scores(y[unseen], model.predict(X[unseen])) for model in models]
    whole = np.arange(len(test))[None]
    return Split(
        np.array(by_fold),
        resampled(right, y[test], whole)[0],
        resampled(right, y[test], bootstrap_rows(len(test), seed=seed)),
        np.array(truth),
        np.array([[latency(one.predict, X[test]).ms, size_kb(one)] for one in models]) if costs is None else costs,
    )


def prepare(X: pd.DataFrame) -> Any:
    numeric = list(X.select_dtypes("number").columns)
    text = [column for column in X if column not in numeric]
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric), (one_hot, text)
    ).fit(X)


def scores(y: Any, predicted: Any) -> tuple[float, float]:
    return float((y == predicted).mean()), float(predicted[y].mean())


def resampled(right: Any, positive: Any, rows: Any) -> Floats:
    """Accuracy and recall (d, n, 2) of right answers (n, rows) on draws of rows (d, rows)."""
    counts = np.stack([np.bincount(draw, minlength=len(positive)) for draw in rows]).astype(float)
    accuracy = counts @ right.T / counts.sum(axis=1, keepdims=True)
    recall = counts @ (right & positive).T / (counts @ positive)[:, None]
    return np.stack([accuracy, recall], axis=2)


# Claims against the remainder

Counts = dict[str, float]


def held(split: Split) -> dict[str, Counts]:
    """By who claims, how many claims there were and how many held."""
    by_search, by_test = -split.folds, -split.draws
    low, high = corrected_interval(by_search.swapaxes(0, 1), CONFIDENCE)
    claims = {
        "search": (by_search.mean(axis=1), (low, high), fold_draws(by_search)),
        "confirmed": (-split.test, draw_interval(by_test, CONFIDENCE), by_test),
    }
    found = {}
    for name, (losses, interval, draws) in claims.items():
        front = pareto.nondominated(np.hstack([losses, np.log10(split.costs)]))
        inside = (interval[0] <= -split.truth) & (-split.truth <= interval[1])
        found[name] = {
            **share("covered", inside),
            **share("covered_on_front", inside[front]),
            **membership("front", draws, split, with_costs=True),
            **membership("front_of_scores", draws, split, with_costs=False),
            **order(losses, draws, split.truth),
        }
    return found


def share(name: str, right: Any) -> Counts:
    return {f"{name}:n": float(np.size(right)), f"{name}:right": float(np.sum(right))}


def membership(name: str, draws: Floats, split: Split, *, with_costs: bool) -> Counts:
    truth, costs = -split.truth, np.log10(split.costs)
    if with_costs:
        truth = np.hstack([truth, costs])
        draws = np.concatenate([draws, np.broadcast_to(costs, (*draws.shape[:2], 2))], axis=2)
    real, likely = pareto.nondominated(truth), front_probability(draws) >= LIKELY
    return share(f"{name}_likely", real[likely]) | share(f"{name}_rest", real[~likely])


def order(losses: Floats, draws: Floats, truth: Floats) -> Counts:
    right: list[bool] = []
    n_pairs = 0
    for column in range(losses.shape[1]):
        apart = np.triu(~tied(draws[:, :, [column]], CONFIDENCE), 1)
        first, second = np.nonzero(apart)
        n_pairs += len(losses) * (len(losses) - 1) // 2
        better = losses[first, column] < losses[second, column]
        right += list(better == (truth[first, column] > truth[second, column]))
    return share("order_beyond_noise", right) | {"pairs:n": float(n_pairs), "pairs:right": float(len(right))}


def summary(found: list[dict[str, Counts]]) -> list[dict[str, Any]]:
    lines = []
    for who in found[0]:
        total = {key: sum(one[who][key] for one in found) for key in found[0][who]}
        names = dict.fromkeys(key.split(":")[0] for key in total)
        shares = {name: total[f"{name}:right"] / max(1.0, total[f"{name}:n"]) for name in names}
        counts = {f"n_{name}": int(total[f"{name}:n"]) for name in names}
        lines.append({"claims_of": who, **{k: round(v, 3) for k, v in shares.items()}, **counts})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="adult")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--unseen", type=int, default=25_000)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data = table(given.data, given.shared)
    began, found, costs = time.perf_counter(), [], None
    with threadpool_limits(1):
        for seed in range(given.splits):
            split = measured(data, seed, given.rows, given.unseen, costs)
            costs = split.costs
            found.append(held(split))
    about = {"benchmark": "coverage", "data": data.name, "splits": given.splits, "rows": given.rows}
    for line in summary(found):
        print(json.dumps({**about, "unseen": given.unseen, "confidence": CONFIDENCE, **line}), flush=True)
    print(json.dumps({**about, "seconds": round(time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
