"""How sure a front is: resampling and what follows from it; arrays in, arrays out.

Losses have shape (n, m): n trials, m objectives, less is better. Draws have shape (d, n, m): d times what the losses
might as well have been. All trials of a draw stand on the same resampled folds or rows, so that what is hard for
every trial is no difference between them. No input is changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moopt.errors import UsageError

N_DRAWS = 500


def bootstrap_rows(n_rows: int, n_draws: int = N_DRAWS, seed: int = 0) -> NDArray[np.int32]:
    """Row numbers (n_draws, n_rows) drawn with replacement, always the same for the same arguments.

    Score every trial on the same draws: then their differences are paired. Efron 1979, doi:10.1214/aos/1176344552.
    Raises UsageError for no rows, no draws or more rows than an int32 counts.
    """
    if not 1 <= n_rows < 2**31 or n_draws < 1:
        raise UsageError(f"bootstrap_rows was asked for {n_draws} draws of {n_rows} rows; give at least one of each")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    return generator.integers(n_rows, size=(n_draws, n_rows), dtype=np.int32)
