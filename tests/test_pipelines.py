"""A config as a pipeline and as its source."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from moopt.data.features import Columns
from moopt.errors import SpaceError
from moopt.models.families import FAMILIES
from moopt.models.parts import Part, code, make
from moopt.models.pipelines import PipelineBuilder, build, source
from moopt.models.presets import default_configs, preset_space

MIXED = Columns(("a b", "c"), ("it's", 'say "t"'), numeric_gaps=True, text_gaps=True)
LEVELS = Columns(("a b",), ("t", "u"), levels=(("x", "y"), tuple(f"level {i}" for i in range(32))))
PLAIN = Columns(("a b", "c"))
KINDS = [MIXED, LEVELS, PLAIN, Columns(("a b",), numeric_gaps=True), Columns((), ("t",), text_gaps=True)]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def run(text: str):
    names: dict[str, object] = {}
    exec(compile(text, "pipeline.py", "exec"), names)
    return names["build"]()


def rows(columns: Columns, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {name: rng.normal(size=n) for name in columns.numeric}
        | {name: rng.choice(["", "x", "y"], n).astype(object) for name in columns.text}
    )
    if columns.numeric_gaps:
        frame.loc[::7, list(columns.numeric)] = np.nan
    return frame


@pytest.mark.parametrize("columns", KINDS)
def test_the_source_builds_an_equal_pipeline(columns):
    space = preset_space(list(FAMILIES), columns, seed=1)
    for drawn in space.sample_configuration(12):
        config = {name: getattr(value, "item", lambda value=value: value)() for name, value in dict(drawn).items()}
        built, text = build(config, columns, 3), source(config, columns, 3)
        again = run(text)
        assert repr(again) == repr(built)
        assert str(again.get_params()) == str(built.get_params())
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("columns", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_default_of_each_family_fits_without_a_warning_but_of_convergence(family, columns):
    X, y = rows(columns), np.resize(["no", "yes", "maybe"], 60)
    config = default_configs([family], columns)[0]
    model = build(config, columns).fit(X, y)
    assert set(model.predict(X)) <= {"no", "yes", "maybe"}


@pytest.mark.parametrize("encoding", ["one-hot", "ordinal"])
def test_texts_and_gaps_that_no_fit_has_seen_are_predicted(encoding):
    X = rows(MIXED)
    config = {**default_configs(["tree"], MIXED)[0], "encoding": encoding}
    model = build(config, MIXED).fit(X, np.resize([0, 1], 60))
    strange = X.assign(**{"it's": "never seen", "c": np.nan})
    assert len(model.predict(strange)) == 60


def test_a_column_without_a_value_in_a_fold_stays():
    X = rows(MIXED).assign(c=np.nan)
    model = build(default_configs(["logistic"], MIXED)[0], MIXED).fit(X, np.resize([0, 1], 60))
    assert len(model.predict(rows(MIXED))) == 60


def test_rare_levels_share_all_zeros():
    columns = Columns((), ("city",), levels=(("a", "b"),))
    X = pd.DataFrame({"city": ["a", "b", "c", "d"]}, dtype=object)
    encode = build(default_configs(["tree"], columns)[0], columns)[:-1]
    assert encode.fit_transform(X).tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]


def test_trees_are_not_scaled_and_neighbours_are():
    assert list(build(default_configs(["tree"], PLAIN)[0], PLAIN).named_steps) == ["model"]
    assert list(build(default_configs(["neighbours"], PLAIN)[0], PLAIN).named_steps) == ["scale", "model"]


def test_the_seed_reaches_the_model():
    columns = PLAIN
    config = default_configs(["forest"], columns)[0]
    assert build(config, columns, 11).named_steps["model"].random_state == 11
    assert "random_state=11" in source(config, columns, 11)


def test_a_builder_is_build_for_one_file():
    columns = PLAIN
    config = default_configs(["mlp"], columns)[0]
    assert repr(PipelineBuilder(columns, 2)(config)) == repr(build(config, columns, 2))


@pytest.mark.parametrize("about", ['He said "yes"', 'a """ b', "two\nlines", "back\\slash", ""])
def test_any_text_can_be_the_docstring(about):
    text = source(default_configs(["bayes"], MIXED)[0], MIXED, about=about)
    names: dict[str, object] = {}
    exec(compile(text, "pipeline.py", "exec"), names)
    assert str(names["__doc__"]).strip() == (about or "The unfitted pipeline of a Gaussian naive Bayes model.")


def test_long_values_are_broken_over_lines():
    part = Part("sklearn.pipeline.Pipeline", {"steps": [("model", Part("sklearn.svm.SVC", {"kernel": "x" * 120}))]})
    text = code(part, "Long.")
    assert f'    model = SVC(\n        kernel="{"x" * 120}",\n    )\n' in text
    assert repr(run(text)) == repr(make(part))


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({}, "the config's family is None; expected one of: logistic"),
        ({"family": "tre"}, r"the config's family is 'tre'; did you mean 'tree'\?"),
        ({"family": "bayes"}, "the config gives nothing for family bayes; expected var_smoothing"),
        ({"family": "bayes", "bayes:x": 1}, "gives x for family bayes; expected var_smoothing"),
    ],
)
def test_a_config_that_is_no_preset_is_refused(config, match):
    with pytest.raises(SpaceError, match=match):
        build(config, MIXED)
