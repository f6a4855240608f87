"""Small data files for tests."""

from pathlib import Path

import numpy as np


def write_table(path: Path, n_rows: int = 90, n_columns: int = 3) -> Path:
    """A CSV file with numbers ``x0``, ``x1``... and a target ``y`` of ``no`` and ``yes`` that they nearly decide."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    yes = X[:, 0] + 0.5 * X[:, 1] + 0.3 * rng.normal(size=n_rows) > 0.3
    lines = [",".join([*(f"x{column}" for column in range(n_columns)), "y"])]
    lines += [
        ",".join([*(f"{value:.6f}" for value in row), "yes" if label else "no"])
        for row, label in zip(X, yes, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
