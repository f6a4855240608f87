"""What one config costs the codec, beside ConfigSpace's own; microseconds of CPU, the least of all rounds; JSON lines.

    python tests/benchmarks/space.py [--rounds 7]

Two spaces: 12 hyperparameters without conditions (5 log floats, 3 integers, 3 categories, 1 flag), and nine
families of five hyperparameters each.
"""

import argparse
import json
import time
import timeit

import ConfigSpace as CS  # noqa: N817 - as its own documentation has it
import numpy as np

from moopt.space import Space


def flat() -> CS.ConfigurationSpace:
    space = CS.ConfigurationSpace()
    space.add([CS.Float(f"rate{i}", (1e-5, 1e2), log=True) for i in range(5)])
    space.add([CS.Integer(f"n{i}", (1, 100)) for i in range(3)])
    space.add([CS.Categorical(f"kind{i}", ["a", "b", "c", "d"]) for i in range(3)])
    space.add(CS.Categorical("flag", [True, False]))
    return space


def families() -> CS.ConfigurationSpace:
    space = CS.ConfigurationSpace()
    family = CS.Categorical("family", [f"f{i}" for i in range(9)])
    space.add(family)
    for value in family.choices:
        children = [
            CS.Float(f"{value}.rate", (1e-5, 1e2), log=True),
            CS.Float(f"{value}.share", (0.0, 1.0)),
            CS.Integer(f"{value}.n", (1, 100)),
            CS.Categorical(f"{value}.kind", ["a", "b", "c"]),
            CS.Categorical(f"{value}.flag", [True, False]),
        ]
        space.add(children, [CS.EqualsCondition(child, family, value) for child in children])
    return space


def measure(name: str, configspace: CS.ConfigurationSpace, rounds: int) -> None:
    space = Space(configspace)
    rng = np.random.default_rng(0)
    unit = rng.random(space.d)
    config = space.decode(unit)
    vector = CS.Configuration(configspace, values=dict(config)).get_array()
    work = {
        "encode": lambda: space.encode(config),
        "decode": lambda: space.decode(unit),
        "key": lambda: space.key(config),
        "sample": lambda: space.sample(rng),
        "configspace encode": lambda: CS.Configuration(configspace, values=dict(config)).get_array(),
        "configspace decode": lambda: dict(CS.Configuration(configspace, vector=vector)),
    }
    for what, call in work.items():
        best = min(timeit.repeat(call, number=1_000, repeat=rounds, timer=time.process_time)) / 1_000
        print(json.dumps({"benchmark": "space", "space": name, "d": space.d, "what": what, "us": round(best * 1e6, 2)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    measure("flat", flat(), rounds)
    measure("families", families(), rounds)


if __name__ == "__main__":
    main()
