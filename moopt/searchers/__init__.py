"""A searcher by its name, and the options that a study keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moopt.errors import SpecError, nearest
from moopt.searchers.base import Searcher
from moopt.searchers.moead import MOEAD
from moopt.searchers.nsga2 import NSGA2
from moopt.searchers.pymoo import PYMOO, PymooAlgorithm, pymoo_searcher
from moopt.searchers.sampling import GridSearcher, RandomSearcher, SobolSearcher
from moopt.searchers.surrogate import Assisted, ParEGO
from moopt.space import Space
from moopt.trial import Json

_OPERATORS: Mapping[str, tuple[str, ...]] = {"nsga2": ("auto", "sbx"), "moead": ("auto", "sbx", "de")}
_SURROGATES: Mapping[str, tuple[str, ...]] = {
    "nsga2": ("auto", "gp", "forest", "none"),
    "moead": ("auto", "gp", "forest", "none"),
    "parego": ("auto", "gp", "forest"),
}
_DEFAULTS: Mapping[str, Mapping[str, Json]] = {
    "nsga2": {"population": 20, "operators": "auto", "surrogate": "auto"},
    "moead": {"population": 20, "operators": "auto", "decomposition": "tchebycheff", "surrogate": "auto"},
    "parego": {"surrogate": "auto"},
    "random": {},
    "sobol": {},
    "grid": {"resolution": 5},
}
_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "operators": _OPERATORS,
    "decomposition": {"moead": ("tchebycheff", "pbi")},
    "surrogate": _SURROGATES,
}
_LEAST: Mapping[str, int] = {"population": 2, "resolution": 1}
_POPULATIONS: Mapping[str, type[NSGA2] | type[MOEAD]] = {"nsga2": NSGA2, "moead": MOEAD}

ALGORITHMS: tuple[str, ...] = tuple(_DEFAULTS)
"""Every name that ``algorithm=`` takes."""


def search_options(algorithm: str = "nsga2", **given: Json) -> dict[str, Json]:
    """The algorithm and all its options, defaults filled in, as plain JSON that a study's record keeps.

    An option that is None counts as not given. Raises SpecError for an unknown algorithm, an option that it
    does not have, or a value that the option cannot take.
    """
    if algorithm not in _DEFAULTS:
        raise SpecError(f"unknown algorithm {algorithm!r}{nearest(str(algorithm), ALGORITHMS)}")
    defaults = _DEFAULTS[algorithm]
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if name not in defaults:
            raise SpecError(f"{algorithm} has no option {name!r}{_known(name, defaults)}")
        _check(algorithm, name, value)
    return {"algorithm": algorithm, **defaults, **given}


def make_searcher(
    search: Mapping[str, Json], space: Space, n_objectives: int, seed: int, given: PymooAlgorithm | None = None
) -> Searcher:
    """The searcher of a study: ``search`` as :func:`search_options` gives it. Raises SpecError like it.

    Where ``search`` is that of an algorithm of pymoo, that algorithm must be ``given``.
    """
    if search.get("algorithm") == PYMOO:
        return pymoo_searcher(search, given, space, n_objectives, seed)
    if "algorithm" not in search:
        raise SpecError(f"the search has no algorithm; give one of: {', '.join(ALGORITHMS)}")
    options: dict[str, Any] = search_options(**search)
    algorithm = options.pop("algorithm")
    surrogate = options.pop("surrogate", "none")
    if algorithm in _POPULATIONS:
        plain = _POPULATIONS[algorithm](space, n_objectives, seed, **options)
        weighted = algorithm == "moead"
        return plain if surrogate == "none" else Assisted(plain, space, n_objectives, seed, surrogate, weighted)
    if algorithm == "parego":
        return ParEGO(space, n_objectives, seed, surrogate)
    if algorithm == "grid":
        return GridSearcher(space, seed, **options)
    return RandomSearcher(space, seed) if algorithm == "random" else SobolSearcher(space, seed)


def _check(algorithm: str, name: str, value: Json) -> None:
    if name in _CHOICES:
        choices = _CHOICES[name][algorithm]
        if value not in choices:
            raise SpecError(f"{name} is {value!r}{nearest(str(value), choices)}")
    elif isinstance(value, bool) or not isinstance(value, int) or value < _LEAST[name]:
        raise SpecError(f"{name} is {value!r}; give a whole number of at least {_LEAST[name]}")


def _known(name: str, options: Mapping[str, Json]) -> str:
    return nearest(name, options) if options else "; it takes none"
