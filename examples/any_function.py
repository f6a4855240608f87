"""Any function of a config: a lambda that is searched, and the same by ask and tell."""

import moopt

SPACE = {"x": (0.0, 1.0), "kind": ["plain", "fancy"]}
OBJECTIVES = [
    moopt.Objective("error", "minimize"),
    moopt.Objective("latency_ms", "minimize", log=True, limit="5 ms"),
]

study = moopt.create_study("by lambda", SPACE, OBJECTIVES, algorithm="nsga2", seed=0)
study.optimize(
    lambda config: {
        "error": (1 - config["x"]) ** 2 + (0.1 if config["kind"] == "plain" else 0.0),
        "latency_ms": (1 if config["kind"] == "plain" else 3) * 10 ** config["x"],
    },
    n_trials=60,
)
print(study.front().to_string(index=False))
print(f"hypervolume {study.hypervolume():.3f}")

by_hand = moopt.create_study("by hand", SPACE, OBJECTIVES, algorithm="moead", seed=0)
for _ in range(20):
    trial = by_hand.ask()
    x, slower = trial.config["x"], 3 if trial.config["kind"] == "fancy" else 1
    by_hand.tell(trial, {"error": (1 - x) ** 2 / slower, "latency_ms": slower * 10**x})
by_hand.close()
print(f"by hand: {len(by_hand.front())} of {len(by_hand.trials())} trials are on the front")
