"""The front as files to take along: the columns of ``study.front()``."""

from __future__ import annotations

from io import BytesIO

import pandas as pd

from moopt.frames import front_frame
from moopt.store.transfer import one_type
from moopt_explorer.data import Snapshot


def front(snapshot: Snapshot) -> pd.DataFrame:
    """The front, whatever the limits are: a row a trial, as :meth:`moopt.Study.front` gives it."""
    steps = {trial.number: trial.n_steps for trial in snapshot.complete}  # a complete trial has done all of them
    return front_frame(snapshot.objectives, snapshot.complete, steps)


def as_csv(frame: pd.DataFrame) -> bytes:
    """A frame as CSV in UTF-8."""
    return frame.to_csv(index=False).encode("utf-8")


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet; a column of mixed values becomes texts."""
    packed = BytesIO()
    frame.apply(one_type).to_parquet(packed, index=False)
    return packed.getvalue()
