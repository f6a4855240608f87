"""The space of some model families, with a default config each and the user's own ranges.

A config names its ``family`` and the family's own hyperparameters as ``family:name``; ``scale``, ``encoding`` and
``imputation`` prepare the columns and are there only where they do something, ``backend`` where there is another
than scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from moopt.data.features import Columns
from moopt.deploy.backends import SKLEARN, as_choice
from moopt.errors import SpaceError, nearest
from moopt.models.families import FAMILIES, QUADRATIC, Choice, Family, Parameter, Range
from moopt.models.ranges import narrowed
from moopt.trial import Config

if TYPE_CHECKING:
    import ConfigSpace

MANY_ROWS = 10_000
"""From here on the families whose cost grows with the square of the rows are left to those who name them."""
PREPARATION = "preparation"
"""The key of ranges for ``scale``, ``encoding`` and ``imputation``."""

Ranges: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Family -> hyperparameter -> ``[low, high]``, a list of choices, one value to fix it, or a belief.

See :mod:`moopt.models.ranges`.
"""


_SCALE = Choice("scale", ("standard", "minmax"), "standard", "by mean and deviation, or into 0 to 1")
_ENCODING = Choice("encoding", ("one-hot", "ordinal"), "one-hot", "a column a level, or one column of numbers")
_IMPUTATION = Choice("imputation", ("median", "mean"), "median", "what stands for a missing number")


def families_for(n_rows: int) -> tuple[str, ...]:
    """The families to search where the user names none: all, but on many rows those that stay affordable."""
    return tuple(name for name in FAMILIES if n_rows < MANY_ROWS or name not in QUADRATIC)


def cost_warnings(families: Sequence[str], n_rows: int) -> list[str]:
    """A line for each family whose fits or predictions will be slow on so many rows."""
    return [
        f"family {name} is slow on {n_rows:,} rows: its cost grows with their square; leave it out or give a time limit"
        for name in families
        if name in QUADRATIC and n_rows >= MANY_ROWS
    ]


def preset_space(
    families: Sequence[str],
    columns: Columns,
    ranges: Ranges | None = None,
    seed: int = 0,
    backends: Sequence[str] = (SKLEARN,),
) -> ConfigSpace.ConfigurationSpace:
    """The space of some families for these columns.

    ``ranges`` replaces the ranges of hyperparameters, ``{"forest": {"n_estimators": [10, 300]}}``, or says what is
    believed of them, ``{"forest": {"n_estimators": {"likely": 120, "factor": 2}}}``. Raises SpaceError
    for unknown families or hyperparameters and for ranges that cannot be.
    """
    import ConfigSpace

    chosen = _families(families)
    own = _checked(ranges, chosen)
    names = [family.name for family in chosen]
    space = ConfigSpace.ConfigurationSpace(seed=seed)
    top = _hyperparameter(Choice("family", tuple(names), names[0], ""), "family")
    space.add(top)
    for family in chosen:
        for parameter in narrowed(family.parameters, own.get(family.name, {}), family.name):
            child = _hyperparameter(parameter, f"{family.name}:{parameter.name}")
            space.add(child)
            if len(names) > 1:
                space.add(ConfigSpace.EqualsCondition(child, top, family.name))
    for parameter, users in _preparation(chosen, columns, own.get(PREPARATION, {})):
        child = _hyperparameter(parameter, parameter.name)
        space.add(child)
        if len(users) < len(names):
            space.add(ConfigSpace.InCondition(child, top, list(users)))
    for name, values in as_choice(backends).items():
        space.add(_hyperparameter(Choice(name, tuple(values), values[0], ""), name))
    return space


def default_configs(
    families: Sequence[str],
    columns: Columns,
    ranges: Ranges | None = None,
    backends: Sequence[str] = (SKLEARN,),
) -> list[Config]:
    """One config a family, in their order: its defaults, moved into narrowed ranges, on the first of the backends.

    Raises as preset_space.
    """
    chosen = _families(families)
    own = _checked(ranges, chosen)
    preparation = _preparation(chosen, columns, own.get(PREPARATION, {}))
    backend = {name: values[0] for name, values in as_choice(backends).items()}
    return [
        {
            "family": family.name,
            **{
                f"{family.name}:{parameter.name}": parameter.default
                for parameter in narrowed(family.parameters, own.get(family.name, {}), family.name)
            },
            **{parameter.name: parameter.default for parameter, users in preparation if family.name in users},
            **backend,
        }
        for family in chosen
    ]


