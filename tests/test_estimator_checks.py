"""scikit-learn's own checks of estimators, on the estimators that scikit-learn checks its own searches with."""

from typing import Any

import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from moopt.search_cv import ParetoSearchCV

# Scores only, since the checks want two fits to be equal, and a size or a latency varies a little from fit to fit.
CHEAP: dict[str, Any] = {"cv": 2, "error_score": "raise", "n_trials": 2, "random_state": 0}
SEARCHES = [
    ParetoSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, objectives=["r2", "neg_mean_absolute_error"], **CHEAP),
    ParetoSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, objectives=["accuracy", "balanced_accuracy"], **CHEAP),
    ParetoSearchCV(
        Pipeline([("pca", PCA()), ("ridge", Ridge())]), {"ridge__alpha": [0.1, 1.0]}, objectives=["r2"], **CHEAP
    ),
    ParetoSearchCV(
        Pipeline([("pca", PCA()), ("logisticregression", LogisticRegression())]),
        {"logisticregression__C": [0.1, 1.0]},
        objectives=["accuracy"],
        **CHEAP,
    ),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(SEARCHES)
def test_scikit_learns_check_passes(estimator: Any, check: Any) -> None:
    check(estimator)
