"""Multi-objective hyperparameter optimisation: from trade-offs to one configuration that you can defend.

Three doors to one engine: :class:`ParetoSearchCV` for scikit-learn users, :func:`create_study` with
``optimize`` for any function of a config, and ``ask``/``tell`` for those who run the loop themselves.
"""

from moopt.objectives import Objective, latency
from moopt.search_cv import ParetoSearchCV
from moopt.searchers.pymoo import PymooAlgorithm
from moopt.study import Study, create_study, load_study

__version__ = "0.1.0"
__all__ = [
    "Objective",
    "ParetoSearchCV",
    "PymooAlgorithm",
    "Study",
    "__version__",
    "create_study",
    "latency",
    "load_study",
]
