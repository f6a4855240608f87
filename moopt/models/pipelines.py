"""A config as an unfitted scikit-learn pipeline, and the same as readable source.

Both are read from one description, a tree of classes with their arguments, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moopt.data.features import MISSING_TEXT, Columns
from moopt.errors import SpaceError, nearest
from moopt.models.families import FAMILIES, Family
from moopt.models.parts import Part, code, make
from moopt.trial import Config

_MODEL = "model"
"""The step of the pipeline that is the model."""


@dataclass(frozen=True)
class PipelineBuilder:
    """:func:`build` for one data file and seed, as workers call it: picklable, config -> pipeline."""

    columns: Columns
    seed: int = 0

    def __call__(self, config: Config) -> Any:
        """The unfitted pipeline of a config."""
        return build(config, self.columns, self.seed)


def build(config: Config, columns: Columns, seed: int = 0) -> Any:
    """The unfitted ``sklearn.pipeline.Pipeline`` of a config; raises SpaceError as :func:`describe`."""
    return make(describe(config, columns, seed))


def source(config: Config, columns: Columns, seed: int = 0, about: str = "") -> str:
    """A Python module whose ``build()`` gives an estimator equal to :func:`build`'s.

    ``about`` becomes its docstring.
    """
    default = f"The unfitted pipeline of a {_family(config).title} model."
    return code(describe(config, columns, seed), about.strip() or default)


def parameters(names: Iterable[str]) -> dict[str, str]:
    """Hyperparameter of a family -> the parameter of the pipeline that it sets, for those of these names."""
    pairs = (name.split(":", 1) for name in names if ":" in name)
    return {f"{family}:{own}": f"{_MODEL}__{own}" for family, own in pairs}


def describe(config: Config, columns: Columns, seed: int = 0) -> Part:
    """The pipeline of a config as a tree of parts.

    Raises SpaceError for a config without a known family, or with a hyperparameter that is missing or not its own.
    """
    family = _family(config)
    steps = [*_preparation(family, config, columns), (_MODEL, _model(family, config, seed))]
    return Part("sklearn.pipeline.Pipeline", {"steps": steps})


def _family(config: Config) -> Family:
    name = config.get("family")
    if name not in FAMILIES:
        raise SpaceError(f"the config's family is {name!r}{nearest(str(name), FAMILIES)}")
    return FAMILIES[str(name)]


def _model(family: Family, config: Config, seed: int) -> Part:
    prefix = f"{family.name}:"
    given = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    names = [parameter.name for parameter in family.parameters]
    if sorted(given) != sorted(names):
        raise SpaceError(
            f"the config gives {', '.join(given) or 'nothing'} for family {family.name}; expected {', '.join(names)}"
        )
    arguments = {name: None if given[name] == "none" else given[name] for name in names}
    if family.name == "mlp":
        arguments = _hidden_layers(arguments)
    arguments.update(family.fixed)
    if family.seeded:
        arguments["random_state"] = seed % 2**32
    return Part(family.model, arguments)


def _hidden_layers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in arguments.items() if name not in ("units", "layers")}
    return {"hidden_layer_sizes": (arguments["units"],) * arguments["layers"], **rest}


def _preparation(family: Family, config: Config, columns: Columns) -> list[tuple[str, Part]]:
    """The steps before the model. Columns of one type need no ColumnTransformer, which costs a call about a ms."""
    numbers, texts = _numbers(family, config, columns), _texts(config, columns)
    if not columns.text:
        return numbers
    if not columns.numeric:
        return texts
    branches = [
        ("numbers", _chain(numbers), list(columns.numeric)),
        ("texts", _chain(texts), list(columns.text)),
    ]
    return [("columns", Part("sklearn.compose.ColumnTransformer", {"transformers": branches}))]


def _chain(steps: list[tuple[str, Part]]) -> Part | str:
    if len(steps) == 1:
        return steps[0][1]
    return Part("sklearn.pipeline.Pipeline", {"steps": steps}) if steps else "passthrough"


def _numbers(family: Family, config: Config, columns: Columns) -> list[tuple[str, Part]]:
    steps = []
    if columns.numeric_gaps:
        # A column may have no value in the rows of a fold; it has to stay, or the model's inputs change.
        arguments = {"strategy": config.get("imputation", "median"), "keep_empty_features": True}
        steps.append(("impute", Part("sklearn.impute.SimpleImputer", arguments)))
    if family.scaled:
        scaler = "MinMaxScaler" if config.get("scale") == "minmax" else "StandardScaler"
        steps.append(("scale", Part(f"sklearn.preprocessing.{scaler}", {})))
    return steps


def _texts(config: Config, columns: Columns) -> list[tuple[str, Part]]:
    steps = []
    if columns.text_gaps:
        # The empty text is how a missing one is written, since model files know no missing text.
        arguments = {"missing_values": "", "strategy": "constant", "fill_value": MISSING_TEXT}
        steps.append(("impute", Part("sklearn.impute.SimpleImputer", arguments)))
    if config.get("encoding") == "ordinal":
        unknown = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
        steps.append(("encode", Part("sklearn.preprocessing.OrdinalEncoder", unknown)))
    else:
        # Common levels by name and not by max_categories, which cannot be converted to ONNX.
        common = {"categories": [list(levels) for levels in columns.levels]} if columns.levels else {}
        rest = {"handle_unknown": "ignore", "sparse_output": False}
        steps.append(("encode", Part("sklearn.preprocessing.OneHotEncoder", {**common, **rest})))
    return steps
