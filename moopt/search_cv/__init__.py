"""ParetoSearchCV, the scikit-learn face of a study."""

from moopt.search_cv.search import ParetoSearchCV

__all__ = ["ParetoSearchCV"]
