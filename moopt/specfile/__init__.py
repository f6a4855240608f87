"""A study as a TOML file, validated: what to search, on which data, for which objectives, and how."""

from moopt.specfile.spec import StudySpec, parse_spec, read_spec, spec_for_csv
from moopt.specfile.writing import write_toml

__all__ = ["StudySpec", "parse_spec", "read_spec", "spec_for_csv", "write_toml"]
