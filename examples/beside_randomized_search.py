"""Where RandomizedSearchCV stood: four objectives on real data, and one estimator chosen from the front."""

from scipy.stats import loguniform, randint
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from moopt import ParetoSearchCV


def main() -> None:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = 1 - y  # 1 is malignant: recall counts the cases that are found
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    search = ParetoSearchCV(
        pipeline,
        [
            {"model": [LogisticRegression(max_iter=1000)], "model__C": loguniform(1e-3, 1e2)},
            {
                "scale": ["passthrough"],
                "model": [RandomForestClassifier(random_state=0)],
                "model__n_estimators": randint(5, 60),
                "model__min_samples_leaf": randint(1, 20),
            },
        ],
        objectives=["accuracy", "recall", "latency", "size"],
        n_trials=16,
        cv=3,
        random_state=0,
        refit="recall",
    )
    search.fit(X_train, y_train)
    print(search.front_[["number", "accuracy", "recall", "latency_ms", "size_kb"]].to_string(index=False))
    print(f"chosen: {search.best_params_}")
    print(f"recall on rows that the search never saw: {search.score(X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
