"""The portfolio of the preset families: measured on some data sets, kept in the package, worth what on others.

    python tests/benchmarks/portfolio.py measure pool.jsonl    # a pool of configs on the data sets to learn from
    python tests/benchmarks/portfolio.py write pool.jsonl      # -> moopt/models/portfolio.json
    python tests/benchmarks/portfolio.py worth worth.jsonl     # searches with and without it, on data it never saw

``measure`` and ``worth`` append a JSON line a result and leave out what is there. The data sets are those of the folder
`shared` beside the checkout (or ``--shared``) and two that scikit-learn brings; of each at most 1,000 rows, drawn by
class. The ones that ``worth`` searches, and scikit-learn's breast cancer of the demo, are never learned from.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from moopt import pareto  # noqa: E402 - the path comes first
from moopt.data import Data, DataSpec, read_data  # noqa: E402
from moopt.data.features import Columns  # noqa: E402
from moopt.evaluate import file_evaluator  # noqa: E402
from moopt.models.families import FAMILIES  # noqa: E402
from moopt.models.portfolio import n_portfolio, portfolio_configs  # noqa: E402
from moopt.models.presets import default_configs, preset_space  # noqa: E402
from moopt.objectives import Floats, as_objectives, loss_matrix  # noqa: E402
from moopt.searchers import make_searcher, search_options  # noqa: E402
from moopt.searchers.sampling import SobolSequence  # noqa: E402
from moopt.space import Space, as_space  # noqa: E402
from moopt.trial import Config  # noqa: E402
from tests.contracts.searchers import Simulation  # noqa: E402

LEARNED_ON = ("german_credit", "titanic", "mammography", "satellite", "bank_marketing", "wine", "digits")
JUDGED_ON = ("adult", "telco_churn")
OBJECTIVES = as_objectives(["accuracy", "recall", "latency", "size"])
ROWS = 1_000
FEWER_ROWS = {"digits": 500}
"""Where ten classes make boosting dear."""
FOLDS = 3
"""The first of them ranks configs well enough."""
DRAWS = {"logistic": 8, "neighbours": 8, "bayes": 3}
USUAL_DRAWS = 14
"""Sobol points a family, besides its default config."""
EVERYTHING = Columns(numeric=("x",), text=("t",), numeric_gaps=True, levels=(("a", "b"),))
"""Columns for which every hyperparameter of the preparation is there."""
TRIALS = (12, 25, 50)


# Data


@dataclass(frozen=True)
class Table:
    frame: pd.DataFrame
    target: str
    positive: Any = None
    missing: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


def table(name: str, shared: Path) -> Table:
    if name in ("wine", "digits"):
        import sklearn.datasets

        return Table(getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame, "target")
    sys.path.insert(0, str(shared / "tools"))
    import datasets

    info = datasets.DATASETS[name]
    frame = pd.read_csv(info.file, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    return Table(frame, info.target, info.positive, info.missing, info.left_out)


def subsample(frame: pd.DataFrame, target: str, n: int) -> pd.DataFrame:
    """At most n rows, the share of each class kept."""
    if len(frame) <= n:
        return frame
    return frame.groupby(target, group_keys=False).sample(frac=n / len(frame), random_state=0).sort_index()


def spec_of(name: str, shared: Path, folder: Path) -> DataSpec:
    own = table(name, shared)
    file = folder / f"{name}.csv"
    subsample(own.frame, own.target, FEWER_ROWS.get(name, ROWS)).to_csv(file, index=False)
    return DataSpec(str(file), own.target, own.positive, own.drop, own.missing, test_share=0.0)


# The pool


def pool() -> list[Config]:
    """Each family's default config, then their Sobol points in turn, with every hyperparameter of the preparation."""
    turns = zip_longest(*map(drawn, FAMILIES))
    return [*default_configs(list(FAMILIES), EVERYTHING), *(one for turn in turns for one in turn if one is not None)]


def drawn(family: str) -> Iterator[Config]:
    space = as_space(preset_space([family], EVERYTHING))
    sequence = SobolSequence(space.d, np.random.default_rng(0))
    for index in range(DRAWS.get(family, USUAL_DRAWS)):
        yield space.quantile(sequence[index])


def fitted_to(config: Config, space: Space) -> Config:
    """The config in the space of a data set, where some of the preparation may have nothing to do."""
    return space.check({name: value for name, value in config.items() if name in space.names})


def measure(file: Path, shared: Path) -> None:
    """Config by config, so that those measured so far are measured on all data."""
    done = {(row["data"], row["config"]) for row in read(file)}
    with tempfile.TemporaryDirectory() as folder:
        data = {name: read_data(spec_of(name, shared, Path(folder))) for name in LEARNED_ON}
        spaces = {name: as_space(preset_space(list(FAMILIES), own.columns)) for name, own in data.items()}
        for number, config in enumerate(pool()):
            for name, own in data.items():
                if (name, number) not in done:
                    values, cpu_s = evaluated(own, fitted_to(config, spaces[name]))
                    row = {"data": name, "rows": len(own.y), "config": number, "values": values, "cpu_s": cpu_s}
                    append(file, row)


def evaluated(data: Data, config: Config) -> tuple[Mapping[str, float], float]:
    """The values on one fold, and the CPU time they took, s."""
    evaluator = replace(file_evaluator(data, OBJECTIVES, FOLDS), train_rows=0)
    start = time.process_time()
    (result,) = evaluator(config, 0)
    return result.values, round(time.process_time() - start, 3)


# The file of the package


