"""Every searcher against the contract, and searchers by their names."""

import json

import pytest

from moopt.errors import SpecError
from moopt.searchers import ALGORITHMS, make_searcher, search_options
from tests.contracts.searchers import SearcherContract, mixed_space


class TestNSGA2(SearcherContract):
    search = search_options("nsga2", population=8, surrogate="none")


class TestNSGA2WithSBX(SearcherContract):
    search = search_options("nsga2", population=8, operators="sbx", surrogate="none")


class TestMOEAD(SearcherContract):
    search = search_options("moead", population=8, surrogate="none")


class TestMOEADWithPBIAndSBX(SearcherContract):
    search = search_options("moead", population=8, operators="sbx", decomposition="pbi", surrogate="none")


class TestMOEADWithTheOperatorsOfPublishedTables(SearcherContract):
    search = search_options("moead", population=8, operators="de")


class TestRandom(SearcherContract):
    search = search_options("random")


class TestSobol(SearcherContract):
    search = search_options("sobol")


class TestGrid(SearcherContract):
    search = search_options("grid")


def test_options_are_filled_in_and_survive_json():
    options = search_options("moead", population=30, operators=None)
    assert options == {
        "algorithm": "moead",
        "population": 30,
        "operators": "auto",
        "decomposition": "tchebycheff",
        "surrogate": "auto",
    }
    assert search_options(**json.loads(json.dumps(options))) == options


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_made_from_its_defaults(algorithm):
    assert make_searcher(search_options(algorithm), mixed_space(), 2, seed=0)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"algorithm": "nsga"}, r"unknown algorithm 'nsga'; did you mean 'nsga2'\?"),
        ({"algorithm": 3}, "unknown algorithm 3; expected one of: nsga2, moead"),
        ({"algorithm": "nsga2", "populaton": 3}, r"nsga2 has no option 'populaton'; did you mean 'population'\?"),
        ({"algorithm": "random", "population": 3}, "random has no option 'population'; it takes none"),
        ({"algorithm": "nsga2", "operators": "sbs"}, r"operators is 'sbs'; did you mean 'sbx'\?"),
        ({"algorithm": "nsga2", "operators": "de"}, "operators is 'de'; expected one of: auto, sbx"),
        ({"algorithm": "parego", "surrogate": "none"}, "surrogate is 'none'; expected one of: auto, gp, forest"),
        ({"algorithm": "parego", "population": 9}, "parego has no option 'population'; expected one of: surrogate"),
        ({"algorithm": "moead", "decomposition": "pb"}, r"decomposition is 'pb'; did you mean 'pbi'\?"),
        ({"algorithm": "moead", "population": 1}, "population is 1; give a whole number of at least 2"),
        ({"algorithm": "moead", "population": 2.5}, "population is 2.5; give a whole number"),
        ({"algorithm": "grid", "resolution": True}, "resolution is True; give a whole number of at least 1"),
        ({"population": 3}, "the search has no algorithm; give one of: nsga2"),
    ],
)
def test_a_search_that_cannot_be_is_refused(search, message):
    with pytest.raises(SpecError, match=message):
        make_searcher(search, mixed_space(), 2, seed=0)
