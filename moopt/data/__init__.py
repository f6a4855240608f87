"""A data file: read, checked, hashed and split."""

from moopt.data.dataset import (
    Data,
    DataSpec,
    FileReference,
    Ints,
    Reference,
    Rows,
    Split,
    read_data,
    sha256_of,
    stratified_folds,
)

__all__ = [
    "Data",
    "DataSpec",
    "FileReference",
    "Ints",
    "Reference",
    "Rows",
    "Split",
    "read_data",
    "sha256_of",
    "stratified_folds",
]