def write(file: Path, out: Path) -> None:
    """Of the configs that are measured on all data sets."""
    rows, configs = read(file), pool()
    by_data = {name: {row["config"]: row for row in rows if row["data"] == name} for name in LEARNED_ON}
    everywhere = [number for number in range(len(configs)) if all(number in own for own in by_data.values())]
    losses = {
        name: normalised([own[number] for number in everywhere]).round(3).tolist() for name, own in by_data.items()
    }
    about = "Configs of the preset families, and their losses on some data sets, scaled by the front (0 best, 1 worst)."
    lines = [
        f'"about": {json.dumps(about)}',
        f'"objectives": {json.dumps([one.name for one in OBJECTIVES])}',
        f'"rows": {json.dumps({name: own[0]["rows"] for name, own in by_data.items()})}',
        listed("configs", [rounded(configs[number]) for number in everywhere]),
        '"losses": {\n' + ",\n".join(listed(name, own) for name, own in losses.items()) + "\n}",
    ]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    cpu_s = round(sum(row["cpu_s"] for row in rows))
    print(json.dumps({"configs": len(everywhere), "data": len(losses), "cpu_s": cpu_s, "bytes": out.stat().st_size}))


def normalised(rows: Sequence[Mapping[str, Any]]) -> Floats:
    """Losses (n, m) of one data set with the ideal of its front at 0 and the nadir at 1, cut at 2."""
    losses = loss_matrix(OBJECTIVES, np.array([[row["values"][one.name] for one in OBJECTIVES] for row in rows]))
    scaled = pareto.normalise(losses, *pareto.ideal_nadir(losses[pareto.nondominated(losses)]))
    return np.minimum(scaled, 2.0)


def listed(name: str, rows: Sequence[Any]) -> str:
    return f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]"


def rounded(config: Config) -> Config:
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in config.items()}


# What it is worth, on tables of measured configs of much the same families


def worth(file: Path, shared: Path, seeds: int) -> None:
    done = {(row["table"], row["start"], row["seed"]) for row in read(file)}
    sys.path.insert(0, str(shared / "tools"))
    import tables

    for name in JUDGED_ON:
        one = tables.load_table(name, shared / "data" / "tables")
        space = Space(one.space)
        starts = {"defaults": start_of(space, portfolio=False), "portfolio": start_of(space, portfolio=True)}
        for seed in range(seeds):
            for start, configs in starts.items():
                if (name, start, seed) not in done:
                    shares = searched(one, space, configs, seed)
                    append(file, {"table": name, "start": start, "seed": seed, "n": len(configs), "shares": shares})


def start_of(space: Space, portfolio: bool) -> list[Config]:
    """The families' defaults, and the portfolio of a study of the most trials, as configs of a table's space."""
    columns = Columns(numeric=("x",), text=("t",), levels=(("a", "b"),))
    presets, defaults = as_space(preset_space(list(FAMILIES), columns)), default_configs(list(FAMILIES), columns)
    n = n_portfolio(max(TRIALS), len(defaults))
    names = [one.name for one in OBJECTIVES]
    more = portfolio_configs(presets, names, defaults, n) if portfolio else []
    near = [nearest_in(space, config) for config in [*defaults, *more]]
    return list({space.key(config): config for config in near}.values())


def nearest_in(space: Space, config: Config) -> Config:
    """The table's config that is nearest, hyperparameter by hyperparameter; what only the table has is its default."""
    own = {name.replace(":units", ":hidden"): value for name, value in config.items()}
    return space.check({name: near(space, name, own) for name in space.names if name in own or name == "family"})


def near(space: Space, name: str, own: Config) -> Any:
    values = list(space.domains[space.names.index(name)].values(None))
    if own[name] in values:
        return own[name]
    numbers = [value for value in values if value.replace(".", "").replace("e-", "").isdigit()]
    scale = abs if name.endswith((":max_depth", ":max_features", ":layers", ":hidden")) else np.log
    return min(numbers, key=lambda value: abs(scale(float(value)) - scale(float(own[name]))))


def searched(one: Any, space: Space, configs: Sequence[Config], seed: int) -> dict[int, float]:
    """Hypervolume after each of TRIALS, that of the table's own front being 1, of the default search."""
    import tables

    study = Simulation(make_searcher(search_options(), space, 4, seed), lambda config: one.evaluate_many([config])[0])
    for config in configs:
        study.add(config)
        study.finish(study.n_trials - 1)
    study.run(max(TRIALS) - len(configs))
    losses = one.evaluate_many(study.configs)
    return {n: round(tables.normalised_hypervolume(one, losses[:n]), 4) for n in TRIALS}


def show(file: Path) -> None:
    rows = read(file)
    for name in JUDGED_ON:
        for start in ("defaults", "portfolio"):
            own = [row for row in rows if row["table"] == name and row["start"] == start]
            shares = np.array([[row["shares"][str(n)] for n in TRIALS] for row in own])
            line = {"table": name, "start": start, "seeds": len(own), "n_starts": own[0]["n"]}
            line["hypervolume"] = dict(zip(TRIALS, shares.mean(axis=0).round(3).tolist(), strict=True))
            line["sd"] = dict(zip(TRIALS, shares.std(axis=0).round(3).tolist(), strict=True))
            print(json.dumps(line))


# Reading and writing


def append(file: Path, row: Mapping[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["measure", "write", "worth"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--out", type=Path, default=ROOT / "moopt" / "models" / "portfolio.json")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    if given.verb == "measure":
        measure(given.file, given.shared)
    elif given.verb == "write":
        write(given.file, given.out)
    else:
        worth(given.file, given.shared, given.seeds)
        show(given.file)


if __name__ == "__main__":
    main()