def as_ranges(families: Sequence[str], columns: Columns) -> dict[str, dict[str, Any]]:
    """All that can be narrowed or widened, as ``ranges`` takes it, with our own ranges; raises as preset_space."""
    chosen = _families(families)
    own = {family.name: {one.name: _plain(one) for one in family.parameters} for family in chosen}
    preparation = {one.name: _plain(one) for one, _ in _preparation(chosen, columns, {})}
    return {**own, **({PREPARATION: preparation} if preparation else {})}


def _plain(one: Parameter) -> list[Any]:
    return [one.low, one.high] if isinstance(one, Range) else list(one.values)


def _families(names: Sequence[str]) -> list[Family]:
    given = [names] if isinstance(names, str) else list(names)
    if not given:
        raise SpaceError(f"no family is given; give some of: {', '.join(FAMILIES)}")
    for name in given:
        if name not in FAMILIES:
            raise SpaceError(f"unknown family {name!r}{nearest(str(name), FAMILIES)}")
        if given.count(name) > 1:
            raise SpaceError(f"family {name} is named twice; name each once")
    return [FAMILIES[name] for name in given]


def _checked(ranges: Ranges | None, chosen: Sequence[Family]) -> Ranges:
    """The user's ranges, their names known."""
    names = [family.name for family in chosen]
    for key, own in (ranges or {}).items():
        if key in FAMILIES and key not in names:
            raise SpaceError(f"ranges are given for family {key}, which is not searched; add it to the families")
        if key not in (*names, PREPARATION):
            raise SpaceError(f"ranges are given for the unknown family {key!r}{nearest(key, [*FAMILIES, PREPARATION])}")
        if not isinstance(own, Mapping):
            raise SpaceError(f"the ranges of {key} are {own!r}; give hyperparameters with their ranges")
        known = [one.name for one in (FAMILIES[key].parameters if key in FAMILIES else PREPARATIONS)]
        for name in own:
            if name not in known:
                raise SpaceError(f"{key} has no hyperparameter {name!r}{nearest(str(name), known)}")
    return ranges or {}


PREPARATIONS = (_SCALE, _ENCODING, _IMPUTATION)
"""What prepares the columns, for every family that it concerns."""


def _preparation(
    chosen: Sequence[Family], columns: Columns, own: Mapping[str, Any]
) -> list[tuple[Parameter, tuple[str, ...]]]:
    """What prepares the columns, each with the families that use it; nothing that would do nothing."""
    scale, encoding, imputation = narrowed(PREPARATIONS, own, PREPARATION)
    wanted = [
        (scale, columns.numeric, [family.name for family in chosen if family.scaled]),
        (encoding, columns.text, [family.name for family in chosen if family.coded]),
        (imputation, columns.numeric_gaps, [family.name for family in chosen]),
    ]
    return [(parameter, tuple(users)) for parameter, useful, users in wanted if useful and users]


def _hyperparameter(one: Parameter, name: str) -> Any:
    import ConfigSpace

    values = one.values if isinstance(one, Choice) else (one.low,) if one.low == one.high else ()
    if len(values) == 1:
        return ConfigSpace.Constant(name, values[0])
    if isinstance(one, Choice):
        weights = one.weights or None
        return ConfigSpace.CategoricalHyperparameter(name, list(one.values), default_value=one.default, weights=weights)
    bounds: dict[str, Any] = {"lower": one.low, "upper": one.high, "default_value": one.default, "log": one.log}
    if one.peak is not None:
        beta = ConfigSpace.BetaIntegerHyperparameter if one.whole else ConfigSpace.BetaFloatHyperparameter
        return beta(name, alpha=one.peak.alpha, beta=one.peak.beta, **bounds)
    kind = ConfigSpace.UniformIntegerHyperparameter if one.whole else ConfigSpace.UniformFloatHyperparameter
    return kind(name, **bounds)
